//! Sources that speak in lines: `[[stream]]` over the API, `[[spool]]` by files in a directory.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::check::{self, inner, unique, within};
use super::fault::Faults;
use super::file::{A_TEXT, duration, path, silence};
use super::problem::Problem;
use super::reader::{At, Reader};
use super::{Resets, Source, Spool, value};
use crate::domain::retention::Retention;

/// The keys that every source has.
pub(super) struct SourceTable {
    pub(super) name: Option<At<String>>,
    realm: Option<At<String>>,
    interims: Option<At<bool>>,
    max_delay: Option<At<Duration>>,
    max_silence: Option<At<Option<Duration>>>,
    resets: Option<At<Resets>>,
}

/// `[[spool]]`.
pub(super) struct SpoolTable {
    path: Option<At<PathBuf>>,
    pub(super) source: SourceTable,
}

impl SourceTable {
    pub(super) fn read(table: &Reader<'_, '_, '_>) -> Self {
        Self {
            name: table.required("name", table.text("name", A_TEXT, value::name)),
            realm: table.text("realm", A_TEXT, value::name_or_empty),
            interims: table.flag("interims"),
            max_delay: duration(table, "max-delay"),
            max_silence: silence(table),
            resets: table.text("resets", A_TEXT, |text| value::choice("resets", text, Resets::ALL.map(Resets::name))),
        }
    }

    /// The source; `None` if it has no name, which has left its fault. `retention` is `None` where the policy is wrong.
    fn check(self, retention: Option<&Retention>, faults: &Faults<'_>) -> Option<Source> {
        let default = check::default_retention();
        let policy = retention.unwrap_or(&default);
        let longest = retention.map_or(Duration::MAX, |retention| retention.window);
        let max_delay = within("max-delay", self.max_delay.as_ref(), Duration::from_secs(1)..=longest, faults);
        let max_silence = check::max_silence(self.max_silence.as_ref(), faults);
        let named = Source::named(&inner(self.name)?, policy);
        let realm = inner(self.realm).unwrap_or(named.realm);
        Some(Source {
            realm: realm.clone(),
            // There is no outside that it could speak of.
            outside_realm: realm,
            interims: inner(self.interims).unwrap_or(named.interims),
            max_delay: max_delay.unwrap_or(named.max_delay),
            max_silence: max_silence.unwrap_or(named.max_silence),
            resets: inner(self.resets).unwrap_or(named.resets),
            name: named.name,
        })
    }
}

impl SpoolTable {
    pub(super) fn read(table: &Reader<'_, '_, '_>) -> Self {
        Self { path: table.required("path", path(table, "path")), source: SourceTable::read(table) }
    }
}

/// What the `[[stream]]` tables mean.
pub(super) fn streams(tables: Vec<SourceTable>, retention: Option<&Retention>, faults: &Faults<'_>) -> Vec<Source> {
    tables.into_iter().filter_map(|table| table.check(retention, faults)).collect()
}

/// What the `[[spool]]` tables mean. Paths that are not absolute start from `base`.
pub(super) fn spools(
    tables: Vec<SpoolTable>,
    retention: Option<&Retention>,
    base: &Path,
    faults: &Faults<'_>,
) -> Vec<Spool> {
    let paths = tables.iter().filter_map(|table| table.path.as_ref());
    unique(paths, |path, line| Problem::PathTwice { path, line }, faults);
    let checked = |table: SpoolTable| {
        let path = inner(table.path).map(|path| base.join(path));
        let source = table.source.check(retention, faults);
        Some(Spool { path: path?, source: source? })
    };
    tables.into_iter().filter_map(checked).collect()
}

//! The DHCP part of the file: lease files that are followed.

use std::path::Path;
use std::time::Duration;

use super::check::{self, inner, unique, within};
use super::fault::Faults;
use super::file::LeasesTable;
use super::problem::Problem;
use super::reader::At;
use super::{Dhcp, LeaseFile, Resets, Source, radius};
use crate::domain::lease::LeaseIdentity;
use crate::domain::retention::Retention;
use crate::domain::selection::Kept;

/// What `[dhcp]` means; `retention` is `None` where the policy itself is wrong. Paths start from `base`.
pub(super) fn check(tables: Vec<LeasesTable>, retention: Option<&Retention>, base: &Path, faults: &Faults<'_>) -> Dhcp {
    let paths = tables.iter().filter_map(|table| table.path.as_ref());
    unique(paths, |path, line| Problem::LeaseFileTwice { path, line }, faults);
    let mut checked: Vec<(LeaseFile, usize)> = Vec::new();
    for table in tables {
        let (place, pair) = (table.place.clone(), table.pair.clone());
        let Some(file) = leases(table, retention, base, faults) else { continue };
        let partner = checked.iter().find(|(other, _)| other.source.name == file.source.name);
        if let (Some((other, line)), Some(pair)) = (partner, pair)
            && (&other.source, other.format) != (&file.source, file.format)
        {
            faults.add(pair.span(), Problem::PairDiffers { pair: pair.get_ref().clone(), line: *line });
        }
        checked.push((file, faults.line_of(&place)));
    }
    Dhcp { leases: checked.into_iter().map(|(file, _)| file).collect() }
}

/// One file; `None` if something it cannot do without is missing or wrong, which has left its fault.
fn leases(table: LeasesTable, retention: Option<&Retention>, base: &Path, faults: &Faults<'_>) -> Option<LeaseFile> {
    let default = check::default_retention();
    let policy = retention.unwrap_or(&default);
    let longest = retention.map_or(Duration::MAX, |retention| retention.window);
    let max_delay = within("max-delay", table.max_delay.as_ref(), Duration::from_secs(1)..=longest, faults);
    let max_silence = check::max_silence(table.max_silence.as_ref(), faults);
    let subscriber = subscriber(table.subscriber, faults);
    let name = inner(table.name)?;
    let realm = inner(table.realm).unwrap_or_default();
    Some(LeaseFile {
        source: Source {
            name: inner(table.pair).unwrap_or_else(|| name.clone()),
            realm: realm.clone(),
            // There is no outside that it could speak of.
            outside_realm: realm,
            interims: inner(table.interims).unwrap_or(false),
            max_delay: max_delay.unwrap_or(policy.window),
            max_silence: max_silence.unwrap_or(policy.max_silence),
            // A lease file has no way to say that a server lost all its leases.
            resets: Resets::default(),
        },
        name,
        format: inner(table.format)?,
        path: base.join(inner(table.path)?),
        subscriber,
        mapping: inner(table.mapping).map(|path| base.join(path)),
        keep: table.keep.as_ref().map_or_else(Kept::default, |keep| radius::kept(keep.get_ref())),
    })
}

/// In the order of preference. An empty list would make every lease one of nobody.
fn subscriber(value: Option<At<Vec<At<LeaseIdentity>>>>, faults: &Faults<'_>) -> Vec<LeaseIdentity> {
    let Some(list) = value else { return LeaseIdentity::ALL.to_vec() };
    let span = list.span();
    if !faults.any_within(&span) && list.get_ref().is_empty() {
        faults.add(span, Problem::EmptyList { key: "subscriber" });
    }
    list.into_inner().into_iter().map(At::into_inner).collect()
}

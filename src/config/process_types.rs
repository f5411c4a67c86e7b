//! The table of process types: read with its places, and held against the law's minimum.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use toml::de::DeTable;

use super::check::{ReadText, inner, unique};
use super::fault::{Fault, Faults};
use super::file::{A_TEXT, version};
use super::problem::Problem;
use super::reader::{At, Reader};
use super::shape::{PROCESS_TYPE, PROCESS_TYPES};
use super::value;
use crate::domain::process::law;
use crate::domain::process::{Breach, Class, Group, Hold, Need, ProcessType, ProcessTypes, Terms};

/// The file that is shipped. Its rows stand at the law's minimum.
const SHIPPED: &str = include_str!("../../config/process-types.toml");

/// What stands in the place of a path where that file is meant.
const BUILT_IN: &str = "built-in";

/// The longest hold that a file may ask for, in days: two years.
const LONGEST_HOLD: u64 = 731;

/// `[[type]]`.
struct TypeTable {
    place: Range<usize>,
    name: Option<At<ProcessType>>,
    statute: Option<At<String>>,
    class: Option<At<Class>>,
    releases: Option<At<Vec<At<Group>>>>,
    reverse: Option<At<bool>>,
    needs: Option<At<Vec<At<Need>>>>,
    hold_days: Option<At<u64>>,
    renewals: Option<At<u64>>,
    renewal_days: Option<At<u64>>,
    counted_in_bands: Option<At<bool>>,
    refused: Option<At<String>>,
}

/// The table that is built into the program.
///
/// A fault in it would leave it empty, and so refuse everything; a test holds it to have none.
pub(super) fn built_in() -> ProcessTypes {
    parse(SHIPPED, "process-types.toml").unwrap_or_default()
}

/// The table that the configuration names. Its faults are added to the configuration's.
pub(super) fn check(
    written: Option<At<PathBuf>>,
    base: &Path,
    read_text: &mut ReadText<'_>,
    faults: &Faults<'_>,
) -> ProcessTypes {
    let Some(written) = written.filter(|path| path.get_ref() != Path::new(BUILT_IN)) else { return built_in() };
    let path = base.join(written.get_ref());
    match read_text(&path) {
        Ok(text) => parse(&text, &path.display().to_string()).unwrap_or_else(|found| {
            faults.add_elsewhere(found);
            built_in()
        }),
        Err(error) => {
            faults.add(written.span(), Problem::ProcessTypes { error: Box::new(error) });
            built_in()
        }
    }
}

/// Reads the text of a file that was named `name`; all its faults at once if there are any.
fn parse(text: &str, name: &str) -> Result<ProcessTypes, Vec<Fault>> {
    let faults = Faults::new(name, text);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        faults.add(error.span().unwrap_or(0..0), Problem::Syntax { message: error.message().to_owned() });
    }
    let root = Reader::open(&PROCESS_TYPES, document.get_ref(), 0..0, &faults);
    version(&root, &faults);
    let tables = root.tables("type", &PROCESS_TYPE, TypeTable::read);
    let names = tables.iter().filter_map(|table| table.name.as_ref());
    unique(names, |name, line| Problem::NameTwice { name: name.name().to_owned(), line }, &faults);
    let rows: BTreeMap<ProcessType, Terms> = tables.into_iter().filter_map(|table| table.check(&faults)).collect();
    let found = faults.finish();
    let digest = Sha256::digest(text.as_bytes()).into();
    if found.is_empty() { Ok(ProcessTypes { rows, digest }) } else { Err(found) }
}

impl TypeTable {
    fn read(table: &Reader<'_, '_, '_>) -> Self {
        let kind = |text: &str| value::choice("name", text, ProcessType::ALL.map(ProcessType::name));
        let class = |text: &str| value::choice("class", text, Class::ALL.map(Class::name));
        let group = |text: &str| value::choice("releases", text, Group::ALL.map(Group::name));
        let need = |text: &str| value::choice("needs", text, Need::ALL.map(Need::name));
        let mut row = Self {
            place: table.place(),
            name: table.required("name", table.text("name", A_TEXT, kind)),
            statute: table.required("statute", table.text("statute", A_TEXT, |text| value::line("statute", text))),
            class: table.required("class", table.text("class", A_TEXT, class)),
            releases: table.texts("releases", "a list of texts", group),
            reverse: table.flag("reverse"),
            needs: table.texts("needs", "a list of texts", need),
            hold_days: table.number("hold-days", 1, LONGEST_HOLD),
            renewals: table.number("renewals", 0, 99),
            renewal_days: table.number("renewal-days", 0, LONGEST_HOLD),
            counted_in_bands: table.flag("counted-in-bands"),
            refused: table.text("refused", A_TEXT, |text| value::line("refused", text)),
        };
        // A renewal is of a hold, and for some days.
        if table.has("renewals") || table.has("renewal-days") {
            row.hold_days = table.required("hold-days", row.hold_days);
            row.renewals = table.required("renewals", row.renewals);
            row.renewal_days = table.required("renewal-days", row.renewal_days);
        }
        row
    }

    /// The row, held against the law's minimum; `None` if it has no name or no class, which has left its fault.
    fn check(self, faults: &Faults<'_>) -> Option<(ProcessType, Terms)> {
        let places = self.places();
        let name = inner(self.name)?;
        let terms = Terms {
            statute: inner(self.statute).unwrap_or_default(),
            class: inner(self.class)?,
            releases: inner(self.releases).into_iter().flatten().map(At::into_inner).collect(),
            reverse: inner(self.reverse).unwrap_or(false),
            needs: inner(self.needs).into_iter().flatten().map(At::into_inner).collect(),
            hold: hold(self.hold_days, self.renewals, self.renewal_days),
            counted_in_bands: inner(self.counted_in_bands).unwrap_or(false),
            refused: inner(self.refused),
        };
        let place_of = |breach: &Breach| {
            let written = places.iter().find(|(key, _)| *key == breach.key());
            written.and_then(|(_, span)| span.clone()).unwrap_or(self.place.clone())
        };
        let breaches = law::breaches(name, &terms).into_iter().map(|breach| (place_of(&breach), breach));
        // What could not be read is not found to be missing.
        let new: Vec<_> = breaches.filter(|(span, _)| !faults.any_within(span)).collect();
        for (span, breach) in new {
            faults.add(span, Problem::ProcessType { name, breach });
        }
        Some((name, terms))
    }

    /// Where each key stands that a breach may be about.
    fn places(&self) -> [(&'static str, Option<Range<usize>>); 6] {
        [
            ("class", self.class.as_ref().map(At::span)),
            ("releases", self.releases.as_ref().map(At::span)),
            ("needs", self.needs.as_ref().map(At::span)),
            ("reverse", self.reverse.as_ref().map(At::span)),
            ("hold-days", self.hold_days.as_ref().map(At::span)),
            ("refused", self.refused.as_ref().map(At::span)),
        ]
    }
}

fn hold(days: Option<At<u64>>, renewals: Option<At<u64>>, renewal_days: Option<At<u64>>) -> Option<Hold> {
    let number = |value: Option<At<u64>>| inner(value).and_then(|number| u16::try_from(number).ok());
    let days = number(days)?;
    Some(Hold {
        days,
        renewals: number(renewals).unwrap_or_default(),
        renewal_days: number(renewal_days).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::process::law::HoldByLaw;

    #[test]
    fn the_shipped_file_has_every_type_and_stands_at_the_minimum() {
        let table = parse(SHIPPED, "process-types.toml").unwrap();
        assert_eq!(table, built_in());
        assert!(table.rows.keys().eq(ProcessType::ALL.iter().collect::<std::collections::BTreeSet<_>>()));
        for (kind, terms) in &table.rows {
            let law = law::of(*kind);
            assert!(terms.releases.iter().eq(law.releases), "{kind}");
            assert_eq!((terms.reverse, terms.counted_in_bands), (law.reverse, law.counted_in_bands), "{kind}");
            assert_eq!(terms.needs, law.needs.iter().copied().collect(), "{kind}");
            assert_eq!(terms.refused.as_deref(), law.refused, "{kind}");
            assert_eq!(terms.hold.is_some(), law.hold != HoldByLaw::None, "{kind}");
        }
    }

    /// The problems of the shipped file with one text in the place of another, each with its line.
    fn problems(from: &str, to: &str) -> Vec<(usize, String)> {
        assert!(SHIPPED.contains(from), "{from}");
        let changed = SHIPPED.replacen(from, to, 1);
        let faults = parse(&changed, "process-types.toml").err().unwrap_or_default();
        faults.into_iter().map(|fault| (fault.line, fault.problem.to_string())).collect()
    }

    fn line_of(text: &str) -> usize {
        SHIPPED[..SHIPPED.find(text).unwrap()].lines().count() + 1
    }

    #[test]
    fn what_stands_below_the_minimum_is_named_with_its_type_and_line() {
        let basic = "releases = [\"subscriber\", \"session-times\", \"addresses\"]\n";
        let line = line_of(basic);
        let cases = [
            (
                basic,
                "releases = [\"subscriber\", \"session-times\", \"addresses\", \"line\"]\n",
                line,
                "`subpoena` may not release `line`: it may release subscriber, session-times, addresses",
            ),
            ("needs = [\"statute\"]", "needs = []", line + 2, "`subpoena` must need `statute`"),
            ("needs = [\"certification\"]\n", "", line_of("name = \"nsl\"") - 1, "`nsl` must need `certification`"),
            (
                "counted-in-bands = true",
                "counted-in-bands = false",
                line_of("name = \"nsl\"") - 1,
                "`nsl` must have `counted-in-bands = true`",
            ),
            (
                "hold-days = 90\nrenewals = 1",
                "hold-days = 30\nrenewals = 1",
                line_of("hold-days = 90"),
                "`preservation` must place a hold of 90 days with 1 renewals of 90 days",
            ),
            (
                "refused = \"this store has the past only\"",
                "releases = [\"subscriber\"]",
                line_of("name = \"pen-register\"") - 1,
                "`pen-register` cannot be answered, and must be refused: this store has the past only",
            ),
            ("class = \"compelled\"", "class = \"voluntary\"", line - 1, "`subpoena` is compelled, and nothing else"),
        ];
        for (from, to, line, problem) in cases {
            assert_eq!(problems(from, to), [(line, problem.to_owned())], "{to}");
        }
    }

    #[test]
    fn unknown_types_keys_and_words_are_refused() {
        let cases = [
            ("name = \"subpoena\"", "name = \"marketing\"", "`marketing` is no `name`: use subpoena, court-order"),
            ("reverse = true", "revers = true", "unknown key `revers`, did you mean `reverse`?"),
            ("reverse = true", "window = true", "unknown key `window`"),
            ("\"statute\"]", "\"coffee\"]", "`coffee` is no `needs`: use statute, judge"),
            ("\"addresses\"]", "\"clickstream\"]", "`clickstream` is no `releases`: use subscriber"),
            ("name = \"warrant\"", "name = \"subpoena\"", "the name `subpoena` is taken already: see line"),
            ("renewal-days = 90\n", "", "missing key `renewal-days` in [[type]]"),
            ("version = 1", "version = 2", "version 2 is unknown"),
        ];
        for (from, to, problem) in cases {
            let found = problems(from, to);
            assert!(found.iter().any(|(_, said)| said.starts_with(problem)), "{to}: {found:?}");
        }
    }

    #[test]
    fn a_file_may_ask_for_more_release_less_refuse_and_leave_out() {
        let text = "version = 1\n[[type]]\nname = \"subpoena\"\nstatute = \"18 USC 2703(c)(2)\"\nclass = \"compelled\"\n\
                    releases = [\"subscriber\"]\nneeds = [\"legal-review\", \"statute\"]\n[[type]]\nname = \"nsl\"\n\
                    statute = \"18 USC 2709\"\nclass = \"compelled\"\nrefused = \"to counsel\"\n";
        let table = parse(text, "strict.toml").unwrap();
        assert_eq!(table.rows.len(), 2);
        let subpoena = &table.rows[&ProcessType::Subpoena];
        assert_eq!(subpoena.releases, [Group::Subscriber].into());
        assert_eq!(subpoena.needs, [Need::Statute, Need::LegalReview].into());
        assert_ne!(table.digest, built_in().digest);
    }
}

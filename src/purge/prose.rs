//! A report in words, for people.

use std::fmt::Write as _;
use std::time::Duration;

use crate::config::Written;

use super::exception::Exception;
use super::report::{Erasure, Kind, Outcome, Report, Standing, Told, Verdict};
use super::run::{Check, Counted};
use crate::canonical::Word as _;

/// A sheet of names and texts, wrapped so that no line is wider than [`WIDEST`].
struct Sheet(String);

/// The widest line, in columns.
const WIDEST: usize = 100;
/// Where the texts begin.
const INDENT: usize = 16;

impl Sheet {
    fn line(&mut self, name: &str, text: &str) {
        let mut line = format!("  {name:<13} ");
        for word in text.split(' ') {
            let fits = line.len().saturating_add(word.len()).saturating_add(1) <= WIDEST;
            if !fits && line.len() > INDENT {
                self.0.push_str(line.trim_end());
                self.0.push('\n');
                line = " ".repeat(INDENT);
            }
            line.push_str(word);
            line.push(' ');
        }
        self.0.push_str(line.trim_end());
        self.0.push('\n');
    }
}

impl Report {
    /// The report for people: no line is wider than 100 columns, unless one word is.
    pub fn in_words(&self) -> String {
        let verdict = match self.verdict() {
            Verdict::Clean => "clean: everything due was destroyed in time and verified",
            Verdict::Exceptions => "everything due is destroyed and verified, with exceptions; see below",
            Verdict::Failed => "FAILED: something is not destroyed, or not verified; see below",
        };
        let mut sheet = Sheet(String::new());
        // Writing to a String cannot fail.
        let _ = writeln!(sheet.0, "Purge report {}: {verdict}", self.sequence);
        self.tell_identity(&mut sheet);
        self.tell_unlinking(&mut sheet);
        self.tell_keys(&mut sheet);
        self.tell_verification(&mut sheet);
        for exception in &self.exceptions {
            sheet.line("exception", &told(exception));
        }
        if self.left_out > 0 {
            sheet.line("exception", &format!("and {} more, which had no room", self.left_out));
        }
        sheet.0
    }

    fn tell_identity(&self, sheet: &mut Sheet) {
        let why = match self.kind {
            Kind::Bucket => "a bucket of time is over",
            Kind::Start => "the daemon started",
            Kind::Stop => "the daemon stopped",
            Kind::Exception => "something was out of the ordinary",
            Kind::Policy => "the policy changed",
        };
        sheet.line("period", &format!("{} to {} ({why})", self.from, self.to));
        sheet.line("store", &format!("{}, lapsed {}", self.system.word(), self.software));
        let (window, bucket) = (Written(self.terms.window), Written(self.terms.bucket.duration()));
        let interval = Written(self.terms.purge_interval);
        let terms =
            format!("nothing is readable longer than {window}; purge every {interval}, a key for every {bucket}");
        sheet.line("policy", &format!("{terms}; SHA-256 of POLICY {}", self.policy.word()));
        let synchronised = match self.clock.synchronised {
            Told::Yes => "synchronised",
            Told::No => "NOT synchronised",
            Told::Unknown => "not known whether synchronised",
        };
        let offset = self.clock.offset_micros.map_or_else(String::new, |micros| format!(", off by {micros} us"));
        let steps = many(self.clock.steps, "jump", "jumps");
        sheet.line("clock", &format!("{} clock, {synchronised}{offset}, {steps}", self.clock.source));
    }

    fn tell_unlinking(&self, sheet: &mut Sheet) {
        let none_or = |count: u64| if count == 0 { "none".to_owned() } else { count.to_string() };
        let (late, failed) = (none_or(self.runs.late), none_or(self.runs.failed));
        sheet.line("runs", &format!("{}; {late} late, {failed} failed", self.runs.count));
        if let Some(cutoff) = self.cutoff {
            let unlinked = self.runs.count > 0 && self.verdict() != Verdict::Failed;
            let files = if unlinked { ", or in any file of the store" } else { "" };
            sheet.line("cutoff", &format!("{cutoff}; nothing older is readable{files}"));
        }
        let Standing { taken, holds, accesses } = self.standing;
        let (taken, holds) = (many(taken, "statement", "statements"), many(holds, "hold", "holds"));
        sheet.line(
            "standing",
            &format!("{taken} taken in; {holds} kept, {} on record", many(accesses, "access", "accesses")),
        );
        for (counted, class) in self.counted() {
            let counts = match (class.scanned, class.filtered, class.remaining) {
                (0, 0, 0) => "nothing was due".to_owned(),
                (scanned, filtered, 0) => format!("{scanned} counted, {filtered} dropped, none left"),
                (scanned, filtered, left) => format!("{scanned} counted, {filtered} dropped, {left} LEFT"),
            };
            let name = if counted == Counted::Listings { "index rows" } else { counted.name() };
            sheet.line(name, &format!("{counts}{}", aged(class.max_age, self.bound_of(counted))));
        }
        let files = many(self.unlinking.files_removed, "file", "files");
        let rolled = many(self.unlinking.manifests_rolled, "time", "times");
        let log = self.unlinking.wal_oldest.map_or_else(|| "no log".to_owned(), |at| format!("oldest log from {at}"));
        sheet.line("method", &format!("{files} removed, MANIFEST rolled {rolled}, {log}"));
    }

    fn tell_keys(&self, sheet: &mut Sheet) {
        let (opened, destroyed) = (self.keys.opened.len(), self.keys.destroyed.len());
        let age = aged(self.key_max_age(), Some(self.key_bound()));
        sheet.line("keys", &format!("{opened} opened, {destroyed} destroyed, {} live{age}", self.keys.live));
        if self.keys.unreadable > 0 {
            sheet.line("", &format!("{} UNREADABLE: what they open is lost", self.keys.unreadable));
        }
        for key in self.keys.destroyed.iter().filter(|key| !key.is_proven()) {
            let from = self.terms.bucket.start_of(key.bucket);
            sheet.line("", &format!("of the bucket from {from}: read-back {}, extents {}", key.read_back, key.extents));
        }
        let Erasure { class, stack, same_device } = &self.erasure;
        let device = match same_device {
            Told::Yes => "on the database's device",
            Told::No => "on a device of their own",
            Told::Unknown => "on a device that is not known",
        };
        sheet.line("erasure", &format!("{class}: {}; {stack}; keys {device}", class.meaning()));
    }

    fn tell_verification(&self, sheet: &mut Sheet) {
        for (outcome, name) in
            [(Outcome::Passed, "verified"), (Outcome::Failed, "NOT VERIFIED"), (Outcome::NotMade, "not checked")]
        {
            let checks: Vec<_> = Check::ALL.iter().filter(|check| self.outcome(**check) == outcome).collect();
            let names: Vec<_> = checks.iter().map(|check| check.name()).collect();
            if !names.is_empty() {
                sheet.line(name, &names.join(", "));
            }
        }
    }
}

fn aged(age: Option<Duration>, bound: Option<Duration>) -> String {
    let Some(age) = age else { return String::new() };
    match bound {
        Some(bound) if age > bound => format!("; oldest {}, OVER its bound of {}", Written(age), Written(bound)),
        Some(bound) => format!("; oldest {} of at most {}", Written(age), Written(bound)),
        None => format!("; oldest {}", Written(age)),
    }
}

fn many(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

fn told(exception: &Exception) -> String {
    let by = exception.who().map_or_else(String::new, |who| format!(" by {}", who.word()));
    format!("{} {}{by}", exception.at(), exception.in_words())
}

impl Exception {
    /// What it was in words, without the instant and without whom.
    pub fn in_words(&self) -> String {
        match self {
            Self::LateRun { late, .. } => format!("the run began {} too late", Written(*late)),
            Self::FailedRun { failure, .. } => format!("the run failed at {}: {}", failure.step, failure.reason),
            Self::CountsDiffer { counted, scanned, filtered, explanation, .. } => {
                format!("{counted}: {scanned} counted, {filtered} dropped ({explanation})")
            }
            Self::ClockDoubtBegun { reason, by, .. } => {
                format!("the clock came into doubt ({reason}), {} off", Written(*by))
            }
            Self::ClockDoubtMoved { reason, by, .. } => {
                format!("the clock moved again in doubt ({reason}), {} off", Written(*by))
            }
            Self::ClockForgotten { .. } => {
                "nothing was known of the last trusted time, so the clock was believed".to_owned()
            }
            Self::ClockDoubtLasted { lasted, .. } => format!("the clock was in doubt for {}", Written(*lasted)),
            Self::ClockDoubtEnded { by, .. } => format!("the clock is trusted again ({by})"),
            Self::ClockDoubtAccepted { .. } => "the clock was accepted".to_owned(),
            Self::PolicyChanged { setting, old, new, who, .. } => {
                let place = if who.is_none() { " in the configuration" } else { "" };
                format!("{setting} changed from {} to {}{place}", Written(*old), Written(*new))
            }
            Self::KeyringLost { .. } => "the keyring was lost; what it opened is gone".to_owned(),
            Self::KeyUnreadable { bucket, .. } => format!("the key of bucket {} cannot be used", bucket.0),
            Self::Swept { keys, .. } => {
                format!("{} destroyed by lapsed sweep", many(u64::from(*keys), "key", "keys"))
            }
            Self::Restored { .. } => "the store was put back from a copy".to_owned(),
        }
    }

    /// Who did it, as a keyed hash; `None` where nobody is on record.
    const fn who(&self) -> Option<[u8; 8]> {
        match self {
            Self::ClockDoubtAccepted { who, .. } => Some(*who),
            Self::PolicyChanged { who, .. } => *who,
            Self::LateRun { .. }
            | Self::FailedRun { .. }
            | Self::CountsDiffer { .. }
            | Self::ClockDoubtBegun { .. }
            | Self::ClockDoubtMoved { .. }
            | Self::ClockForgotten { .. }
            | Self::ClockDoubtLasted { .. }
            | Self::ClockDoubtEnded { .. }
            | Self::KeyringLost { .. }
            | Self::KeyUnreadable { .. }
            | Self::Swept { .. }
            | Self::Restored { .. } => None,
        }
    }
}

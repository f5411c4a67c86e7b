//! The canonical bytes of a report, both ways.

use std::fmt::Write as _;
use std::time::Duration;

use crate::domain::time::Timestamp;

use super::exception::Exception;
use super::line::{Lines, ParseError, Words};
use super::report::{
    ClassReport, ClockStanding, Erasure, Keys, MAX_ENTRY_BYTES, Outcome, Report, Runs, Terms, Unlinking, Verdict,
};
use super::run::{Check, Counted, KeyDestroyed, PerClass};
use super::word::{Line, Word};

const FIRST: &str = "lapsed-purge-v1";

/// The text so far.
struct Text(String);

impl Text {
    fn line(&mut self, name: &str, value: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{name} {value}");
    }

    fn one(&mut self, name: &str, value: &impl Word) {
        self.line(name, &value.word());
    }
}

impl Report {
    /// The canonical bytes: plain text, one `name value` a line, in a fixed order (`docs/format.md`).
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = Text(String::with_capacity(4096));
        text.line(FIRST, "report");
        self.write_identity(&mut text);
        self.write_counts(&mut text);
        self.write_keys(&mut text);
        text.one("erasure-class", &self.erasure.class);
        text.line("erasure-stack", self.erasure.stack.as_str());
        text.one("same-device", &self.erasure.same_device);
        text.one("files-removed", &self.unlinking.files_removed);
        text.one("manifests-rolled", &self.unlinking.manifests_rolled);
        text.one("wal-oldest", &self.unlinking.wal_oldest);
        for (check, outcome) in Check::ALL.iter().zip(self.checks) {
            text.line("check", &format!("{check} {outcome}"));
        }
        for exception in &self.exceptions {
            text.line("exception", &exception.to_string());
        }
        text.one("exceptions-left-out", &self.left_out);
        text.one("result", &self.verdict());
        text.0.into_bytes()
    }

    fn write_identity(&self, text: &mut Text) {
        text.one("sequence", &self.sequence);
        text.one("kind", &self.kind);
        text.one("from", &self.from);
        text.one("to", &self.to);
        text.one("system", &self.system);
        text.line("software", self.software.as_str());
        text.one("policy", &self.policy);
        text.one("window-ms", &self.terms.window);
        text.one("bucket-ms", &self.terms.bucket);
        text.one("purge-interval-ms", &self.terms.purge_interval);
        text.one("clock-source", &self.clock.source);
        text.one("clock-synchronised", &self.clock.synchronised);
        text.one("clock-offset-us", &self.clock.offset_micros);
        text.one("clock-steps", &self.clock.steps);
    }

    fn write_counts(&self, text: &mut Text) {
        let Runs { count, late, failed, last } = self.runs;
        text.line("runs", &format!("{count} late {late} failed {failed} last {last}"));
        for (counted, class) in self.counted() {
            let ClassReport { cutoff, scanned, filtered, remaining, max_age } = class;
            let (cutoff, age, bound) = (cutoff.word(), max_age.word(), self.bound_of(counted).word());
            text.line("unlinked", &format!("{counted} cutoff {cutoff} scanned {scanned} filtered {filtered} remaining {remaining} max-age-ms {age} bound-ms {bound}"));
        }
    }

    fn write_keys(&self, text: &mut Text) {
        for (bucket, commitment) in &self.keys.opened {
            text.line("key-opened", &format!("{} {}", bucket.word(), commitment.word()));
        }
        for KeyDestroyed { bucket, commitment, at, read_back, extents } in &self.keys.destroyed {
            let (bucket, commitment) = (bucket.word(), commitment.word());
            text.line("key-destroyed", &format!("{bucket} {commitment} {at} {read_back} {extents}"));
        }
        text.one("keys-live", &self.keys.live);
        text.one("keys-unreadable", &self.keys.unreadable);
        text.one("key-max-age-ms", &self.key_max_age());
        text.one("key-bound-ms", &self.key_bound());
    }

    /// Reads the canonical bytes, and takes no others: whatever this returns has exactly these bytes.
    ///
    /// # Errors
    ///
    /// If [`Report::to_bytes`] writes these bytes for no report.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        if bytes.len() > MAX_ENTRY_BYTES {
            return Err(ParseError::TooLong(bytes.len()));
        }
        let mut lines = Lines::of(bytes)?;
        let (report, said) = read(&mut lines)?;
        lines.end()?;
        if report.to < report.from {
            return Err(ParseError::Period);
        }
        said.check(&report)?;
        // Everything has been looked at; this holds whatever was forgotten.
        if report.to_bytes() == bytes { Ok(report) } else { Err(ParseError::NotCanonical) }
    }
}

/// What a text says that follows from the rest of it.
struct Said {
    bounds: Vec<(Counted, Option<Duration>)>,
    key_max_age: Option<Duration>,
    key_bound: Duration,
    verdict: Verdict,
}

impl Said {
    fn check(&self, report: &Report) -> Result<(), ParseError> {
        if self.bounds.iter().any(|(counted, bound)| *bound != report.bound_of(*counted)) {
            return Err(ParseError::Derived("bound-ms"));
        }
        if self.key_max_age != report.key_max_age() {
            return Err(ParseError::Derived("key-max-age-ms"));
        }
        if self.key_bound != report.key_bound() {
            return Err(ParseError::Derived("key-bound-ms"));
        }
        if self.verdict == report.verdict() { Ok(()) } else { Err(ParseError::Result) }
    }
}

fn read(lines: &mut Lines<'_>) -> Result<(Report, Said), ParseError> {
    let mut first = lines.value(FIRST)?;
    if first.text("report")? != "report" {
        return Err(first.wrong("report"));
    }
    first.end()?;
    let sequence = lines.one("sequence", "a number")?;
    let kind = lines.one("kind", "a kind of report")?;
    let (from, to) = (lines.one("from", "an instant")?, lines.one("to", "an instant")?);
    let system = lines.one("system", "16 bytes in hex")?;
    let software = read_line(lines, "software")?;
    let policy = lines.one("policy", "32 bytes in hex")?;
    let terms = Terms {
        window: lines.one("window-ms", "milliseconds")?,
        bucket: lines.one("bucket-ms", "milliseconds")?,
        purge_interval: lines.one("purge-interval-ms", "milliseconds")?,
    };
    let clock = ClockStanding {
        source: lines.one("clock-source", "a source of time")?,
        synchronised: lines.one("clock-synchronised", "yes, no or unknown")?,
        offset_micros: lines.one("clock-offset-us", "microseconds or none")?,
        steps: lines.one("clock-steps", "a number")?,
    };
    let runs = read_runs(lines)?;
    let (classes, listings, bounds) = read_counts(lines)?;
    let keys = read_keys(lines)?;
    let key_max_age = lines.one("key-max-age-ms", "milliseconds or none")?;
    let key_bound = lines.one("key-bound-ms", "milliseconds")?;
    let erasure = Erasure {
        class: lines.one("erasure-class", "an erasure class")?,
        stack: read_line(lines, "erasure-stack")?,
        same_device: lines.one("same-device", "yes, no or unknown")?,
    };
    let unlinking = Unlinking {
        files_removed: lines.one("files-removed", "a number")?,
        manifests_rolled: lines.one("manifests-rolled", "a number")?,
        wal_oldest: lines.one("wal-oldest", "an instant or none")?,
    };
    let checks = read_checks(lines)?;
    let mut exceptions = Vec::new();
    while let Some(mut words) = lines.value_if("exception") {
        exceptions.push(Exception::read(&mut words)?);
    }
    let left_out = lines.one("exceptions-left-out", "a number")?;
    let said = Said { bounds, key_max_age, key_bound, verdict: lines.one("result", "a result")? };
    let report = Report {
        sequence,
        kind,
        from,
        to,
        system,
        software,
        policy,
        terms,
        clock,
        runs,
        classes,
        listings,
        keys,
        erasure,
        unlinking,
        checks,
        exceptions,
        left_out,
    };
    Ok((report, said))
}

fn read_line(lines: &mut Lines<'_>, name: &'static str) -> Result<Line, ParseError> {
    let words = lines.value(name)?;
    let wrong = words.wrong("printable text");
    Line::read(words.rest("printable text")?).ok_or(wrong)
}

fn read_runs(lines: &mut Lines<'_>) -> Result<Runs, ParseError> {
    let mut words = lines.value("runs")?;
    let runs = Runs {
        count: words.next("a number")?,
        late: words.labelled("late")?,
        failed: words.labelled("failed")?,
        last: words.labelled("last")?,
    };
    words.end()?;
    Ok(runs)
}

type Counts = (PerClass<ClassReport>, ClassReport, Vec<(Counted, Option<Duration>)>);

fn read_counts(lines: &mut Lines<'_>) -> Result<Counts, ParseError> {
    let (mut classes, mut listings, mut bounds) = (PerClass::default(), ClassReport::default(), Vec::new());
    for counted in Counted::ALL {
        let mut words = lines.value("unlinked")?;
        if words.text(counted.name())? != counted.name() {
            return Err(words.wrong(counted.name()));
        }
        let class = read_class(&mut words)?;
        bounds.push((*counted, words.labelled("bound-ms")?));
        words.end()?;
        match counted.class() {
            Some(of) => *classes.of_mut(of) = class,
            None => listings = class,
        }
    }
    Ok((classes, listings, bounds))
}

fn read_class(words: &mut Words<'_>) -> Result<ClassReport, ParseError> {
    Ok(ClassReport {
        cutoff: words.labelled::<Option<Timestamp>>("cutoff")?,
        scanned: words.labelled("scanned")?,
        filtered: words.labelled("filtered")?,
        remaining: words.labelled("remaining")?,
        max_age: words.labelled("max-age-ms")?,
    })
}

fn read_keys(lines: &mut Lines<'_>) -> Result<Keys, ParseError> {
    let (mut opened, mut destroyed) = (Vec::new(), Vec::new());
    while let Some(mut words) = lines.value_if("key-opened") {
        opened.push((words.next("a bucket")?, words.next("a commitment")?));
        words.end()?;
    }
    while let Some(mut words) = lines.value_if("key-destroyed") {
        destroyed.push(KeyDestroyed {
            bucket: words.next("a bucket")?,
            commitment: words.next("a commitment or none")?,
            at: words.next("an instant")?,
            read_back: words.next("how it was read back")?,
            extents: words.next("where it lies")?,
        });
        words.end()?;
    }
    let live = lines.one("keys-live", "a number")?;
    Ok(Keys { opened, destroyed, live, unreadable: lines.one("keys-unreadable", "a number")? })
}

fn read_checks(lines: &mut Lines<'_>) -> Result<[Outcome; 10], ParseError> {
    let mut checks = [Outcome::NotMade; 10];
    for (check, outcome) in Check::ALL.iter().zip(&mut checks) {
        let mut words = lines.value("check")?;
        *outcome = words.labelled(check.name())?;
        words.end()?;
    }
    Ok(checks)
}

//! The canonical bytes of a report, both ways.

use std::fmt::Write as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::exception::Exception;
use super::report::{
    ClassReport, ClockStanding, Erasure, Keys, MAX_ENTRY_BYTES, Outcome, Report, Runs, Standing, Terms, Unlinking,
    Verdict,
};
use super::run::{Check, Counted, KeyDestroyed, PerClass};
use crate::canonical::{Line, Lines, ParseError, Word, Words};

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
        self.write_method(&mut text);
        self.write_checks(&mut text);
        for exception in &self.exceptions {
            text.line("exception", &exception.to_string());
        }
        if self.left_out > 0 {
            text.one("exceptions-left-out", &self.left_out);
        }
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
        let Terms { window, bucket, purge_interval } = &self.terms;
        let (window, bucket, interval) = (window.word(), bucket.word(), purge_interval.word());
        text.line("terms-ms", &format!("window {window} bucket {bucket} purge-interval {interval}"));
        let ClockStanding { source, synchronised, offset_micros, steps } = &self.clock;
        let offset = offset_micros.word();
        text.line("clock", &format!("{source} synchronised {synchronised} offset-us {offset} steps {steps}"));
    }

    fn write_counts(&self, text: &mut Text) {
        let Runs { count, late, failed, last } = self.runs;
        text.line("runs", &format!("{count} late {late} failed {failed} last {last}"));
        let Standing { taken, holds, accesses } = self.standing;
        text.line("standing", &format!("taken {taken} holds {holds} accesses {accesses}"));
        text.one("cutoff", &self.cutoff);
        for (counted, class) in self.counted().filter(|(_, class)| **class != ClassReport::default()) {
            let ClassReport { scanned, filtered, remaining, max_age } = class;
            text.line("unlinked", &format!("{counted} {scanned} {filtered} {remaining} {}", max_age.word()));
        }
    }

    fn write_keys(&self, text: &mut Text) {
        for (bucket, commitment) in &self.keys.opened {
            text.line("key-opened", &format!("{} {}", bucket.word(), STANDARD.encode(commitment)));
        }
        for KeyDestroyed { bucket, at, read_back, extents } in &self.keys.destroyed {
            text.line("key-destroyed", &format!("{} {at} {read_back} {extents}", bucket.word()));
        }
        let Keys { live, unreadable, .. } = self.keys;
        text.line("keys", &format!("live {live} unreadable {unreadable} max-age-ms {}", self.key_max_age().word()));
        let (unlinked, key) = (self.unlink_bound().word(), self.key_bound().word());
        text.line("bounds-ms", &format!("unlinked {unlinked} key {key}"));
    }

    fn write_method(&self, text: &mut Text) {
        let Erasure { class, stack, same_device } = &self.erasure;
        text.line("erasure", &format!("{} same-device {same_device} {stack}", class.word()));
        let Unlinking { files_removed, manifests_rolled, wal_oldest } = &self.unlinking;
        let oldest = wal_oldest.word();
        text.line("files", &format!("removed {files_removed} manifests {manifests_rolled} wal-oldest {oldest}"));
    }

    /// All of them, if they passed; else those that did not.
    fn write_checks(&self, text: &mut Text) {
        let mut words = Vec::new();
        for outcome in [Outcome::Failed, Outcome::NotMade] {
            let mut checks = Check::ALL.iter().filter(|check| self.outcome(**check) == outcome).peekable();
            words.extend(checks.peek().map(|_| outcome.name()));
            words.extend(checks.map(|check| check.name()));
        }
        let passed = if words.is_empty() { Outcome::Passed.name().to_owned() } else { words.join(" ") };
        text.line("checks", &passed);
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
            return Err(ParseError::Derived("to"));
        }
        said.check(&report)?;
        // Everything has been looked at; this holds whatever was forgotten.
        if report.to_bytes() == bytes { Ok(report) } else { Err(ParseError::NotCanonical) }
    }
}

/// What a text says that follows from the rest of it.
struct Said {
    key_max_age: Option<Duration>,
    unlink_bound: Duration,
    key_bound: Duration,
    verdict: Verdict,
}

impl Said {
    fn check(&self, report: &Report) -> Result<(), ParseError> {
        if self.unlink_bound != report.unlink_bound() || self.key_bound != report.key_bound() {
            return Err(ParseError::Derived("bounds-ms"));
        }
        // What was scanned has an oldest. What a repeated compaction drops was scanned in a report before.
        if report.counted().any(|(_, class)| class.scanned > 0 && class.max_age.is_none()) {
            return Err(ParseError::Derived("unlinked"));
        }
        if self.key_max_age != report.key_max_age() {
            return Err(ParseError::Derived("max-age-ms"));
        }
        if self.verdict == report.verdict() { Ok(()) } else { Err(ParseError::Derived("result")) }
    }
}

fn read(lines: &mut Lines<'_>) -> Result<(Report, Said), ParseError> {
    lines.read(FIRST, |words| if words.text("report")? == "report" { Ok(()) } else { Err(words.wrong("report")) })?;
    let sequence = lines.one("sequence", "a number")?;
    let kind = lines.one("kind", "a kind of report")?;
    let (from, to) = (lines.one("from", "an instant")?, lines.one("to", "an instant")?);
    let system = lines.one("system", "16 bytes in hex")?;
    let software = lines.read("software", printable)?;
    let policy = lines.one("policy", "32 bytes in hex")?;
    let (terms, clock, runs) = (read_terms(lines)?, read_clock(lines)?, read_runs(lines)?);
    let standing = read_standing(lines)?;
    let cutoff = lines.one("cutoff", "an instant or none")?;
    let (classes, listings) = read_counts(lines)?;
    let (keys, key_max_age) = read_keys(lines)?;
    let (unlink_bound, key_bound) = read_bounds(lines)?;
    let (erasure, unlinking) = (read_erasure(lines)?, read_files(lines)?);
    let checks = read_checks(lines)?;
    let exceptions = lines.read_each("exception", Exception::read)?;
    let left_out = lines.one_if("exceptions-left-out", "a number")?.unwrap_or(0);
    let said = Said { key_max_age, unlink_bound, key_bound, verdict: lines.one("result", "a result")? };
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
        standing,
        cutoff,
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

fn printable(words: &mut Words<'_>) -> Result<Line, ParseError> {
    Line::read(words.rest("printable text")?).ok_or(words.wrong("printable text"))
}

fn read_terms(lines: &mut Lines<'_>) -> Result<Terms, ParseError> {
    lines.read("terms-ms", |words| {
        Ok(Terms {
            window: words.labelled("window")?,
            bucket: words.labelled("bucket")?,
            purge_interval: words.labelled("purge-interval")?,
        })
    })
}

fn read_clock(lines: &mut Lines<'_>) -> Result<ClockStanding, ParseError> {
    lines.read("clock", |words| {
        Ok(ClockStanding {
            source: words.next("a source of time")?,
            synchronised: words.labelled("synchronised")?,
            offset_micros: words.labelled("offset-us")?,
            steps: words.labelled("steps")?,
        })
    })
}

fn read_runs(lines: &mut Lines<'_>) -> Result<Runs, ParseError> {
    lines.read("runs", |words| {
        Ok(Runs {
            count: words.next("a number")?,
            late: words.labelled("late")?,
            failed: words.labelled("failed")?,
            last: words.labelled("last")?,
        })
    })
}

fn read_standing(lines: &mut Lines<'_>) -> Result<Standing, ParseError> {
    lines.read("standing", |words| {
        Ok(Standing {
            taken: words.labelled("taken")?,
            holds: words.labelled("holds")?,
            accesses: words.labelled("accesses")?,
        })
    })
}

/// The classes of which something was counted, in the order of the format.
fn read_counts(lines: &mut Lines<'_>) -> Result<(PerClass<ClassReport>, ClassReport), ParseError> {
    let (mut classes, mut listings) = (PerClass::default(), ClassReport::default());
    let mut all = Counted::ALL.iter();
    let counts = lines.read_each("unlinked", |words| {
        let name = words.text("a class")?;
        let counted =
            all.find(|counted| counted.name() == name).ok_or(words.wrong("a class, each once and in order"))?;
        let class = ClassReport {
            scanned: words.next("a number")?,
            filtered: words.next("a number")?,
            remaining: words.next("a number")?,
            max_age: words.next("milliseconds or none")?,
        };
        Ok((counted, class))
    })?;
    for (counted, class) in counts {
        match counted.class() {
            Some(of) => *classes.of_mut(of) = class,
            None => listings = class,
        }
    }
    Ok((classes, listings))
}

fn read_keys(lines: &mut Lines<'_>) -> Result<(Keys, Option<Duration>), ParseError> {
    let opened = lines.read_each("key-opened", |words| {
        let bucket = words.next("a bucket")?;
        let commitment = STANDARD.decode(words.text("a commitment")?).ok().and_then(|bytes| bytes.try_into().ok());
        Ok((bucket, commitment.ok_or(words.wrong("32 bytes in base64"))?))
    })?;
    let destroyed = lines.read_each("key-destroyed", |words| {
        Ok(KeyDestroyed {
            bucket: words.next("a bucket")?,
            at: words.next("an instant")?,
            read_back: words.next("how it was read back")?,
            extents: words.next("where it lies")?,
        })
    })?;
    lines.read("keys", |words| {
        let (live, unreadable) = (words.labelled("live")?, words.labelled("unreadable")?);
        Ok((Keys { opened, destroyed, live, unreadable }, words.labelled("max-age-ms")?))
    })
}

fn read_bounds(lines: &mut Lines<'_>) -> Result<(Duration, Duration), ParseError> {
    lines.read("bounds-ms", |words| Ok((words.labelled("unlinked")?, words.labelled("key")?)))
}

fn read_erasure(lines: &mut Lines<'_>) -> Result<Erasure, ParseError> {
    lines.read("erasure", |words| {
        let (class, same_device) = (words.next("an erasure class")?, words.labelled("same-device")?);
        Ok(Erasure { class, same_device, stack: printable(words)? })
    })
}

fn read_files(lines: &mut Lines<'_>) -> Result<Unlinking, ParseError> {
    lines.read("files", |words| {
        Ok(Unlinking {
            files_removed: words.labelled("removed")?,
            manifests_rolled: words.labelled("manifests")?,
            wal_oldest: words.labelled("wal-oldest")?,
        })
    })
}

/// What no word says otherwise of has passed.
fn read_checks(lines: &mut Lines<'_>) -> Result<[Outcome; 10], ParseError> {
    lines.read("checks", |words| {
        let mut checks = [Outcome::Passed; 10];
        let mut outcome = words.next("an outcome")?;
        while !words.is_empty() {
            let word = words.text("a check")?;
            match Check::ALL.iter().zip(&mut checks).find(|(check, _)| check.name() == word) {
                Some((_, check)) => *check = outcome,
                None => outcome = Outcome::read(word).ok_or(words.wrong("a check"))?,
            }
        }
        Ok(checks)
    })
}

//! Faults of a configuration file, each with its place, its line and a caret; and all of them together.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::io;
use std::ops::Range;

use super::problem::Problem;

/// Why there is no configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file is missing, or may not be read.
    #[error("cannot read {file}: {reason}")]
    Unreadable {
        /// The file as it was named.
        file: String,
        /// What the system said.
        reason: io::ErrorKind,
    },
    /// More than anybody configures: most likely another file.
    #[error("{file} is longer than {most} bytes: is it a configuration?")]
    TooLarge {
        /// The file as it was named.
        file: String,
        /// The most that is read.
        most: u64,
    },
    /// TOML is UTF-8, and this is not.
    #[error("{file}: line {line} is not UTF-8")]
    NotUtf8 {
        /// The file as it was named.
        file: String,
        /// The first line that is not, counted from 1.
        line: usize,
    },
    /// The file was read, and these are its faults and those of the files it names.
    #[error("{}", Listing(faults))]
    Faulty {
        /// The file as it was named.
        file: String,
        /// At least one, in the order of the file; those of other files come last.
        faults: Vec<Fault>,
    },
}

/// One fault and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub problem: Problem,
    /// The file it is in, as it was named.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The first character in question, counted from 1.
    pub column: usize,
    /// How many characters of the line are in question, at least one.
    pub width: usize,
    /// The line itself. What stands behind a secret's key is cut off, and control characters are replaced.
    pub source: String,
}

impl Fault {
    fn print(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.line.to_string().len();
        let room = self.source.chars().count().saturating_add(2).saturating_sub(self.column).max(1);
        // Tabs before the caret stay tabs, so that it stands where they push the text.
        let lead = self.source.chars().map(|c| if c == '\t' { '\t' } else { ' ' }).chain(std::iter::repeat(' '));
        writeln!(f, "error: {}", self.problem)?;
        writeln!(f, "{:digits$} --> {}:{}:{}", "", self.file, self.line, self.column)?;
        writeln!(f, "{:digits$}  |", "")?;
        writeln!(f, "{}", format_args!(" {} | {}", self.line, self.source).to_string().trim_end())?;
        write!(f, "{:digits$}  | ", "")?;
        lead.take(self.column.saturating_sub(1)).try_for_each(|c| write!(f, "{c}"))?;
        writeln!(f, "{}", "^".repeat(self.width.min(room)))
    }
}

/// A line fit for a terminal and for a log: whoever writes a secret into the file by mistake does not find it there.
fn shown(line: &str) -> String {
    let after_secret = line.match_indices("secret").find_map(|(at, word)| {
        let rest = line.get(at..)?.strip_prefix(word)?.trim_start_matches(['"', '\'', ' ', '\t']);
        rest.starts_with('=').then(|| line.len().saturating_sub(rest.len()).saturating_add(1))
    });
    let kept = after_secret.and_then(|end| line.get(..end));
    let safe = |c: char| if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c };
    kept.unwrap_or(line).chars().map(safe).chain(kept.map_or("", |_| " ...").chars()).collect()
}

struct Listing<'a>(&'a [Fault]);

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut files: Vec<&str> = Vec::new();
        for fault in self.0 {
            fault.print(f)?;
            writeln!(f)?;
            if !files.contains(&fault.file.as_str()) {
                files.push(&fault.file);
            }
        }
        let count = self.0.len();
        write!(f, "{count} fault{} in {}", if count == 1 { "" } else { "s" }, files.join(" and "))
    }
}

/// Collects the faults of one text while it is read.
pub(super) struct Faults<'t> {
    file: &'t str,
    text: &'t str,
    /// Where each line begins, so that a file full of faults is not counted through for every one.
    starts: Vec<usize>,
    found: RefCell<Vec<(Range<usize>, Problem)>>,
    /// Those of files that this one names.
    elsewhere: RefCell<Vec<Fault>>,
}

impl<'t> Faults<'t> {
    /// Of the text of the file that was named `file`.
    pub(super) fn new(file: &'t str, text: &'t str) -> Self {
        let later = text.match_indices('\n').map(|(newline, _)| newline.saturating_add(1));
        let starts = std::iter::once(0).chain(later).collect();
        Self { file, text, starts, found: RefCell::default(), elsewhere: RefCell::default() }
    }

    pub(super) fn add(&self, span: Range<usize>, problem: Problem) {
        self.found.borrow_mut().push((span, problem));
    }

    /// Adds the faults of a file that this one names.
    pub(super) fn add_elsewhere(&self, faults: Vec<Fault>) {
        self.elsewhere.borrow_mut().extend(faults);
    }

    /// Is anything wrong within these bytes already?
    pub(super) fn any_within(&self, span: &Range<usize>) -> bool {
        self.found.borrow().iter().any(|(found, _)| span.contains(&found.start))
    }

    /// The line of a byte, counted from 1, for faults that name another place.
    pub(super) fn line_of(&self, span: &Range<usize>) -> usize {
        self.starts.partition_point(|start| *start <= span.start)
    }

    /// All faults in the order of the file, each once, without those that only follow from others.
    pub(super) fn finish(self) -> Vec<Fault> {
        let (mut found, elsewhere) = (self.found.take(), self.elsewhere.take());
        found.sort_by_key(|(span, problem)| (span.start, !problem.is_syntax()));
        found.dedup();
        let mut faults: Vec<Fault> = found.into_iter().map(|(span, problem)| self.place(&span, problem)).collect();
        // What another version means by its keys, nobody here knows.
        let foreign = faults.iter().any(|fault| fault.problem.is_version());
        if foreign {
            faults.retain(|fault| fault.problem.is_version());
        }
        let broken: HashSet<usize> = syntax(&faults).map(|fault| fault.line).collect();
        let broken_header = syntax(&faults).find(|fault| fault.source.trim_start().starts_with('['));
        let broken_header = broken_header.map_or(usize::MAX, |fault| fault.line);
        faults.retain(|fault| {
            // Below a broken header every key is in the wrong table; what is missing may stand where reading stopped.
            let echoes = broken.contains(&fault.line)
                || fault.line > broken_header
                || (fault.problem.is_absence() && !broken.is_empty());
            fault.problem.is_syntax() || !echoes
        });
        if !foreign {
            faults.extend(elsewhere);
        }
        faults
    }

    /// The fault of the bytes `span`; only the first line of a longer span is shown.
    fn place(&self, span: &Range<usize>, problem: Problem) -> Fault {
        let line = self.line_of(span);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let first_line = |text: Option<&'t str>| text.and_then(|text| text.lines().next()).unwrap_or("");
        let before = self.text.get(start..span.start).or(self.text.get(start..)).unwrap_or("");
        Fault {
            problem,
            file: self.file.to_owned(),
            line,
            column: before.chars().count().saturating_add(1),
            width: first_line(self.text.get(span.clone())).chars().count().max(1),
            source: shown(first_line(self.text.get(start..))),
        }
    }
}

fn syntax(faults: &[Fault]) -> impl Iterator<Item = &Fault> {
    faults.iter().filter(|fault| fault.problem.is_syntax())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_the_wrong_place_is_not_repeated() {
        assert_eq!(shown("secret = \"Tr0ub4dor\""), "secret = ...");
        assert_eq!(shown("client = [{ secret=\"Tr0ub4dor\" }]"), "client = [{ secret= ...");
        assert_eq!(shown("shared-secret = 'x'"), "shared-secret = ...");
        assert_eq!(shown("secret-file = \"/etc/x\""), "secret-file = \"/etc/x\"");
    }

    #[test]
    fn columns_count_characters() {
        let text = "a = 1\nname = \"\u{e9}\u{e9}\" # x\n";
        let start = text.find("# x").unwrap();
        let fault = Faults::new("lapsed.toml", text).place(&(start..start + 3), Problem::SecretInFile);
        assert_eq!((fault.line, fault.column, fault.width), (2, 13, 3));
    }

    #[test]
    fn a_place_behind_the_end_is_the_end() {
        let fault = Faults::new("lapsed.toml", "a").place(&(9..12), Problem::SecretInFile);
        assert_eq!((fault.line, fault.column, fault.width), (1, 2, 1));
        assert_eq!(Faults::new("lapsed.toml", "").place(&(0..0), Problem::SecretInFile).source, "");
    }
}

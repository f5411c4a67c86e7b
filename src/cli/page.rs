//! Pages for people: names and values in two columns, no line longer than the terminal is wide.
//!
//! Nothing needs colour to be understood. What cannot be divided without being mistaken, such as an identifier or a time as
//! a paper has it, is never broken, however long it is; every foreign text is escaped.

use std::io::IsTerminal as _;

use chrono::{DateTime, FixedOffset, Local};

use super::escape::escape;

/// The width of what is printed to no terminal, in characters.
const PIPED: usize = 80;
/// Narrower than this, a page is printed as for this.
const NARROWEST: usize = 40;
/// Where values begin.
const INDENT: usize = 16;

/// How a page is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// The longest line, in characters.
    pub width: usize,
    /// Puts an instant into the zone that is local to whoever reads the page.
    pub local: fn(DateTime<FixedOffset>) -> DateTime<FixedOffset>,
}

impl Look {
    /// As wide as the terminal, 80 where there is none; in the zone that `TZ` or `/etc/localtime` names.
    pub(super) fn here() -> Self {
        let stdout = std::io::stdout();
        let columns = stdout.is_terminal().then(|| rustix::termios::tcgetwinsize(&stdout).ok()).flatten();
        let width = columns.map(|size| usize::from(size.ws_col)).filter(|width| *width > 0);
        Self { width: width.unwrap_or(PIPED), local: |time| time.with_timezone(&Local).fixed_offset() }
    }

    /// An instant in UTC as clocks there show it, with the weekday; a text that is none as it is.
    pub(super) fn utc(self, utc: &str) -> String {
        calendar(utc, |time| time.to_utc().fixed_offset())
    }

    /// The same in the local zone.
    pub(super) fn local(self, utc: &str) -> String {
        calendar(utc, self.local)
    }
}

/// An instant with its weekday, in the zone that `zone` puts it in.
pub(super) fn calendar(utc: &str, zone: impl Fn(DateTime<FixedOffset>) -> DateTime<FixedOffset>) -> String {
    let time = DateTime::parse_from_rfc3339(utc);
    time.map_or_else(|_| utc.to_owned(), |time| zone(time).format("%a %Y-%m-%d %H:%M:%S%.3f %:z").to_string())
}

/// A page that is being written.
pub(super) struct Page {
    text: String,
    width: usize,
}

impl Page {
    pub(super) fn new(look: Look) -> Self {
        Self { text: String::new(), width: look.width.max(NARROWEST) }
    }

    /// The page as it is.
    pub(super) fn text(self) -> String {
        self.text
    }

    /// Begins a part of the page.
    pub(super) fn head(&mut self, title: &str) {
        self.lay(String::new(), 2, escape(title).split(' '));
    }

    /// A name and words, broken between them.
    pub(super) fn line(&mut self, name: &str, words: &str) {
        self.lay(format!("  {name:<13} "), INDENT, escape(words).split(' '));
    }

    /// A name, something that is never broken, and words about it.
    pub(super) fn whole(&mut self, name: &str, whole: &str, about: &str) {
        let (whole, about) = (escape(whole), escape(about));
        let words = std::iter::once(whole.as_str()).chain(about.split(' ').filter(|word| !word.is_empty()));
        self.lay(format!("  {name:<13} "), INDENT, words);
    }

    /// The same, if there is anything.
    pub(super) fn maybe(&mut self, name: &str, whole: Option<&str>) {
        if let Some(whole) = whole {
            self.whole(name, whole, "");
        }
    }

    /// A row of a table, never broken.
    pub(super) fn row(&mut self, row: &str) {
        let row = format!("  {}", escape(row));
        self.end_line(&row);
    }

    /// Writes words behind a beginning, on as many lines as they need; all but the first are indented.
    fn lay<'w>(&mut self, beginning: String, indent: usize, words: impl Iterator<Item = &'w str>) {
        let (mut line, mut is_bare) = (beginning, true);
        for word in words {
            let needed = line.chars().count() + usize::from(!is_bare) + word.chars().count();
            if !is_bare && needed > self.width {
                self.end_line(&line);
                line = " ".repeat(indent);
                is_bare = true;
            }
            if !is_bare {
                line.push(' ');
            }
            line.push_str(word);
            is_bare = false;
        }
        self.end_line(&line);
    }

    fn end_line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(width: usize) -> Page {
        Page::new(Look { width, local: |time| time })
    }

    #[test]
    fn words_are_broken_at_the_width_and_what_is_whole_is_not() {
        let mut page = page(40);
        page.head("ONE: two three four five six seven eight nine");
        page.line("care", "nothing is longer than forty characters here");
        page.whole("id", "a b c d e f g h i j k l m n o p q r s t u v w x y z", "(as written)");
        let expected = "\
ONE: two three four five six seven eight
  nine
  care          nothing is longer than
                forty characters here
  id            a b c d e f g h i j k l m n o p q r s t u v w x y z
                (as written)
";
        assert_eq!(page.text(), expected);
    }

    #[test]
    fn a_line_that_fits_exactly_is_not_broken() {
        let mut page = page(44);
        page.line("name", "1234567 1234567 123456789012");
        page.line("name", "1234567 1234567 1234567890123");
        let text = page.text();
        let lengths: Vec<_> = text.lines().map(str::len).collect();
        assert_eq!(lengths, [44, 31, 29]);
    }

    #[test]
    fn foreign_text_moves_no_cursor() {
        let mut page = page(80);
        page.whole("name", "\u{1b}[2J\u{202e}", "\r\n");
        assert_eq!(page.text(), "  name          \\u{1b}[2J\\u{202e} \\u{d}\\u{a}\n");
    }
}

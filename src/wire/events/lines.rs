//! Bytes, as they come, become lines. However long a line is, no more than [`MAX_LINE`] of it is held.

/// The longest line, in bytes without its line feed. An event with every field at its longest has less than 4 KiB.
pub const MAX_LINE: usize = 64 << 10;

/// One line of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// All of it, without the line feed.
    Whole(&'a [u8]),
    /// It had more than [`MAX_LINE`] bytes, which are gone.
    TooLong,
}

/// Cuts what comes into lines.
#[derive(Debug, Default)]
pub struct Lines {
    /// The beginning of a line whose end has not come.
    begun: Vec<u8>,
    /// The line that is coming is too long already; the rest of it is passed over.
    skipping: bool,
    /// `begun` was given out as a line and is to be cleared.
    given: bool,
}

impl Lines {
    /// The next whole line of what was begun before and of `bytes`, from which it is taken. `None` when all of `bytes`
    /// is taken and no line has ended.
    pub fn next<'s, 'b: 's>(&'s mut self, bytes: &mut &'b [u8]) -> Option<Line<'s>> {
        if std::mem::take(&mut self.given) {
            self.begun.clear();
        }
        let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
            let rest = std::mem::take(bytes);
            self.keep(rest);
            return None;
        };
        let (line, rest) = bytes.split_at_checked(end)?;
        *bytes = rest.get(1..).unwrap_or_default();
        if !self.skipping && self.begun.is_empty() && line.len() <= MAX_LINE {
            return Some(Line::Whole(line));
        }
        self.keep(line);
        Some(self.end())
    }

    /// What is left when no more bytes come: a last line that has no line feed.
    pub fn finish(&mut self) -> Option<Line<'_>> {
        if std::mem::take(&mut self.given) {
            self.begun.clear();
        }
        (self.skipping || !self.begun.is_empty()).then(|| self.end())
    }

    fn end(&mut self) -> Line<'_> {
        if std::mem::take(&mut self.skipping) {
            return Line::TooLong;
        }
        self.given = true;
        Line::Whole(&self.begun)
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.skipping {
            return;
        }
        if self.begun.len().saturating_add(bytes.len()) > MAX_LINE {
            self.skipping = true;
            self.begun = Vec::new();
        } else {
            self.begun.extend_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds the bytes in pieces of this size; a line that is too long is `None`.
    fn cut(bytes: &[u8], size: usize) -> Vec<Option<Vec<u8>>> {
        let owned = |line: Line<'_>| match line {
            Line::Whole(line) => Some(line.to_vec()),
            Line::TooLong => None,
        };
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        for mut piece in bytes.chunks(size) {
            while let Some(line) = lines.next(&mut piece) {
                found.push(owned(line));
            }
            assert!(lines.begun.len() <= MAX_LINE);
        }
        found.extend(lines.finish().map(owned));
        found
    }

    #[test]
    fn lines_are_the_same_however_the_bytes_come() {
        let long = "x".repeat(MAX_LINE);
        let text = format!("a\n\n{long}\n{long}y\nb\r\nlast");
        let expected: Vec<Option<Vec<u8>>> =
            [Some("a"), Some(""), Some(long.as_str()), None, Some("b\r"), Some("last")]
                .map(|line| line.map(|line| line.as_bytes().to_vec()))
                .into();
        for size in [1, 2, 3, 1000, MAX_LINE, text.len()] {
            assert_eq!(cut(text.as_bytes(), size), expected, "in pieces of {size}");
        }
    }

    #[test]
    fn a_line_feed_at_the_end_begins_no_line_and_a_long_rest_is_one() {
        assert_eq!(cut(b"a\n", 1), [Some(b"a".to_vec())]);
        assert_eq!(cut(b"", 1), []);
        assert_eq!(cut(&vec![b'x'; MAX_LINE + 1], 4096), [None]);
    }
}

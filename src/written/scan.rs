//! Reading a text from left to right, and showing what stopped it.

/// Of a text from outside, so many characters are repeated in an error.
const SHOWN: usize = 64;

/// The part of a text that was not read yet.
#[derive(Clone, Copy)]
pub(super) struct Scan<'t>(&'t str);

impl<'t> Scan<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self(text)
    }

    /// What was not read yet.
    pub(super) const fn rest(self) -> &'t str {
        self.0
    }

    /// Takes ASCII digits, perhaps none. Digits of other scripts are not taken for numbers.
    pub(super) fn digits(&mut self) -> &'t str {
        self.take_while(|c| c.is_ascii_digit())
    }

    /// Takes letters, perhaps none.
    pub(super) fn letters(&mut self) -> &'t str {
        self.take_while(char::is_alphabetic)
    }

    /// Takes blanks of any kind: programs print a narrow one before AM and PM. Was there one?
    pub(super) fn blanks(&mut self) -> bool {
        !self.take_while(char::is_whitespace).is_empty()
    }

    /// Takes one of these characters.
    pub(super) fn one_of(&mut self, wanted: &[char]) -> Option<char> {
        let first = self.0.chars().next().filter(|c| wanted.contains(c))?;
        self.0 = self.0.get(first.len_utf8()..)?;
        Some(first)
    }

    /// Takes this text, in upper or lower case.
    pub(super) fn word(&mut self, word: &str) -> bool {
        match self.0.split_at_checked(word.len()) {
            Some((head, rest)) if head.eq_ignore_ascii_case(word) => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// Does a digit come next?
    pub(super) fn at_digit(self) -> bool {
        self.0.starts_with(|c: char| c.is_ascii_digit())
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let end = self.0.find(|c| !belongs(c)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at_checked(end).unwrap_or((self.0, ""));
        self.0 = rest;
        taken
    }
}

/// The beginning of a text from outside, harmless on a terminal.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::new();
    let mut left = text.trim().chars();
    for c in left.by_ref().take(SHOWN) {
        if c == ' ' || c.is_ascii_graphic() || c.is_alphanumeric() {
            shown.push(c);
        } else {
            shown.extend(c.escape_unicode());
        }
    }
    if left.next().is_some() {
        shown.push_str("...");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_short_and_moves_no_cursor() {
        assert_eq!(shown(" Märch\u{1b}[2J "), "Märch\\u{1b}[2J");
        assert_eq!(shown(&"x".repeat(65)), format!("{}...", "x".repeat(64)));
    }

    #[test]
    fn a_scan_takes_what_it_was_asked_for_and_no_more() {
        let mut scan = Scan::new("21 Nov\u{202f}pm٣");
        assert_eq!((scan.digits(), scan.blanks(), scan.letters()), ("21", true, "Nov"));
        assert!(scan.blanks() && !scan.at_digit() && !scan.word("am") && scan.word("PM"));
        assert_eq!((scan.digits(), scan.one_of(&['x']), scan.rest()), ("", None, "٣"));
    }
}

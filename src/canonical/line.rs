//! Entries are lines of a name, a space and a value; a value is words with one space between them.

use super::word::Word;

/// Why bytes are no entry of a ledger. Lines are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// They are more than an entry may have.
    #[error("{0} bytes are more than an entry may have")]
    TooLong(usize),
    /// They are not text.
    #[error("the bytes are not UTF-8")]
    NotText,
    /// The last line has no end.
    #[error("the last line does not end")]
    Unended,
    /// A line is not the one that belongs there; also where the text ends before it.
    #[error("line {line}: expected `{expected}`")]
    Name {
        /// Where.
        line: usize,
        /// The name that belongs there.
        expected: &'static str,
    },
    /// A line ends before a word that belongs there.
    #[error("line {line} ends where {expected} belongs")]
    Missing {
        /// Where.
        line: usize,
        /// What belongs there.
        expected: &'static str,
    },
    /// A word is not what belongs there, or not as it is written here.
    #[error("line {line}: expected {expected}")]
    Word {
        /// Where.
        line: usize,
        /// What belongs there.
        expected: &'static str,
    },
    /// Words follow the last one that belongs there.
    #[error("line {line} goes on after its end")]
    MoreWords {
        /// Where.
        line: usize,
    },
    /// Lines follow the last one.
    #[error("line {line} follows the last one")]
    MoreLines {
        /// Where.
        line: usize,
    },
    /// A value is not what follows from the rest: a bound, a maximum, an end that comes before its beginning.
    #[error("{0} is not what follows from the rest of the entry")]
    Derived(&'static str),
    /// The same could be said in other bytes, and is.
    #[error("the entry is not in its canonical form")]
    NotCanonical,
}

/// The lines that have not been read yet.
pub(crate) struct Lines<'a> {
    left: std::iter::Peekable<std::str::Split<'a, char>>,
    line: usize,
}

impl<'a> Lines<'a> {
    /// The lines of a text, each of which must be ended.
    pub(crate) fn of(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let text = std::str::from_utf8(bytes).map_err(|_| ParseError::NotText)?;
        let text = text.strip_suffix('\n').ok_or(ParseError::Unended)?;
        Ok(Self { left: text.split('\n').peekable(), line: 1 })
    }

    /// The next line, which must have this name. `read` must take all of its words.
    pub(crate) fn read<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Words<'a>) -> Result<T, ParseError>,
    ) -> Result<T, ParseError> {
        let missing = ParseError::Name { line: self.line, expected: name };
        self.read_if(name, read)?.ok_or(missing)
    }

    /// The same, if the next line has this name.
    pub(crate) fn read_if<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Words<'a>) -> Result<T, ParseError>,
    ) -> Result<Option<T>, ParseError> {
        let value = self.left.peek().and_then(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let Some(value) = value else { return Ok(None) };
        let mut words = Words { left: Some(value), line: self.line };
        self.left.next();
        self.line = self.line.saturating_add(1);
        let value = read(&mut words)?;
        words.end()?;
        Ok(Some(value))
    }

    /// All lines of this name that come next.
    pub(crate) fn read_each<T>(
        &mut self,
        name: &'static str,
        mut read: impl FnMut(&mut Words<'a>) -> Result<T, ParseError>,
    ) -> Result<Vec<T>, ParseError> {
        let mut all = Vec::new();
        while let Some(value) = self.read_if(name, &mut read)? {
            all.push(value);
        }
        Ok(all)
    }

    /// A line whose value is one word.
    pub(crate) fn one<T: Word>(&mut self, name: &'static str, expected: &'static str) -> Result<T, ParseError> {
        self.read(name, |words| words.next(expected))
    }

    /// The same, if the next line has this name.
    pub(crate) fn one_if<T: Word>(
        &mut self,
        name: &'static str,
        expected: &'static str,
    ) -> Result<Option<T>, ParseError> {
        self.read_if(name, |words| words.next(expected))
    }

    /// Nothing may be left.
    pub(crate) fn end(mut self) -> Result<(), ParseError> {
        self.left.peek().map_or(Ok(()), |_| Err(ParseError::MoreLines { line: self.line }))
    }
}

/// The words of a value that have not been read yet.
pub(crate) struct Words<'a> {
    left: Option<&'a str>,
    line: usize,
}

impl<'a> Words<'a> {
    /// The words of a text that is no line of an entry.
    pub(crate) const fn of(text: &'a str) -> Self {
        Self { left: Some(text), line: 1 }
    }

    /// The next word as it stands.
    pub(crate) fn text(&mut self, expected: &'static str) -> Result<&'a str, ParseError> {
        let left = self.left.ok_or(ParseError::Missing { line: self.line, expected })?;
        let (word, rest) = left.split_once(' ').map_or((left, None), |(word, rest)| (word, Some(rest)));
        self.left = rest;
        Ok(word)
    }

    /// The next word as a value.
    pub(crate) fn next<T: Word>(&mut self, expected: &'static str) -> Result<T, ParseError> {
        let word = self.text(expected)?;
        T::read(word).ok_or_else(|| self.wrong(expected))
    }

    /// The value that follows this label.
    pub(crate) fn labelled<T: Word>(&mut self, label: &'static str) -> Result<T, ParseError> {
        if self.text(label)? != label {
            return Err(self.wrong(label));
        }
        self.next(label)
    }

    /// Is nothing left?
    pub(crate) const fn is_empty(&self) -> bool {
        self.left.is_none()
    }

    /// All that is left.
    pub(crate) fn rest(&mut self, expected: &'static str) -> Result<&'a str, ParseError> {
        self.left.take().ok_or(ParseError::Missing { line: self.line, expected })
    }

    /// Nothing may be left.
    pub(crate) const fn end(&self) -> Result<(), ParseError> {
        match self.left {
            None => Ok(()),
            Some(_) => Err(ParseError::MoreWords { line: self.line }),
        }
    }

    /// The error of a word that is not what belongs there.
    pub(crate) const fn wrong(&self, expected: &'static str) -> ParseError {
        ParseError::Word { line: self.line, expected }
    }
}

//! Text of which each meaning has one form only: what entries of the ledgers are written in.
//!
//! An entry is lines of a name, a space and a value, each ended by a newline; a value is words with one space between them. A
//! reader takes what the writer writes, and nothing else: so a digest over the bytes is one over the meaning. Knows no entry.

mod line;
mod word;

pub use line::ParseError;
pub(crate) use line::{Lines, Words};
pub use word::Line;
pub(crate) use word::{Word, named};

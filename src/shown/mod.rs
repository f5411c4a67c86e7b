//! What daemon and client both write for people: foreign text made harmless, cells of a spreadsheet, an answer as a row, and the words
//! that go with an answer.
//!
//! All of it is pure. Who sees what has been decided before: nothing here withholds anything.

pub mod answer;
pub mod cells;
pub mod escape;
pub mod html;
pub mod words;

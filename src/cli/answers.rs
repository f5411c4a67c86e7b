//! Answers of lookups in every form: a sheet of evidence, JSON, and rows of a table. docs/answers.md says what is in each.

use clap::ValueEnum;

use crate::api::LookupAnswer;
pub use crate::shown::answer::COLUMNS;
use crate::shown::{answer, cells};

use super::page::Look;
use super::render_lookup;

/// How answers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: a sheet of evidence.
    #[value(alias = "table")]
    Text,
    /// For programs: the answer of the API.
    Json,
    /// The same, a line for each answer.
    Jsonl,
    /// For spreadsheets: a header, and a row for each answer.
    Csv,
}

/// What comes before the first answer.
pub fn header(format: Format) -> String {
    match format {
        Format::Csv => cells::row(COLUMNS),
        Format::Text | Format::Json | Format::Jsonl => String::new(),
    }
}

/// One answer, whatever comes before and after it; ends with a line break.
///
/// # Errors
///
/// If it cannot be written as JSON.
pub fn render(of: &LookupAnswer, format: Format, look: Look) -> Result<String, serde_json::Error> {
    match format {
        Format::Text => Ok(render_lookup::sheet(of, look)),
        Format::Json | Format::Jsonl => serde_json::to_string(of).map(|json| json + "\n"),
        Format::Csv => Ok(cells::row(answer::row(of))),
    }
}

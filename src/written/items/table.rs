//! The lines of a CSV (RFC 4180) with their fields, each line by itself.
//!
//! No field of a list of items has a line break in it. A quotation mark that was forgotten therefore spoils its own
//! line and does not swallow those below it.

use super::super::scan::shown;
use super::{Column, Fault, Problem};

/// What may separate fields.
const SEPARATORS: [char; 3] = [',', ';', '\t'];

/// The columns of a file, in its order, and what separates them.
pub(super) struct Header {
    separator: u8,
    columns: Vec<Column>,
}

/// The fields of one line.
pub(super) struct Row(Vec<(Column, String)>);

impl Row {
    /// A row of these fields.
    pub(super) fn of(fields: &[(Column, String)]) -> Self {
        Self(fields.to_vec())
    }

    /// A field without the blanks around it; `None` if it is empty or the file has no such column.
    pub(super) fn field(&self, column: Column) -> Option<&str> {
        let (_, text) = self.0.iter().find(|(of, _)| *of == column)?;
        Some(text.trim()).filter(|text| !text.is_empty())
    }

    /// Is there nothing in it? Spreadsheets leave such lines behind.
    pub(super) fn is_blank(&self) -> bool {
        Column::ALL.iter().all(|column| self.field(*column).is_none())
    }
}

impl Header {
    /// Reads the header, which is line `line`.
    pub(super) fn read(text: &str, line: usize) -> Result<Self, Vec<Fault>> {
        let fault = |column, problem| Fault { line: Some(line), column, problem };
        let mut found = SEPARATORS.iter().filter(|separator| text.contains(**separator));
        let separator = found.next().copied().unwrap_or(',');
        if found.next().is_some() {
            return Err(vec![fault(None, Problem::Separators)]);
        }
        let separator = u8::try_from(separator).unwrap_or(b',');
        let Some(names) = fields(text, separator) else { return Err(vec![fault(None, Problem::Quotes)]) };
        let (mut columns, mut faults) = (Vec::new(), Vec::new());
        for name in &names {
            let name = name.trim();
            match Column::ALL.into_iter().find(|column| column.name().eq_ignore_ascii_case(name)) {
                Some(column) if columns.contains(&column) => faults.push(fault(Some(column), Problem::ColumnTwice)),
                Some(column) => columns.push(column),
                None => faults.push(fault(None, Problem::UnknownColumn { name: shown(name) })),
            }
        }
        let missing = Column::NEEDED.into_iter().filter(|column| !columns.contains(column));
        faults.extend(missing.map(|column| fault(Some(column), Problem::ColumnMissing)));
        if faults.is_empty() { Ok(Self { separator, columns }) } else { Err(faults) }
    }

    /// Reads a line below the header.
    pub(super) fn row(&self, text: &str) -> Result<Row, Problem> {
        let fields = fields(text, self.separator).ok_or(Problem::Quotes)?;
        let (found, expected) = (fields.len(), self.columns.len());
        if found != expected && fields.iter().any(|field| !field.trim().is_empty()) {
            return Err(Problem::FieldCount { found, expected });
        }
        Ok(Row(self.columns.iter().copied().zip(fields).collect()))
    }
}

/// The fields of a line; `None` if a quotation mark is missing.
fn fields(line: &str, separator: u8) -> Option<Vec<String>> {
    let marks = line.bytes().filter(|byte| *byte == b'"').count();
    if marks.checked_rem(2) != Some(0) {
        return None;
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .buffer_capacity(line.len().max(1))
        .from_reader(line.as_bytes());
    let mut record = csv::StringRecord::new();
    match reader.read_record(&mut record) {
        Ok(true) => Some(record.iter().map(str::to_owned).collect()),
        Ok(false) => Some(Vec::new()),
        Err(_) => None,
    }
}

//! CSV (RFC 4180) that opens harmlessly in a spreadsheet.

use super::escape::escape;

/// A spreadsheet takes a cell that begins so for a formula, which may call other programs or send data away.
const FORMULAS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// One row, its line break included. Cells are quoted where they must be.
pub fn row<S: AsRef<str>>(cells: impl IntoIterator<Item = S>) -> String {
    let quoted: Vec<String> = cells.into_iter().map(|cell| quote(&harmless(cell.as_ref()))).collect();
    quoted.join(",") + "\r\n"
}

/// A text that is no formula, moves no cursor and reads forwards. An apostrophe before it makes a spreadsheet take it for
/// text.
fn harmless(text: &str) -> String {
    let apostrophe = if text.starts_with(FORMULAS) { "'" } else { "" };
    format!("{apostrophe}{}", escape(text))
}

fn quote(cell: &str) -> String {
    // Line breaks have been escaped. A semicolon separates in the spreadsheets of half the world.
    if cell.contains(['"', ',', ';']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_calculate_gets_an_apostrophe() {
        let cells = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "1-1", ""];
        assert_eq!(row(cells), "'=1+1,'+1,'-1,'@SUM(A1),'\\u{9}x,'\\u{d}x,1-1,\r\n");
    }

    #[test]
    fn separators_and_quotation_marks_are_quoted_and_what_is_unseen_is_shown() {
        assert_eq!(
            row(["a,b", "a;b", "a\"b", "a\nb", "a\u{202e}b"]),
            "\"a,b\",\"a;b\",\"a\"\"b\",a\\u{a}b,a\\u{202e}b\r\n"
        );
    }

    #[test]
    fn a_csv_reader_reads_every_cell_back() {
        let cells = ["=a,\"b\"", "x;y", "plain", "'"];
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(std::io::Cursor::new(row(cells)));
        let read: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(read, [csv::StringRecord::from(vec!["'=a,\"b\"", "x;y", "plain", "'"])]);
    }
}

//! Tables whose columns have names, which scroll where the page is narrow.

use crate::shown::html::plain;

/// A table: its caption, its columns, and its rows, of which each cell is harmless already.
pub(super) struct Table {
    caption: String,
    columns: Vec<&'static str>,
    rows: String,
}

impl Table {
    /// A table without rows. The texts are as they are read.
    pub(super) fn new(caption: &str, columns: &[&'static str]) -> Self {
        Self { caption: plain(caption), columns: columns.to_vec(), rows: String::new() }
    }

    /// A row; its first cell is its name. The texts are as they are read.
    pub(super) fn row(&mut self, class: &str, cells: &[String]) {
        self.rows.push_str(&format!("<tr class=\"{class}\">"));
        for (place, cell) in cells.iter().enumerate() {
            let text = plain(cell);
            self.rows.push_str(&if place == 0 {
                format!("<th scope=\"row\">{text}</th>")
            } else {
                format!("<td>{text}</td>")
            });
        }
        self.rows.push_str("</tr>\n");
    }

    /// A row that says what is not listed here.
    pub(super) fn skip(&mut self, text: &str) {
        let (columns, text) = (self.columns.len(), plain(text));
        self.rows.push_str(&format!("<tr class=\"skipped\"><td colspan=\"{columns}\">{text}</td></tr>\n"));
    }

    /// The table, in a frame that scrolls.
    pub(super) fn html(self, class: &str) -> String {
        let Self { caption, columns, rows } = self;
        let head: String = columns.iter().map(|name| format!("<th scope=\"col\">{}</th>", plain(name))).collect();
        format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\"><table class=\"{class}\"><caption>{caption}</caption>\n\
             <thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
        )
    }
}

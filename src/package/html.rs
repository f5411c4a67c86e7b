//! Tables of names and values on a page.

use crate::shown::html::plain;

/// Rows of names and values.
#[derive(Default)]
pub(super) struct Rows(String);

impl Rows {
    /// A value in a direction of its own, so that a name in another script reorders nothing around it.
    pub(super) fn row(&mut self, name: &str, value: &str) {
        let (name, value) = (plain(name), plain(value));
        self.0.push_str(&format!("<tr><th scope=\"row\">{name}</th><td><bdi>{value}</bdi></td></tr>\n"));
    }

    pub(super) fn maybe(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.row(name, value);
        }
    }

    /// The table.
    pub(super) fn table(self) -> String {
        format!("<table>\n{}</table>\n", self.0)
    }
}

//! HTML in which every text is harmless: no mark-up, no control character, nothing that turns or hides what stands beside it.

use crate::shown::escape::escape;

/// A text from elsewhere, or of our own: it is written as it is read.
pub(super) fn plain(text: &str) -> String {
    escape(text).chars().fold(String::with_capacity(text.len()), |mut html, c| {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
        html
    })
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_mark_up_and_none_is_unseen() {
        assert_eq!(plain("<script>alert('1')</script>"), "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;");
        assert_eq!(plain("a\u{202e}b\u{0}\"&amp;"), "a\\u{202e}b\\u{0}&quot;&amp;amp;");
    }
}

//! HTML in which every text is harmless: no mark-up, no control character, nothing that turns or hides what stands beside it.

use super::escape::escape;

/// A text from elsewhere, or of our own: it is written as it is read.
pub fn plain(text: &str) -> String {
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

/// The begin of a page, up to its body. It may load nothing, and run nothing; `title` is escaped, `style` is our own.
pub fn head(title: &str, style: &str) -> String {
    format!(
        "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\"/>
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>
<meta name=\"referrer\" content=\"no-referrer\"/>
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>
<title>{}</title>
<style>
{style}</style>
</head>
<body>
",
        plain(title)
    )
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

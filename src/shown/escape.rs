//! Text from the network on its way to a terminal, a spreadsheet or a page.

/// Shows control characters and those that reorder text as their code points, so that a subscriber's name can neither
/// move the cursor nor read backwards.
pub fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
        if c.is_control() || reorders(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
        shown
    })
}

/// Directional formatting characters (UAX #9, section 2), and those that are not seen at all.
const fn reorders(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_the_cursor_or_turns_the_text_is_shown_as_its_number() {
        assert_eq!(escape("user017@example.net"), "user017@example.net");
        assert_eq!(escape("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(escape("a\u{202e}b"), "a\\u{202e}b");
    }
}

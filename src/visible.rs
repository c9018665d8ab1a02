//! Text that shows all that is in it, for lines to a terminal and for pages.

use std::borrow::Cow;

/// Escapes the characters that could forge a line, steer a terminal, or change the order in which a line
/// is read; all others stay. Names of columns, keys and files may have any of them.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_hidden(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Says whether a character shows nothing of itself: a control character (C0, DEL, C1), a mark of the
/// direction of text, a divider of lines or paragraphs, or one without a width.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn visible_escapes_what_steers_a_terminal_and_nothing_else() {
        for (text, shown) in [
            ("µ σ 染色体 😀 ~", "µ σ 染色体 😀 ~"),
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\u{1b}[31mred\u{7f}", "\\u{1b}[31mred\\u{7f}"),
            ("\u{9b}2J\u{85}", "\\u{9b}2J\\u{85}"),
            ("x\u{202e}vsc.\u{2066}", "x\\u{202e}vsc.\\u{2066}"),
            ("one\u{2028}two\u{2029}", "one\\u{2028}two\\u{2029}"),
            ("\u{feff}pos\u{200b}", "\\u{feff}pos\\u{200b}"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }
}

//! Text from anywhere, made safe to stand in a page.

use std::fmt::Write;

use crate::visible::is_hidden;

/// The most characters of one text that a page has; the rest is cut off, and an ellipsis says so.
pub(super) const LONGEST: usize = 200;

/// Text as HTML shows it, in an element or in a quoted attribute. Characters that cannot be seen, or
/// that turn the direction of others round, are written as their numbers.
pub(super) fn text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            '\n' => safe.push('\n'),
            c if is_hidden(c) => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    safe
}

/// JSON that can stand in a script element: no text in it ends the element or opens a comment.
pub(super) fn json(json: &str) -> String {
    // Within JSON, all of these stand in strings alone.
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '<' || is_hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Text cut to what a page has of one.
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::{json, short, text};

    #[test]
    fn text_of_markup_stays_text() {
        let hostile = "</script><img src=x onerror='alert(1)'>&\"<!--";
        let safe = text(hostile);
        assert!(!safe.contains(['<', '>', '"', '\'']), "{safe}");
        assert_eq!(
            safe,
            "&lt;/script&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;&quot;&lt;!--"
        );
    }

    #[test]
    fn text_of_controls_and_bidi_marks_shows_their_numbers() {
        assert_eq!(
            text("a\u{202e}b\u{0}c\u{1b}[1m\nd\u{61c}\u{e0041}"),
            "a\\u{202e}b\\u{0}c\\u{1b}[1m\nd\\u{61c}\\u{e0041}"
        );
    }

    #[test]
    fn json_keeps_its_meaning_and_ends_no_script() {
        let value = serde_json::json!({"<!--": "</script>", "$'": "a < b\u{202e}\u{7}\u{e0001}😀"});
        let safe = json(&value.to_string());
        assert!(!safe.contains(['<', '\u{202e}', '\u{e0001}']));
        let back: serde_json::Value = serde_json::from_str(&safe).expect("JSON");
        assert_eq!(back, value);
    }

    #[test]
    fn hidden_characters_are_those_of_the_script() {
        let hidden: Vec<u32> = (0..=0x0010_ffff)
            .filter(|&number| char::from_u32(number).is_some_and(crate::visible::is_hidden))
            .collect();
        let ranges = hidden.chunk_by(|a, b| a + 1 == *b);
        let class: String = ranges
            .map(|range| match range {
                [one] => format!("\\u{{{one:x}}}"),
                range => format!("\\u{{{:x}}}-\\u{{{:x}}}", range[0], range[range.len() - 1]),
            })
            .collect();
        assert!(
            super::super::SCRIPT.contains(&format!("/[{class}]/gu")),
            "{class}"
        );
    }

    #[test]
    fn short_cuts_between_characters() {
        assert_eq!(short("é"), "é");
        let long = "é".repeat(10_000);
        assert_eq!(short(&long).chars().count(), super::LONGEST + 1);
    }
}

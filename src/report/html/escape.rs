//! Text from anywhere, made safe to stand in a page.

use std::fmt::Write;

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
            c if is_unseen(c) => {
                // Writing to a string does not fail.
                let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
            }
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
        if c == '<' || is_unseen(c) {
            // Writing to a string does not fail.
            let _ = write!(safe, "\\u{:04x}", u32::from(c));
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

/// Says whether a character is a control, or steers the direction of text.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
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
            text("a\u{202e}b\u{0}c\u{1b}[1m\nd"),
            "a\\u{202e}b\\u{0}c\\u{1b}[1m\nd"
        );
    }

    #[test]
    fn json_keeps_its_meaning_and_ends_no_script() {
        let value = serde_json::json!({"<!--": "</script>", "$'": "a < b\u{202e}\u{7}"});
        let safe = json(&value.to_string());
        assert!(!safe.contains(['<', '\u{202e}']));
        let back: serde_json::Value = serde_json::from_str(&safe).expect("JSON");
        assert_eq!(back, value);
    }

    #[test]
    fn short_cuts_between_characters() {
        assert_eq!(short("é"), "é");
        let long = "é".repeat(10_000);
        assert_eq!(short(&long).chars().count(), super::LONGEST + 1);
    }
}

//! Text from elsewhere, made harmless: a terminal obeys what it is shown.

use std::borrow::Cow;
use std::fmt::Write;

/// The text with every control character spelled out, except line breaks and tabs.
///
/// An assistant repeats what customers write, so any of them could otherwise
/// clear the operator's screen, rename the window or fake the next line.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    escape(text, |c| is_unsafe(c) && c != '\n' && c != '\t')
}

/// The same for one line: line breaks and tabs are spelled out too.
pub(crate) fn visible_line(text: &str) -> Cow<'_, str> {
    escape(text, is_unsafe)
}

fn escape(text: &str, escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&escaped) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            _ if !escaped(c) => out.push(c),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if u32::from(c) < 0x100 => _ = write!(out, "\\x{:02x}", u32::from(c)),
            c => _ = write!(out, "\\u{{{:x}}}", u32::from(c)),
        }
    }
    Cow::Owned(out)
}

/// C0, DEL and C1 controls, line and paragraph separators, and the characters
/// that reorder the line they stand in.
pub(crate) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}'
            | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::{visible, visible_line};

    #[test]
    fn ordinary_text_is_left_alone() {
        for text in ["", "Grüße, 你好 👩‍👩‍👧", "two\nlines\tand a tab"] {
            assert_eq!(visible(text), text);
        }
    }

    #[test]
    fn escape_sequences_are_spelled_out() {
        assert_eq!(visible("\x1b[2J\x07"), "\\x1b[2J\\x07");
        assert_eq!(visible("a\rb\u{9b}31m\u{7f}"), "a\\rb\\x9b31m\\x7f");
        assert_eq!(visible("\u{202e}cod.exe"), "\\u{202e}cod.exe");
    }

    #[test]
    fn a_line_stays_one_line() {
        assert_eq!(visible_line("a\nb\tc\u{2028}d"), "a\\nb\\tc\\u{2028}d");
    }
}

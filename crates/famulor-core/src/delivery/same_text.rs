//! When a text in a history is the one that was sent.

/// A text without what the backend takes off both ends of whatever it is sent: spaces of every kind, and the invisible
/// characters that Laravel's `TrimStrings` counts among them (zero width space, left-to-right mark, byte order mark).
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '\u{200B}' | '\u{200E}' | '\u{FEFF}')
    })
}

pub(super) fn is_same(one: &str, other: &str) -> bool {
    trimmed(one) == trimmed(other)
}

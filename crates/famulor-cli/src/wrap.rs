//! Lines that break between words, where a terminal would break them anywhere.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr;

/// Breaks the lines of a text between words, so that none is wider than `width`; what follows a break begins with
/// `indent`. `taken` columns of the first line are in use. A word that is too wide for a line stays whole.
pub(crate) fn wrapped<'a>(
    text: &'a str,
    width: Option<usize>,
    taken: usize,
    indent: &str,
) -> Cow<'a, str> {
    let Some(width) = width else {
        return Cow::Borrowed(text);
    };
    let mut out = String::with_capacity(text.len() + 16);
    let mut column = taken;
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
            column = 0;
        }
        for (index, word) in line.split(' ').enumerate() {
            let wide = word.width();
            if index > 0 {
                if column + 1 + wide > width && column > indent.width() {
                    out.push('\n');
                    out.push_str(indent);
                    column = indent.width();
                } else {
                    out.push(' ');
                    column += 1;
                }
            }
            out.push_str(word);
            column += wide;
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(
            wrapped("one two three", Some(8), 0, "  "),
            "one two\n  three"
        );
        assert_eq!(wrapped("one two", Some(8), 4, ""), "one\ntwo");
        assert_eq!(wrapped("a\nb c", Some(80), 0, "  "), "a\nb c");
        assert_eq!(wrapped("你好 你好", Some(6), 0, ""), "你好\n你好");
    }

    #[test]
    fn a_long_word_stays_whole_and_off_a_terminal_nothing_breaks() {
        assert_eq!(
            wrapped("https://example.com/x", Some(8), 0, "  "),
            "https://example.com/x"
        );
        let text = "a ".repeat(200);
        assert_eq!(wrapped(&text, None, 0, "  "), text);
    }
}

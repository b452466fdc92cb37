//! Path parameters.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but RFC 3986's unreserved characters. The generator's own set leaves `\` alone, which a URL of http reads as
/// `/`: an id could then name another route.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A path parameter as one segment of a path. `.` and `..` have no spelling as a segment (`%2e` is a dot to a URL), and
/// nothing between two slashes is another route: these are refused.
///
/// For `famulor-httpmock`, whose mocks have to match what this crate sends.
pub fn path_segment(value: &str) -> Result<String, String> {
    match value {
        "" | "." | ".." => Err("an id in the path must not be empty, `.` or `..`".to_owned()),
        value => Ok(utf8_percent_encode(value, ENCODED).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::path_segment;

    #[test]
    fn whatever_an_id_holds_it_is_one_segment() {
        for (id, segment) in [
            (
                "f3wqsa-asd23-grt4-ggg34-derf4",
                "f3wqsa-asd23-grt4-ggg34-derf4",
            ),
            ("../user/me", "..%2Fuser%2Fme"),
            ("..\\user\\me", "..%5Cuser%5Cme"),
            ("%2e%2e", "%252e%252e"),
            ("a?b#c d", "a%3Fb%23c%20d"),
            ("ä\n", "%C3%A4%0A"),
        ] {
            assert_eq!(path_segment(id).as_deref(), Ok(segment));
        }
    }

    #[test]
    fn what_cannot_be_a_segment_is_refused() {
        for id in ["", ".", ".."] {
            assert!(path_segment(id).is_err(), "{id:?}");
        }
    }
}

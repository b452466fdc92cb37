//! Durations as a person writes and reads them: `90s`, `2m`, `1m 30s`, `500ms`.

use std::time::Duration;

/// Reads `90s`, `2m`, `1m 30s`, `500ms`; a bare number is seconds.
///
/// The same forms as the library reads from the environment.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    text.parse::<u64>()
        .map(Duration::from_secs)
        .or_else(|_| humantime::parse_duration(text))
        .map_err(|_| "not a duration; write one like 90s, 2m or 500ms".to_owned())
}

/// A length of time that must not be zero, such as a timeout.
pub(crate) fn parse_positive(text: &str) -> Result<Duration, String> {
    match parse(text)? {
        Duration::ZERO => Err("it must be longer than that".to_owned()),
        duration => Ok(duration),
    }
}

/// `1m 30s`, `34s`, `0.4s`: as exact as a person who waits cares for.
pub(crate) fn rough(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 9.95 {
        return format!("{seconds:.1}s");
    }
    humantime::format_duration(Duration::from_secs(seconds.round() as u64)).to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{parse, parse_positive, rough};

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, millis) in [
            ("90s", 90_000),
            ("2m", 120_000),
            ("1m30s", 90_000),
            ("1m 30s", 90_000),
            ("500ms", 500),
            ("60", 60_000),
            ("0", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "soon",
            "-5s",
            "-1",
            "5 parsecs",
            "inf",
            "NaN",
            "1e300",
            "99999999999999999999s",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse_positive("0s").is_err());
    }

    #[test]
    fn waits_are_shown_roughly() {
        assert_eq!(rough(Duration::from_millis(420)), "0.4s");
        assert_eq!(rough(Duration::from_millis(33_600)), "34s");
        assert_eq!(rough(Duration::from_secs(90)), "1m 30s");
    }
}

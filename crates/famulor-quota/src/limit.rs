//! What a server allows: so many requests in a window of time.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::time::Duration;

/// So many requests in any window of a given length, for a given scope.
///
/// ```
/// # use std::time::Duration;
/// # use famulor_quota::Limit;
/// let replies = Limit::new(5, Duration::from_secs(60), "generate-reply");
/// assert_eq!(replies.to_string(), "5/60s");
/// assert_eq!(replies.scope(), "generate-reply");
/// ```
///
/// The *scope* names what the server counts together. Two limits with the same
/// scope and the same window are the same limit to the ledger, even when their
/// `requests` differ: raising a limit at run time does not forget what was sent.
#[derive(Clone, Debug)]
pub struct Limit {
    requests: u32,
    window: Duration,
    scope: Cow<'static, str>,
    id: u64,
}

impl Limit {
    /// A limit of `requests` in any `window`, counted over `scope`.
    ///
    /// # Panics
    ///
    /// When `requests` or `window` is zero: nothing could ever be sent.
    /// [`Limit::from_str`] reports the same as an error.
    #[must_use]
    pub fn new(requests: u32, window: Duration, scope: impl Into<Cow<'static, str>>) -> Self {
        assert!(requests > 0, "a limit must allow at least one request");
        assert!(!window.is_zero(), "a limit's window must not be zero");
        let scope = scope.into();
        let id = stable_id(&scope, window);
        Self {
            requests,
            window,
            scope,
            id,
        }
    }

    /// The same limit for another scope; a parsed limit has the scope `"all"`.
    ///
    /// ```
    /// # use famulor_quota::Limit;
    /// let limit = "20/10s".parse::<Limit>()?.with_scope("search");
    /// assert_eq!(limit.scope(), "search");
    /// # Ok::<(), famulor_quota::ParseLimitError>(())
    /// ```
    #[must_use]
    pub fn with_scope(self, scope: impl Into<Cow<'static, str>>) -> Self {
        Self::new(self.requests, self.window, scope)
    }

    /// How many requests the window may hold.
    #[must_use]
    pub fn requests(&self) -> u32 {
        self.requests
    }

    /// The length of the window.
    #[must_use]
    pub fn window(&self) -> Duration {
        self.window
    }

    /// What is counted together.
    #[must_use]
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// Names scope and window across programs: stores may keep it.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }
}

impl PartialEq for Limit {
    fn eq(&self, other: &Self) -> bool {
        self.requests == other.requests && self.window == other.window && self.scope == other.scope
    }
}

impl Eq for Limit {}

impl Hash for Limit {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
        self.requests.hash(state);
    }
}

/// Requests and window, as in `5/60s`; windows below a second as `5/250ms`.
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.window.subsec_nanos() == 0 {
            write!(f, "{}/{}s", self.requests, self.window.as_secs())
        } else {
            write!(f, "{}/{}ms", self.requests, self.window.as_millis())
        }
    }
}

/// Reads `5/60s`, `100/1m`, `1000/1h`, `3/250ms`; a bare number of seconds is
/// accepted too (`5/60`). The scope is `"all"`, see [`Limit::with_scope`].
impl FromStr for Limit {
    type Err = ParseLimitError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |what| ParseLimitError {
            text: text.to_owned(),
            what,
        };
        let (requests, window) = text
            .trim()
            .split_once('/')
            .ok_or_else(|| wrong("there is no '/' in it"))?;
        let requests: u32 = requests
            .trim()
            .parse()
            .map_err(|_| wrong("the part before '/' is not a whole number of requests"))?;
        let window = window.trim();
        let digits = window
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(window.len());
        let (count, unit) = window.split_at(digits);
        let count: u64 = count
            .parse()
            .map_err(|_| wrong("the part after '/' does not start with a number"))?;
        let millis = match unit.trim() {
            "ms" => Some(count),
            "s" | "" => count.checked_mul(1000),
            "m" | "min" => count.checked_mul(60_000),
            "h" => count.checked_mul(3_600_000),
            _ => return Err(wrong("its unit is none of ms, s, m, h")),
        };
        let millis = millis.ok_or_else(|| wrong("its window is too long"))?;
        if requests == 0 || millis == 0 {
            return Err(wrong("it would never let anything through"));
        }
        Ok(Self::new(requests, Duration::from_millis(millis), "all"))
    }
}

/// A text that is not a limit; says what is wrong with it and what one looks like.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a limit: {what} (write requests/window, as in 5/60s or 100/1m)")]
pub struct ParseLimitError {
    text: String,
    what: &'static str,
}

/// FNV-1a: written out because the value may be kept by stores that several
/// programs share, so it must never change with a toolchain.
fn stable_id(scope: &str, window: Duration) -> u64 {
    let micros = u64::try_from(window.as_micros()).unwrap_or(u64::MAX);
    let bytes = scope.bytes().chain(micros.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for text in ["5/60s", "100/60s", "20/10s", "3/250ms", "1/1500ms"] {
            let limit: Limit = text.parse().unwrap();
            assert_eq!(limit.to_string(), text);
        }
        assert_eq!("100/1m".parse::<Limit>().unwrap().to_string(), "100/60s");
        assert_eq!("5/60".parse::<Limit>().unwrap().to_string(), "5/60s");
    }

    #[test]
    fn says_what_is_wrong_with_a_limit() {
        for (text, part) in [
            ("5", "no '/'"),
            ("x/60s", "whole number"),
            ("5/s", "start with a number"),
            ("5/60y", "unit"),
            ("0/60s", "never let anything"),
            ("5/0s", "never let anything"),
            ("5/18446744073709551615h", "too long"),
        ] {
            let message = text.parse::<Limit>().unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
            assert!(message.contains("5/60s"), "{message}");
        }
    }

    #[test]
    fn a_raised_limit_is_the_same_limit_to_the_ledger() {
        let window = Duration::from_secs(60);
        assert_eq!(
            Limit::new(5, window, "a").id(),
            Limit::new(9, window, "a").id()
        );
        assert_ne!(
            Limit::new(5, window, "a").id(),
            Limit::new(5, window, "b").id()
        );
    }
}

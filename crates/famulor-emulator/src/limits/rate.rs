//! A limit as a person writes it: `5/60s`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;

/// So many requests in a window of time.
///
/// ```
/// use famulor_emulator::RateLimit;
/// use std::time::Duration;
///
/// let limit = RateLimit::parse("5/60s")?;
/// assert_eq!(limit.requests(), 5);
/// assert_eq!(limit.window(), Duration::from_secs(60));
/// assert_eq!(RateLimit::parse("5/1m")?, limit);
/// # Ok::<(), famulor_emulator::ParseRateLimitError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    requests: u32,
    window: Duration,
}

/// A text that is no rate limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a rate limit; write requests/window, such as 5/60s or 100/1m")]
pub struct ParseRateLimitError(String);

impl RateLimit {
    /// Five a minute: generate-reply, per token (seed 2).
    pub const REPLIES: Self = Self::every(5, Duration::from_secs(60));
    /// A hundred a minute: all endpoints, per token (vendor's authentication guide).
    pub const PER_MINUTE: Self = Self::every(100, Duration::from_secs(60));
    /// Twenty in ten seconds: all endpoints, per token (vendor's authentication guide).
    pub const BURST: Self = Self::every(20, Duration::from_secs(10));

    /// `requests` in any `window`.
    ///
    /// A limit of no requests, or over no time, is no limit that a server could
    /// have: each is taken as at least one (request, nanosecond).
    pub const fn every(requests: u32, window: Duration) -> Self {
        Self {
            requests: if requests == 0 { 1 } else { requests },
            window: if window.is_zero() {
                Duration::from_nanos(1)
            } else {
                window
            },
        }
    }

    /// Reads `5/60s`, `100/1m`, `20/500ms`.
    ///
    /// # Errors
    ///
    /// [`ParseRateLimitError`] for anything else, and for zero of either.
    pub fn parse(text: &str) -> Result<Self, ParseRateLimitError> {
        let error = || ParseRateLimitError(text.to_owned());
        let (requests, window) = text.split_once('/').ok_or_else(error)?;
        let requests: u32 = requests.trim().parse().map_err(|_| error())?;
        let window: SignedDuration = window.trim().parse().map_err(|_| error())?;
        let window = Duration::try_from(window).map_err(|_| error())?;
        if requests == 0 || window.is_zero() {
            return Err(error());
        }
        Ok(Self::every(requests, window))
    }

    /// How many requests the window holds.
    pub const fn requests(&self) -> u32 {
        self.requests
    }

    /// The window.
    pub const fn window(&self) -> Duration {
        self.window
    }
}

impl FromStr for RateLimit {
    type Err = ParseRateLimitError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{:?}", self.requests, self.window)
    }
}

//! What an answer says about the limit.

use http::{HeaderMap, HeaderName, HeaderValue};

/// `X-RateLimit-Limit` and `X-RateLimit-Remaining`, which Laravel sends with
/// every answer that passed a throttle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LimitHeaders {
    limit: u32,
    remaining: u32,
}

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

impl LimitHeaders {
    pub(crate) fn counted(limit: u32, remaining: u32) -> Self {
        Self { limit, remaining }
    }

    pub(crate) fn remaining(&self) -> u32 {
        self.remaining
    }

    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        headers.insert(LIMIT, HeaderValue::from(self.limit));
        headers.insert(REMAINING, HeaderValue::from(self.remaining));
    }

    /// `Retry-After` and `X-RateLimit-Reset` (epoch seconds) come with a 429 only.
    pub(crate) fn write_refused(&self, retry_after: u64, reset: i64, headers: &mut HeaderMap) {
        self.write(headers);
        headers.insert(http::header::RETRY_AFTER, HeaderValue::from(retry_after));
        headers.insert(RESET, HeaderValue::from(reset));
    }
}

//! A bucket of N tokens, refilled evenly over the window.

use std::time::Duration;

use super::RateLimit;

#[derive(Default)]
pub(super) struct TokenBucket {
    /// When the bucket will be full again. Keeping a moment instead of a level
    /// needs no floating point, so no call is refused by a rounding error.
    full_at: Duration,
}

impl TokenBucket {
    pub(super) fn take(&mut self, limit: RateLimit, now: Duration) -> Result<u32, Duration> {
        let per_token = limit.window() / limit.requests();
        let missing = self.full_at.saturating_sub(now) + per_token;
        if missing > limit.window() {
            return Err(missing - limit.window());
        }
        self.full_at = now + missing;
        let left = (limit.window() - missing).as_nanos() / per_token.as_nanos().max(1);
        Ok(u32::try_from(left)
            .unwrap_or(u32::MAX)
            .min(limit.requests() - 1))
    }
}

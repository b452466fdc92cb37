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
    pub(super) fn take(&mut self, limit: RateLimit, now: Duration) -> Result<(), Duration> {
        let per_token = limit.window() / limit.requests();
        let missing = self.full_at.saturating_sub(now) + per_token;
        if missing > limit.window() {
            return Err(missing - limit.window());
        }
        self.full_at = now + missing;
        Ok(())
    }

    pub(super) fn used(&self, limit: RateLimit, now: Duration) -> (u32, Duration) {
        let per_token = limit.window() / limit.requests();
        let missing = self.full_at.saturating_sub(now);
        let tokens = missing.as_nanos().div_ceil(per_token.as_nanos().max(1));
        (u32::try_from(tokens).unwrap_or(u32::MAX), missing)
    }
}

//! Laravel's throttle: a window that starts at the first counted request.

use std::time::Duration;

use super::RateLimit;

#[derive(Default)]
pub(super) struct FixedWindow {
    opened: Option<Duration>,
    counted: u32,
}

impl FixedWindow {
    pub(super) fn take(&mut self, limit: RateLimit, now: Duration) -> Result<(), Duration> {
        let opened = match self.opened {
            Some(opened) if now < opened + limit.window() => opened,
            _ => {
                self.counted = 0;
                now
            }
        };
        if self.counted >= limit.requests() {
            return Err(opened + limit.window() - now);
        }
        self.opened = Some(opened);
        self.counted += 1;
        Ok(())
    }

    pub(super) fn used(&self, limit: RateLimit, now: Duration) -> (u32, Duration) {
        let ends = self.opened.map(|opened| opened + limit.window());
        match ends.and_then(|ends| ends.checked_sub(now)) {
            Some(left) if !left.is_zero() => (self.counted, left),
            _ => (0, Duration::ZERO),
        }
    }
}

//! A log of accepted requests: no window of any position holds more than N.

use std::collections::VecDeque;
use std::time::Duration;

use super::RateLimit;

#[derive(Default)]
pub(super) struct SlidingLog {
    accepted: VecDeque<Duration>,
}

impl SlidingLog {
    pub(super) fn take(&mut self, limit: RateLimit, now: Duration) -> Result<(), Duration> {
        while let Some(oldest) = self.accepted.front() {
            if *oldest + limit.window() > now {
                break;
            }
            self.accepted.pop_front();
        }
        let remaining = limit.requests() as usize - self.accepted.len();
        match (remaining, self.accepted.front()) {
            (0, Some(oldest)) => Err(*oldest + limit.window() - now),
            _ => {
                self.accepted.push_back(now);
                Ok(())
            }
        }
    }

    pub(super) fn used(&self, limit: RateLimit, now: Duration) -> (u32, Duration) {
        let left = |accepted: &Duration| (*accepted + limit.window()).saturating_sub(now);
        let used = self.accepted.iter().filter(|at| !left(at).is_zero());
        let last = self.accepted.back().map(left).unwrap_or_default();
        (used.count() as u32, last)
    }
}

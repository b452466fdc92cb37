//! A log of accepted requests: no window of any position holds more than N.

use std::collections::VecDeque;
use std::time::Duration;

use super::RateLimit;

#[derive(Default)]
pub(super) struct SlidingLog {
    accepted: VecDeque<Duration>,
}

impl SlidingLog {
    pub(super) fn take(&mut self, limit: RateLimit, now: Duration) -> Result<u32, Duration> {
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
                Ok(remaining as u32 - 1)
            }
        }
    }
}

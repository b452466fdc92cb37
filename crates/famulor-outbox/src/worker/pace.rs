//! When an account may try again after its server could not be reached.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

const FIRST: Duration = Duration::from_millis(250);
const CAP: Duration = Duration::from_secs(30);

/// Pauses of one account: exponential, with full jitter, over at the first answer. Of the account and not of a row: what
/// cannot be reached for one message cannot be reached for the next.
#[derive(Default)]
pub(super) struct Pace(Mutex<State>);

#[derive(Default)]
struct State {
    failures: u32,
    until: Option<Instant>,
}

impl Pace {
    /// The server has answered, whatever it said.
    pub(super) fn answered(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures = 0;
    }

    /// It could not be reached.
    pub(super) fn failed(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let most = FIRST.saturating_mul(1 << state.failures.min(10)).min(CAP);
        state.failures += 1;
        state.until = Some(Instant::now() + most.mul_f64(fastrand::f64()));
    }

    /// It asked for a pause.
    pub(super) fn pause(&self, time: Duration) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + time.min(Duration::from_secs(3600));
        state.until = Some(state.until.map_or(until, |before| before.max(until)));
    }

    /// How long it has to wait yet.
    pub(super) fn left(&self) -> Duration {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let until = state.until;
        until.map_or(Duration::ZERO, |until| {
            until.saturating_duration_since(Instant::now())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_to_a_cap_and_end_with_an_answer() {
        let pace = Pace::default();
        assert!(pace.left().is_zero());
        for _ in 0..40 {
            pace.failed();
            assert!(pace.left() <= CAP);
        }
        pace.answered();
        pace.failed();
        assert!(pace.left() <= FIRST);
        pace.pause(Duration::from_secs(61));
        pace.pause(Duration::from_secs(1));
        assert_eq!(pace.left(), Duration::from_secs(61));
    }
}

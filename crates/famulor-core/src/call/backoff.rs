//! Pauses between attempts: exponential, with full jitter, capped.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(250);
const CAP: Duration = Duration::from_secs(8);

/// The longest server hint that is waited for. A longer one fails fast with the hint in the error, so that no answer can
/// stall a program.
pub(super) const LONGEST_HINT: Duration = Duration::from_secs(120);

/// The pause before attempt `attempt + 1`; the server's hint wins.
pub(super) fn pause(attempt: u32, hint: Option<Duration>) -> Duration {
    if let Some(hint) = hint {
        return hint;
    }
    let most = FIRST
        .saturating_mul(1 << attempt.saturating_sub(1).min(10))
        .min(CAP);
    most.mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::{CAP, pause};
    use std::time::Duration;

    #[test]
    fn pauses_grow_and_stay_below_the_cap() {
        for attempt in 1..40 {
            assert!(pause(attempt, None) <= CAP);
        }
        assert!((0..100).all(|_| pause(1, None) <= Duration::from_millis(250)));
    }

    #[test]
    fn a_hint_of_the_server_wins() {
        assert_eq!(
            pause(1, Some(Duration::from_secs(7))),
            Duration::from_secs(7)
        );
    }
}

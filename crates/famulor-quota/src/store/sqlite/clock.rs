//! A clock that all processes of a machine read alike, and that nobody sets.

use std::time::Duration;

/// A reading of the machine's clock, in microseconds.
///
/// On Unix it counts from the machine's start, goes on while it sleeps, and is
/// not moved when somebody corrects the time of day: a ledger that followed the
/// time of day would let slots go an hour early when that is set forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading(u64);

impl Reading {
    pub(super) fn now() -> Self {
        Self(micros())
    }

    /// What a file keeps. Below 2⁶³ for the next 292,000 years.
    pub(super) fn to_column(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    pub(super) fn from_column(column: i64) -> Self {
        Self(u64::try_from(column).unwrap_or(0))
    }

    /// How much time has passed since `earlier` at the least.
    ///
    /// A machine that was started anew counts from zero again. If its clock is
    /// behind `earlier`, it has run for all of its reading since; if it has
    /// caught up, then for longer than the difference. Either way no slot is
    /// let go too early.
    pub(super) fn since(self, earlier: Self) -> Duration {
        let micros = match self.0.checked_sub(earlier.0) {
            Some(difference) => difference,
            None if cfg!(unix) => self.0,
            // The time of day was set back: it says nothing.
            None => 0,
        };
        Duration::from_micros(micros)
    }
}

#[cfg(unix)]
fn micros() -> u64 {
    use rustix::time::{ClockId, clock_gettime};

    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: ClockId = ClockId::Boottime;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const CLOCK: ClockId = ClockId::Monotonic;

    let time = clock_gettime(CLOCK);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds
        .saturating_mul(1_000_000)
        .saturating_add(nanos / 1000)
}

#[cfg(not(unix))]
fn micros() -> u64 {
    let day = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    day.map_or(0, |time| {
        u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_and_is_the_same_for_everybody() {
        let one = Reading::now();
        let other = std::thread::spawn(Reading::now).join().unwrap();
        assert!(other.since(one) < Duration::from_secs(60));
        assert_eq!(Reading::from_column(one.to_column()), one);
    }

    #[cfg(unix)]
    #[test]
    fn a_restart_of_the_machine_never_makes_time_pass_faster() {
        let day = Reading(86_400_000_000);
        // Ten seconds after a restart: ten seconds at the least have passed.
        assert_eq!(Reading(10_000_000).since(day), Duration::from_secs(10));
        // Up for a day and a second: a second at the least.
        assert_eq!(Reading(86_401_000_000).since(day), Duration::from_secs(1));
    }
}

//! A point on a store's clock.

use std::time::Duration;

/// A point on a store's clock, in microseconds since whatever that store began
/// to count from. Arithmetic saturates: a ledger must not panic over an odd clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(u64);

impl Moment {
    /// `micros` microseconds after the store's clock began.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the store's clock began.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// This moment, and so much more.
    #[must_use]
    pub fn plus(self, time: Duration) -> Self {
        self.plus_micros(micros(time))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    pub(super) const fn plus_micros(self, micros: u64) -> Self {
        Self(self.0.saturating_add(micros))
    }
}

pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

//! Why there is no permit.

use std::time::Duration;

use crate::store::StoreError;

/// Why [`Quota::acquire`](crate::Quota::acquire) gave no permit. Nothing was
/// taken and nothing is left behind in any case.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcquireError {
    /// No slot comes free before the deadline, or none is free now for a caller
    /// that does not wait.
    ///
    /// # What to do
    ///
    /// Try again in `ready_in`, or allow a longer wait. If `ahead` is large, more
    /// is being sent than the limit lets through.
    #[error(
        "no free slot in time: the next one for this call comes free in {:.1} s at the earliest, with {ahead} calls ahead",
        ready_in.as_secs_f64()
    )]
    #[non_exhaustive]
    WouldWait {
        /// The earliest this call could go.
        ready_in: Duration,
        /// Calls of this process that would go before it.
        ahead: usize,
    },

    /// Whether a slot is free could not be learned.
    ///
    /// # What to do
    ///
    /// See that the store can be reached. To send all the same is to risk a 429.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A permit was granted too long ago to be used: the machine may have slept, and
/// its slot may have been given to somebody else.
///
/// # What to do
///
/// [Give it back](crate::Permit::give_back) and acquire another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the permit was granted {:.1} s ago and had to be used within 2 s: give it back and acquire another",
    age.as_secs_f64()
)]
pub struct StalePermit {
    pub(super) age: Duration,
}

impl StalePermit {
    /// How long ago the permit was granted.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.age
    }
}

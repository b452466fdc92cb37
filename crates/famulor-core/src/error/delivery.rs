//! Was it sent?

use std::fmt;

/// What is known about a request that failed: the question that matters when a call is billed and there is no
/// idempotency key.
///
/// ```
/// use famulor_core::Delivery;
///
/// fn may_be_sent_again(delivery: Delivery) -> bool {
///     matches!(delivery, Delivery::NotSent | Delivery::Refused)
/// }
/// # assert!(may_be_sent_again(Delivery::NotSent) && !may_be_sent_again(Delivery::Unknown));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Delivery {
    /// It did not leave this program. It can be made again.
    NotSent,
    /// The server said no before doing it. Nothing was processed or billed.
    Refused,
    /// It was sent and no trustworthy answer came. It may have been processed and billed.
    Unknown,
    /// The server did it, though its answer could not be read. Do not repeat it.
    Processed,
}

impl Delivery {
    /// The word for it in the command line's JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::Processed => "processed",
        }
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

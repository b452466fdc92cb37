//! How much depends on a change of an account's row.

use crate::Completion;

/// How a change is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Write {
    /// It must outlive a loss of power: a slot was granted.
    Durable,
    /// A loss of power may undo it: then a slot is busy for longer.
    Soon,
    /// The same, and others may be waiting for it.
    SoonAndTell,
}

impl Write {
    /// For the end of a call. Only what was not sent frees a slot before the
    /// time that those who wait were told.
    pub(super) fn of(how: &Completion) -> Self {
        match how {
            Completion::NotSent => Self::SoonAndTell,
            Completion::Answered(_) | Completion::Abandoned => Self::Soon,
        }
    }
}

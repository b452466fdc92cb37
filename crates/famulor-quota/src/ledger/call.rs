//! One request, from the moment its slot is taken.

use super::Moment;

/// One request that holds a slot. Its slot under a limit is busy until
/// `done` + window + guard.
///
/// 24 bytes on purpose: an account is a handful of these, and there may be a
/// million accounts.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// When its slot was taken; unique in a ledger, and so its name.
    pub(super) granted: Moment,
    /// It has reached the server by then, or never will.
    pub(super) done: Moment,
    /// Which windows it counts in, a bit each.
    pub(super) windows: u32,
    /// Nobody has told us yet how it ended.
    pub(super) in_flight: bool,
}

impl Call {
    pub(super) fn counts_in(&self, window: usize) -> bool {
        self.windows & (1 << window) != 0
    }

    /// When its slot is free again if it ends as late as it may.
    pub(super) fn release(&self, span: u64) -> Moment {
        self.done.plus_micros(span)
    }

    /// The earliest its slot can be free again: it may end this very moment.
    pub(super) fn earliest_release(&self, span: u64, now: Moment) -> Moment {
        self.earliest_done(now).plus_micros(span)
    }

    pub(super) fn earliest_done(&self, now: Moment) -> Moment {
        if self.in_flight {
            self.done.min(now)
        } else {
            self.done
        }
    }

    pub(super) fn unfinished(&self, now: Moment) -> bool {
        self.in_flight && self.done > now
    }
}

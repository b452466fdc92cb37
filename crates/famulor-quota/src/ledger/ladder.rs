//! What to do about a server that refuses what the ledger says it must accept.

use std::fmt;
use std::time::Duration;

use super::{CLEAN_TIME, Moment};

/// How carefully an account's calls are paced.
///
/// [`Rung::Burst`] is right for every server that counts requests in a window.
/// A refusal that such a server could not have given takes an account one rung
/// down; thirty minutes without a refusal take it one up again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rung {
    /// All free slots may be used at once.
    #[default]
    Burst,
    /// Besides, sends are at least window ÷ requests · 1.025 apart: for servers
    /// that estimate a sliding window from two counters.
    Spaced,
    /// One call at a time, window ÷ requests after the last one ended: for
    /// servers that insist on even spacing.
    OneAtATime,
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Burst => "bursts allowed",
            Self::Spaced => "evenly spaced",
            Self::OneAtATime => "one at a time",
        })
    }
}

/// Why an account is not on [`Rung::Burst`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepDown {
    /// How long ago that was.
    pub ago: Duration,
    /// How many calls the ledger had in the account's windows, the refused one
    /// included.
    pub busy: u32,
}

impl fmt::Display for StepDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the server refused a call {} s ago, with {} in its windows, which is within the limit",
            self.ago.as_secs(),
            self.busy
        )
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Ladder {
    pub(super) rung: Rung,
    pub(super) busy: u32,
    /// The start of the clean time: the last refusal, or the last step up.
    pub(super) since: Moment,
    pub(super) refused_at: Moment,
    pub(super) stepped_at: Moment,
}

impl Ladder {
    pub(super) fn rung(&self, now: Moment) -> Rung {
        let up = now.since(self.since).as_secs() / CLEAN_TIME.as_secs();
        match (self.rung, up) {
            (rung, 0) => rung,
            (Rung::OneAtATime, 1) => Rung::Spaced,
            _ => Rung::Burst,
        }
    }

    /// Writes down the steps up that time alone has brought.
    pub(super) fn settle(&mut self, now: Moment) {
        while self.rung != Rung::Burst && now.since(self.since) >= CLEAN_TIME {
            self.rung = match self.rung {
                Rung::OneAtATime => Rung::Spaced,
                _ => Rung::Burst,
            };
            self.since = self.since.plus(CLEAN_TIME);
        }
    }

    /// A call that was granted at `granted` was refused; `busy` calls were in
    /// its windows. `explained`: somebody else's calls, or those of an earlier
    /// run, may have filled the server's window.
    pub(super) fn refused(&mut self, now: Moment, granted: Moment, explained: bool, busy: u32) {
        self.settle(now);
        // Calls that were under way at the last step belong to it: the refusals
        // of one burst are one piece of evidence.
        let news = granted > self.stepped_at;
        let again = granted > self.refused_at && self.refused_before(now);
        let next = match self.rung {
            Rung::Burst if !explained && news => Rung::Spaced,
            Rung::Spaced if !explained && news => Rung::OneAtATime,
            // An explanation holds once. Even spacing costs little if it was
            // right after all; one at a time would be a high price for what a
            // stranger did.
            Rung::Burst if again => Rung::Spaced,
            rung => rung,
        };
        if next != self.rung {
            self.rung = next;
            self.busy = busy;
            self.stepped_at = now;
        }
        self.since = now;
        self.refused_at = now;
    }

    /// The last refusal; the zero moment when there was none.
    pub(super) fn refused_at(&self) -> Moment {
        self.refused_at
    }

    /// Until when a refusal bears on anything: a window that may have counted it,
    /// and the steps back up.
    #[cfg(feature = "redis")]
    pub(super) fn remembered_until(&self, span: u64) -> Option<Moment> {
        let rungs = match self.rung {
            Rung::Burst => 0,
            Rung::Spaced => 1,
            Rung::OneAtATime => 2,
        };
        let clean = self.since.plus(CLEAN_TIME * rungs);
        let refused = self.refused_at > Moment::default();
        refused.then(|| clean.max(self.refused_at.plus_micros(span)))
    }

    /// Whether there was a refusal not long ago.
    fn refused_before(&self, now: Moment) -> bool {
        self.refused_at > Moment::default() && now.since(self.refused_at) < CLEAN_TIME
    }

    pub(super) fn reason(&self, now: Moment) -> Option<StepDown> {
        (self.rung(now) != Rung::Burst).then(|| StepDown {
            ago: now.since(self.stepped_at),
            busy: self.busy,
        })
    }
}

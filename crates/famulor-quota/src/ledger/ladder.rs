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
    /// How long ago the last unexplained refusal was.
    pub ago: Duration,
    /// How many calls that refusal found in the ledger, itself included.
    pub busy: u32,
}

impl fmt::Display for StepDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the server refused a call {} s ago, with {} in its windows and nobody else seen using them",
            self.ago.as_secs(),
            self.busy
        )
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Ladder {
    rung: Rung,
    busy: u32,
    /// The start of the clean time: the last refusal, or the last step up.
    since: Moment,
    /// The last refusal; the zero moment when there was none.
    refused_at: Moment,
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

    /// A call was refused. `unexplained`: by all the ledger knows it should not
    /// have been.
    pub(super) fn refused(&mut self, now: Moment, granted: Moment, unexplained: bool, busy: u32) {
        self.settle(now);
        // Calls that were already under way at an earlier refusal belong to it:
        // five refusals of one burst are one piece of evidence.
        let news = granted > self.refused_at;
        if unexplained && news {
            self.rung = match self.rung {
                Rung::Burst => Rung::Spaced,
                _ => Rung::OneAtATime,
            };
            self.busy = busy;
        }
        self.since = now;
        self.refused_at = now;
    }

    pub(super) fn reason(&self, now: Moment) -> Option<StepDown> {
        (self.rung(now) != Rung::Burst).then(|| StepDown {
            ago: now.since(self.refused_at),
            busy: self.busy,
        })
    }
}

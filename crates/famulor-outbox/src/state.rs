//! How far a message has got.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::{Error, ErrorKind, Result};

/// How far a message has got.
///
/// `queued → sending → done | failed | in_doubt`, `in_doubt → done | queued | needs_review`, `queued → cancelled`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// It waits for its turn. Nothing of it was sent, or it is proved not to have arrived.
    Queued,
    /// A worker has it, and may have sent it.
    Sending,
    /// It was sent and no trustworthy answer came. Under the policy `verify` the conversation is being read back; under
    /// `fail` this is its end.
    InDoubt,
    /// It was answered.
    Done,
    /// It was refused for good, and not processed.
    Failed,
    /// Whether it arrived could not be told, or its answer did not come: a person decides, by
    /// [`Outbox::resolve`](crate::Outbox::resolve).
    NeedsReview,
    /// It was taken back before it was sent.
    Cancelled,
}

impl State {
    /// All of them, in the order in which a message goes through them.
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Sending,
        Self::InDoubt,
        Self::Done,
        Self::Failed,
        Self::NeedsReview,
        Self::Cancelled,
    ];

    /// Whether nothing happens to such a row unless somebody asks for it. Of a row in doubt it depends on its policy:
    /// ask [`Row::is_final`](crate::Row::is_final).
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Done | Self::Failed | Self::NeedsReview | Self::Cancelled
        )
    }

    /// Its name in files and on a command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::InDoubt => "in_doubt",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::NeedsReview => "needs_review",
            Self::Cancelled => "cancelled",
        }
    }

    /// Its number in the store. Never changes.
    pub(crate) fn number(self) -> i64 {
        self as i64
    }

    pub(crate) fn from_number(number: i64) -> Result<Self> {
        usize::try_from(number)
            .ok()
            .and_then(|index| Self::ALL.get(index).copied())
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::Store,
                    "the store holds a row in an unknown state",
                )
            })
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for State {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == name)
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::Invalid,
                    "no such state; it is one of queued, sending, in_doubt, done, failed, needs_review, cancelled",
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::State;

    #[test]
    fn numbers_and_names_lead_back_to_their_state() {
        for state in State::ALL {
            assert_eq!(State::from_number(state.number()).unwrap(), state);
            assert_eq!(state.as_str().parse::<State>().unwrap(), state);
        }
        assert!(State::from_number(7).is_err() && State::from_number(-1).is_err());
    }
}

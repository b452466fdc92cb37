//! What a person may want to know about an account's quota.

use std::fmt;
use std::time::Duration;

use crate::Limit;
use crate::ledger::{Rung, StepDown};

/// The state of one limit of one account.
///
/// Its `Display` is a line for a person: `5/60s generate-reply: 3 busy, 2 waiting, next free now`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// The limit that the other figures are about.
    pub limit: Limit,
    /// Slots that our own calls keep busy, everywhere the store is shared.
    pub busy: u32,
    /// Slots that somebody else, or an earlier run of this program, was last
    /// seen to use, from answers' headers.
    pub foreign: u32,
    /// Calls of this process that wait for this limit.
    pub waiting: u32,
    /// The earliest a new call could go if nobody waited; zero is now.
    pub next_free: Duration,
    /// How long the account is still frozen after a 429; zero when it is not.
    pub frozen_for: Duration,
    /// Whether somebody else was seen to use this account in the last thirty
    /// minutes. While so, header witnesses free no slots.
    pub foreign_seen: bool,
    /// How carefully this account is paced.
    pub rung: Rung,
    /// Why it is not on the first rung, when it is not.
    pub step_down: Option<StepDown>,
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, busy, .. } = self;
        write!(f, "{limit} {}: {busy} busy", limit.scope())?;
        if self.foreign > 0 {
            write!(f, ", {} used by others", self.foreign)?;
        }
        write!(f, ", {} waiting, next free ", self.waiting)?;
        if self.next_free.is_zero() {
            f.write_str("now")?;
        } else {
            write!(f, "in {:.1} s", self.next_free.as_secs_f64())?;
        }
        if let Some(reason) = &self.step_down {
            write!(f, "; {}: {reason}", self.rung)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_tells_a_person_how_things_stand() {
        let mut usage = Usage {
            limit: Limit::new(5, Duration::from_secs(60), "replies"),
            busy: 3,
            foreign: 0,
            waiting: 2,
            next_free: Duration::ZERO,
            frozen_for: Duration::ZERO,
            foreign_seen: false,
            rung: Rung::Burst,
            step_down: None,
        };
        let line = "5/60s replies: 3 busy, 2 waiting, next free now";
        assert_eq!(usage.to_string(), line);
        usage.foreign = 1;
        usage.next_free = Duration::from_millis(12_340);
        usage.rung = Rung::Spaced;
        usage.step_down = Some(StepDown {
            ago: Duration::from_secs(240),
            busy: 2,
        });
        let line = "5/60s replies: 3 busy, 1 used by others, 2 waiting, next free in 12.3 s; \
                    evenly spaced: the server refused a call 240 s ago, with 2 in its windows, \
                    which is within the limit";
        assert_eq!(usage.to_string(), line);
    }
}

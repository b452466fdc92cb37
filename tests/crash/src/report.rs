//! What was counted.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::points;

/// What became of the messages.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// Lines of the input.
    pub messages: u64,
    /// Workers killed, by the point at which they were.
    pub kills: BTreeMap<&'static str, u64>,
    /// Exports among them.
    pub exports: Exports,
    /// The store says it was answered, or says nothing at all, and the server never had it.
    pub lost: u64,
    /// The server has it more than once.
    pub billed_twice: u64,
    /// A message of a customer that the server has before an earlier one of the same customer.
    pub out_of_order: u64,
    /// Answered, with the answer to something else.
    pub wrong_reply: u64,
    /// The store says that it was not processed, and the server has it.
    pub wrong_word: u64,
    /// Rows that ended as done.
    pub done: u64,
    /// Rows that ended as failed, which the server never had.
    pub failed: u64,
    /// Rows that a person has to look at, each with a reason.
    pub needs_review: u64,
    /// The reasons, and how many rows have each.
    pub reasons: BTreeMap<String, u64>,
    /// Rows that ended in any other state, or without a reason: none is allowed.
    pub unsettled: u64,
    /// Rows that took more than one attempt: their first one was proven not to have arrived.
    pub sent_again: u64,
    /// What the server has billed.
    pub billed: u64,
    /// Calls whose answer a fault spoilt.
    pub faults: u64,
    /// How much of the limit was used, if there was one.
    pub quota: Option<QuotaUse>,
    /// Answers 429.
    pub refusals: u64,
    /// What the store's absence cost, if it was taken away.
    pub outage: Option<Absence>,
    /// All of it.
    pub took: Duration,
}

/// The share of the limit of replies that was used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuotaUse {
    /// From the first reply to the last.
    pub whole: f64,
    /// While only the limit held it up: later than `idle` after the last kill, and without the last tenth of the replies.
    /// `None` if those are too few.
    pub undisturbed: Option<f64>,
    /// How long the slots of a worker that was killed are idle at most: nobody can know when its calls arrived.
    pub idle: Duration,
}

/// The store was away for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absence {
    /// So long.
    pub lasted: Duration,
    /// Messages that the server had when it went away.
    pub billed_before: u64,
    /// Messages that were on their way then: they arrived meanwhile, and their answers had to be kept.
    pub billed_during: u64,
    /// From when it was back until the server got the next message.
    pub resumed_after: Duration,
}

/// Exports that were killed while they wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exports {
    /// So many.
    pub killed: u64,
    /// Of them, those that left half a file.
    pub torn: u64,
}

impl Outcome {
    /// Workers killed, wherever they were.
    #[must_use]
    pub fn killed(&self) -> u64 {
        self.kills.values().sum()
    }

    /// The named points at which nobody was killed.
    #[must_use]
    pub fn points_missed(&self) -> Vec<&'static str> {
        points::missed(&self.kills)
    }

    /// What must not be, in words; empty if everything is as promised.
    #[must_use]
    pub fn broken_promises(&self) -> Vec<String> {
        [
            (self.lost, "lost"),
            (self.billed_twice, "billed twice"),
            (self.out_of_order, "out of order"),
            (self.wrong_reply, "with another message's reply"),
            (self.wrong_word, "called unprocessed and billed"),
            (self.unsettled, "without an end or a reason"),
            (self.exports.torn, "exports torn"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: Vec<String> = self
            .kills
            .iter()
            .map(|(point, count)| format!("{point} {count}"))
            .collect();
        let rows = [
            ("messages", self.messages.to_string()),
            (
                "kills",
                format!("{} ({})", self.killed(), places.join(", ")),
            ),
            ("calls spoilt", self.faults.to_string()),
            ("lost", self.lost.to_string()),
            ("billed twice", self.billed_twice.to_string()),
            ("out of order", self.out_of_order.to_string()),
            ("wrong reply", self.wrong_reply.to_string()),
            ("wrong word", self.wrong_word.to_string()),
            ("unsettled", self.unsettled.to_string()),
            (
                "exports torn",
                format!("{} of {}", self.exports.torn, self.exports.killed),
            ),
            ("done", self.done.to_string()),
            ("failed", self.failed.to_string()),
            ("in doubt", format!("{} for a person", self.needs_review)),
            ("sent again", format!("{} after proof", self.sent_again)),
            ("billed", self.billed.to_string()),
            (
                "quota used",
                self.quota
                    .map_or_else(|| "no limit".to_owned(), |used| used.to_string()),
            ),
            ("refusals", self.refusals.to_string()),
            ("took", format!("{:.1} s", self.took.as_secs_f64())),
        ];
        if let Some(absence) = self.outage {
            writeln!(f, "  {:<14} {absence}", "away")?;
        }
        for (name, value) in rows {
            writeln!(f, "  {name:<14} {value}")?;
        }
        for (reason, count) in &self.reasons {
            writeln!(f, "  {:<14} {count}: {reason}", "to review")?;
        }
        Ok(())
    }
}

impl fmt::Display for QuotaUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        write!(f, "{} in all", percent(self.whole))?;
        if let Some(undisturbed) = self.undisturbed {
            let idle = self.idle.as_secs_f64();
            write!(
                f,
                ", {} once the killed workers' slots were free again ({idle:.1} s) and until the last tenth",
                percent(undisturbed)
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.1} s, after {} messages; {} arrived meanwhile; the next one {:.2} s after its return",
            self.lasted.as_secs_f64(),
            self.billed_before,
            self.billed_during,
            self.resumed_after.as_secs_f64()
        )
    }
}

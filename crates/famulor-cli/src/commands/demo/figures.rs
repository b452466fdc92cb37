//! The figures at the end: the emulator's own account of what happened.

use std::time::Duration;

use famulor_core::{Client, Conversation};
use famulor_emulator::{Emulator, JournalEntry, Operation};
use serde::Serialize;

use super::checks::{Answered, holds};
use super::{REPLIES, WINDOW};
use crate::failure::Failure;

/// What the emulator's journal has, and one figure of the client.
#[derive(Serialize)]
pub(crate) struct Figures {
    pub(crate) replies: usize,
    pub(crate) refused_by_the_limit: u64,
    pub(crate) most_in_a_minute: usize,
    pub(crate) billed: usize,
    pub(crate) billed_twice: u64,
    pub(crate) billed_amount_usd: f64,
    pub(crate) waited_real_s: f64,
}

/// Counts, and compares with what the demo has told.
pub(super) fn of(
    emulator: &Emulator,
    client: &Client,
    replies: &[Answered],
    chat: &Conversation,
) -> Result<Figures, Failure> {
    let journal = emulator.journal();
    let stats = emulator.stats();
    let generated: Vec<&JournalEntry> = journal
        .iter()
        .filter(|entry| entry.operation == Some(Operation::GenerateReply))
        .collect();
    let done = generated.iter().filter(|entry| entry.processed);
    let arrivals: Vec<Duration> = generated
        .iter()
        .filter(|entry| entry.counted)
        .map(|entry| entry.elapsed)
        .collect();
    let figures = Figures {
        replies: done.clone().count(),
        refused_by_the_limit: stats.rate_limited,
        most_in_a_minute: most_in_a_window(&arrivals, WINDOW),
        billed: done.clone().filter(|entry| entry.billed.is_some()).count(),
        billed_twice: stats
            .customers
            .values()
            .map(|customer| customer.repeated_messages)
            .sum(),
        billed_amount_usd: done.filter_map(|entry| entry.billed).sum(),
        waited_real_s: client.usage().waited.as_secs_f64(),
    };
    holds(
        figures.replies == replies.len(),
        "every message was sent once",
    )?;
    holds(
        figures.billed == replies.len() && figures.billed_twice == 0,
        "each is billed once",
    )?;
    holds(figures.refused_by_the_limit == 0, "nothing was refused")?;
    holds(
        figures.most_in_a_minute <= REPLIES as usize,
        "no minute has more than the limit",
    )?;
    holds(
        journal
            .iter()
            .filter(|entry| entry.path.contains(chat.id().as_str()))
            .all(|entry| entry.billed.is_none()),
        "a test conversation is free",
    )?;
    Ok(figures)
}

/// The most arrivals in any window of that length.
fn most_in_a_window(arrivals: &[Duration], window: Duration) -> usize {
    arrivals
        .iter()
        .map(|last| {
            let within = |at: &&Duration| **at <= *last && **at + window > *last;
            arrivals.iter().filter(within).count()
        })
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::most_in_a_window;

    #[test]
    fn any_window_counts_not_only_those_that_start_at_an_arrival() {
        let at = |seconds: &[u64]| {
            seconds
                .iter()
                .map(|s| Duration::from_secs(*s))
                .collect::<Vec<_>>()
        };
        let minute = Duration::from_secs(60);
        assert_eq!(most_in_a_window(&at(&[]), minute), 0);
        assert_eq!(most_in_a_window(&at(&[0, 50, 55, 59, 60, 61]), minute), 5);
        assert_eq!(most_in_a_window(&at(&[0, 60, 120]), minute), 1);
    }
}

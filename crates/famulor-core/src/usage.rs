//! What a client has done so far.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::{Error, ErrorKind, Result};

/// What a client and its clones have done since it was built.
///
/// ```no_run
/// # fn example(client: famulor_core::Client) {
/// let usage = client.usage();
/// println!("{} replies, {} refused by a limit", usage.replies, usage.rate_limited);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Requests sent, repeated ones included.
    pub calls: u64,
    /// Replies and turns that came back.
    pub replies: u64,
    /// Messages that were sent to be billed and not refused: those that came back and those whose outcome is unknown.
    /// Messages of `test` conversations count too: a handle made from an id does not know its kind.
    pub billed_messages: u64,
    /// Answers with status 429.
    pub rate_limited: u64,
    /// Calls that ended with an unknown outcome.
    pub unknown_outcomes: u64,
    /// Time spent waiting for the quota, all calls together.
    pub waited: Duration,
}

/// The counters behind [`Usage`], and the ceiling on billed messages.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) calls: AtomicU64,
    pub(crate) replies: AtomicU64,
    billed_messages: AtomicU64,
    pub(crate) rate_limited: AtomicU64,
    pub(crate) unknown_outcomes: AtomicU64,
    waited_micros: AtomicU64,
    ceiling: Option<u64>,
}

impl Counters {
    pub(crate) fn with_ceiling(ceiling: Option<u64>) -> Self {
        Self {
            ceiling,
            ..Self::default()
        }
    }

    /// Counts a message before it is sent, so that two at once cannot both be the last one allowed.
    pub(crate) fn reserve_billed(&self) -> Result<()> {
        let allowed = self.ceiling.unwrap_or(u64::MAX);
        self.billed_messages
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| {
                (count < allowed).then_some(count + 1)
            })
            .map(drop)
            .map_err(|count| {
                Error::new(
                    ErrorKind::Refused,
                    crate::Delivery::NotSent,
                    format!("this client may send {allowed} billed messages and has sent {count}"),
                )
                .with_hint("raise with_max_billed_messages, or use another client")
            })
    }

    /// Takes back what [`reserve_billed`](Self::reserve_billed) counted: the message was not processed.
    pub(crate) fn return_billed(&self) {
        self.billed_messages.fetch_sub(1, Ordering::AcqRel);
    }

    pub(crate) fn add_waited(&self, wait: Duration) {
        let micros = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
        self.waited_micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> Usage {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Usage {
            calls: read(&self.calls),
            replies: read(&self.replies),
            billed_messages: read(&self.billed_messages),
            rate_limited: read(&self.rate_limited),
            unknown_outcomes: read(&self.unknown_outcomes),
            waited: Duration::from_micros(read(&self.waited_micros)),
        }
    }
}

/// Counts one up.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

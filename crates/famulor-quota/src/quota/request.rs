//! What a caller asks for.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::ledger::{LATE_ARRIVAL, SEND_BEFORE};
use crate::store::Ask;
use crate::{AccountKey, Limit};

/// How urgent a call is.
///
/// Inside a lane, first come is first served. Interactive calls go before bulk
/// ones, except that of eight turns both lanes want, bulk gets one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Somebody is waiting for the answer.
    #[default]
    Interactive,
    /// A backlog that nobody watches.
    Bulk,
}

/// How long a request may take unless [`AcquireRequest::with_request_timeout`]
/// says otherwise.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

type OnWait = Arc<dyn Fn(Waiting) + Send + Sync>;

/// One slot, under several limits at once, for one call.
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// # use famulor_quota::{AccountKey, AcquireRequest, Lane, Limit};
/// let limits: Arc<[Limit]> = Arc::new([
///     Limit::new(5, Duration::from_secs(60), "generate-reply"),
///     Limit::new(100, Duration::from_secs(60), "all"),
/// ]);
/// let request = AcquireRequest::new(AccountKey::new("token"), limits)
///     .with_lane(Lane::Bulk)
///     .with_max_wait(Duration::from_secs(90))
///     .on_wait(|waiting| eprintln!("{waiting}"));
/// ```
#[derive(Clone)]
#[must_use = "a request does nothing until it is given to Quota::acquire"]
pub struct AcquireRequest {
    pub(super) account: AccountKey,
    pub(super) limits: Arc<[Limit]>,
    pub(super) lane: Lane,
    pub(super) at_head: bool,
    deadline: Option<Instant>,
    max_wait: Option<Duration>,
    request_timeout: Duration,
    on_wait: Option<OnWait>,
}

impl AcquireRequest {
    /// A call of `account` that all of `limits` count.
    ///
    /// Interactive, without a deadline, and with a request timeout of 60 s.
    /// Callers of one kind share one `Arc`: they wait in the same line.
    pub fn new(account: AccountKey, limits: Arc<[Limit]>) -> Self {
        Self {
            account,
            limits,
            lane: Lane::default(),
            at_head: false,
            deadline: None,
            max_wait: None,
            request_timeout: REQUEST_TIMEOUT,
            on_wait: None,
        }
    }

    /// Which lane to wait in.
    pub fn with_lane(mut self, lane: Lane) -> Self {
        self.lane = lane;
        self
    }

    /// Do not wait beyond this instant. A call that cannot go by then, as far as
    /// the store can tell, fails at once.
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Do not wait longer than this, counted from the call of
    /// [`Quota::acquire`](crate::Quota::acquire). With a deadline too, the
    /// earlier of both counts.
    pub fn with_max_wait(mut self, max_wait: Duration) -> Self {
        self.max_wait = Some(max_wait);
        self
    }

    /// How long after it was sent the request is given up at the latest. The
    /// slot is held for that long, and a while longer, if this process dies.
    pub fn with_request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// Waits at the head of its lane: for a call that was let through once and
    /// then refused with a 429. Several such calls keep their order.
    pub fn at_head(mut self, at_head: bool) -> Self {
        self.at_head = at_head;
        self
    }

    /// Calls `tell` when the call has to wait, and again when there is something
    /// new to say about it: to print a line, not to do work. It runs inside the
    /// waiting task.
    pub fn on_wait(mut self, tell: impl Fn(Waiting) + Send + Sync + 'static) -> Self {
        self.on_wait = Some(Arc::new(tell));
        self
    }

    /// The earlier of the two ways to bound the wait.
    pub(super) fn deadline(&self, now: Instant) -> Option<Instant> {
        let by_wait = self.max_wait.and_then(|wait| now.checked_add(wait));
        match (self.deadline, by_wait) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    pub(super) fn wants_forecast(&self, deadline: Option<Instant>) -> bool {
        deadline.is_some() || self.on_wait.is_some()
    }

    pub(super) fn tell(&self, waiting: Waiting) {
        if let Some(tell) = &self.on_wait {
            tell(waiting);
        }
    }

    pub(super) fn ask(&self) -> Ask {
        let hold = SEND_BEFORE
            .saturating_add(self.request_timeout)
            .saturating_add(LATE_ARRIVAL);
        Ask::new(self.account, Arc::clone(&self.limits), self.lane, hold)
    }
}

impl fmt::Debug for AcquireRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcquireRequest")
            .field("account", &self.account)
            .field("limits", &self.limits)
            .field("lane", &self.lane)
            .field("at_head", &self.at_head)
            .field("deadline", &self.deadline)
            .field("max_wait", &self.max_wait)
            .field("request_timeout", &self.request_timeout)
            .finish_non_exhaustive()
    }
}

/// What a waiting call can say about its wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// The earliest it can go: calls in flight may make it later.
    pub ready_in: Duration,
    /// Calls of this process that go before it.
    pub ahead: usize,
}

impl Waiting {
    pub(super) fn new(ready_in: Duration, ahead: usize) -> Self {
        Self { ready_in, ahead }
    }
}

/// A line for a person: `waiting at least 12 s for a free slot, 2 ahead`.
impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.ready_in.as_secs_f64().ceil();
        write!(f, "waiting at least {seconds} s for a free slot")?;
        match self.ahead {
            0 => Ok(()),
            ahead => write!(f, ", {ahead} ahead"),
        }
    }
}

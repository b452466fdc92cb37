//! What the tasks of a worker share.

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use famulor_core::Client;
use tokio::sync::{Notify, RwLock, Semaphore};
use tokio_util::sync::CancellationToken;

use super::Checkpoint;
use super::pace::Pace;
use crate::store::Store;
use crate::{Error, RowId, State};

/// How a worker was set up.
pub(super) struct Settings {
    pub(super) job: Option<String>,
    pub(super) concurrency: usize,
    pub(super) lease: Duration,
    pub(super) stop_wait: Duration,
    pub(super) doubt_wait: Option<Duration>,
    pub(super) max_failures: u64,
    pub(super) checkpoint: Checkpoint,
    pub(super) without_intents: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            job: None,
            concurrency: 16,
            lease: Duration::from_secs(60),
            stop_wait: Duration::from_secs(60),
            doubt_wait: None,
            max_failures: u64::MAX,
            checkpoint: Checkpoint::default(),
            without_intents: false,
        }
    }
}

impl Settings {
    pub(super) fn lease_ms(&self) -> i64 {
        i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX / 4)
    }
}

/// What the tasks of a worker share.
pub(super) struct Shared {
    pub(super) store: Store,
    pub(super) settings: Arc<Settings>,
    /// The job's number, once there is such a job.
    pub(super) job: Option<i64>,
    /// Takes nothing more.
    pub(super) halt: CancellationToken,
    /// All calls have ended.
    pub(super) over: CancellationToken,
    /// The number under which the store knows this worker; another one after a lease was lost.
    pub(super) owner: AtomicI64,
    sending: Mutex<HashSet<RowId>>,
    /// Held by whoever claims until what it got is in `sending`.
    pub(super) claiming: RwLock<()>,
    /// A row has come to an end, or a call.
    pub(super) ended: Notify,
    settled: AtomicU64,
    failures: AtomicU64,
    fatal: Mutex<Option<Error>>,
}

/// An account that the worker serves.
pub(super) struct Account {
    pub(super) number: i64,
    pub(super) client: Client,
    pub(super) calls: Arc<Semaphore>,
    pub(super) pace: Pace,
}

impl Shared {
    pub(super) fn new(store: Store, settings: Arc<Settings>, job: Option<i64>, owner: i64) -> Self {
        Self {
            store,
            settings,
            job,
            halt: CancellationToken::new(),
            over: CancellationToken::new(),
            owner: AtomicI64::new(owner),
            sending: Mutex::default(),
            claiming: RwLock::new(()),
            ended: Notify::new(),
            settled: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            fatal: Mutex::default(),
        }
    }

    pub(super) fn owner(&self) -> i64 {
        self.owner.load(Ordering::Acquire)
    }

    pub(super) fn sending(&self) -> MutexGuard<'_, HashSet<RowId>> {
        self.sending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A row has come to this state.
    pub(super) fn came_to(&self, state: Option<State>) {
        match state {
            Some(State::Failed | State::NeedsReview) => {
                self.failures.fetch_add(1, Ordering::AcqRel);
                self.settled.fetch_add(1, Ordering::AcqRel);
            }
            Some(State::Done) => {
                self.settled.fetch_add(1, Ordering::AcqRel);
            }
            _ => {}
        }
        self.ended.notify_waiters();
    }

    pub(super) fn settled(&self) -> u64 {
        self.settled.load(Ordering::Acquire)
    }

    pub(super) fn has_failed_enough(&self) -> bool {
        self.failures.load(Ordering::Acquire) >= self.settings.max_failures
    }

    /// The store can no longer be used.
    pub(super) fn fail(&self, error: Error) {
        let mut fatal = self.fatal.lock().unwrap_or_else(PoisonError::into_inner);
        fatal.get_or_insert(error);
        drop(fatal);
        self.halt.cancel();
        self.ended.notify_waiters();
    }

    pub(super) fn take_failure(&self) -> Option<Error> {
        let mut fatal = self.fatal.lock().unwrap_or_else(PoisonError::into_inner);
        fatal.take()
    }

    /// Sleeps, unless the worker halts before; false then.
    pub(super) async fn sleep(&self, time: Duration) -> bool {
        tokio::select! {
            () = self.halt.cancelled() => false,
            () = tokio::time::sleep(time) => true,
        }
    }
}

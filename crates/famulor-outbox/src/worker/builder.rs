//! How a worker is set up.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use famulor_core::{Client, Lane};
use tokio_util::sync::CancellationToken;

use super::Checkpoint;
use super::conduct::conduct;
use super::shared::Settings;
use crate::message::check_name;
use crate::store::Store;
use crate::{Error, ErrorKind, Result};

/// A worker, before it runs: made by [`Outbox::worker`](crate::Outbox::worker).
///
/// Any number of workers, in any number of processes, serve one store.
#[must_use = "a worker serves nobody until it is run"]
pub struct WorkerBuilder {
    store: Store,
    accounts: Vec<(String, Client)>,
    settings: Settings,
}

/// How a worker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerEnd {
    /// Why it ended.
    pub reason: EndReason,
    /// Rows that this worker brought to an end.
    pub settled: u64,
    /// Calls that had to be given up when it was stopped: their rows are in doubt, and the next worker reads them back.
    pub in_doubt: u64,
}

/// Why a worker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndReason {
    /// Every row is final.
    Finished,
    /// It was told to stop.
    Stopped,
    /// As many rows failed as were allowed.
    TooManyFailures,
}

impl WorkerBuilder {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            accounts: Vec::new(),
            settings: Settings::default(),
        }
    }

    /// Serves the rows of an account, with this client's key, quota and settings. Rows of other accounts wait for a worker
    /// that serves those.
    ///
    /// Its calls wait in [`Lane::Bulk`], so that a live customer who is answered by another clone goes first.
    pub fn with_account(mut self, name: &str, client: Client) -> Self {
        let client = client.with_lane(Lane::Bulk);
        self.accounts.push((name.to_owned(), client));
        self
    }

    /// Serves this job alone. Default: every job.
    pub fn with_job(mut self, name: &str) -> Self {
        self.settings.job = Some(name.to_owned());
        self
    }

    /// Calls under way at a time, of each account. Default: 16. Where a quota sets the pace, more gives nothing.
    pub fn with_concurrency(mut self, calls: usize) -> Self {
        self.settings.concurrency = calls.max(1);
        self
    }

    /// How long others wait before they take this worker for dead if it says nothing: longer than its longest pause.
    /// Default: 60 s. A worker on a file is known to be dead as soon as its process is.
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.settings.lease = lease.max(Duration::from_millis(100));
        self
    }

    /// How long calls under way may take to end after the worker was told to stop. They are billed already, and their
    /// answers are worth having. Default: 60 s.
    pub fn with_stop_wait(mut self, wait: Duration) -> Self {
        self.settings.stop_wait = wait;
        self
    }

    /// How long "it is not there" has to stay true before it is believed: as long as the server may work on a call.
    /// Default: the client's, 120 s.
    pub fn with_doubt_wait(mut self, wait: Duration) -> Self {
        self.settings.doubt_wait = Some(wait);
        self
    }

    /// Ends once so many rows have failed or came into review. Default: never.
    pub fn with_max_failures(mut self, rows: u64) -> Self {
        self.settings.max_failures = rows.max(1);
        self
    }

    /// Calls `reached` at named points, for a test that kills the process there: `claiming` (the intent is written and not
    /// committed), `claimed` (it is committed and nothing is sent), `sent` (the request is on its way and not answered),
    /// `answered` (the answer is here and not written down), `settled` (it is committed).
    #[doc(hidden)]
    pub fn with_checkpoint(mut self, reached: fn(&'static str)) -> Self {
        self.settings.checkpoint = Checkpoint::new(reached);
        self
    }

    /// Takes what a lost worker had for not sent, as a queue does that keeps no intent: the control of the crash test, which
    /// has to find messages billed twice.
    #[doc(hidden)]
    pub fn without_intents(mut self) -> Self {
        self.settings.without_intents = true;
        self
    }

    /// Serves until it is stopped.
    ///
    /// After `stop` it takes nothing more, lets calls under way end for as long as [`with_stop_wait`](Self::with_stop_wait)
    /// allows, and leaves those that do not in doubt. Dropping the future stops it too: what is under way ends on the
    /// runtime.
    ///
    /// A store that is away is waited for. What was answered meanwhile is kept and written down then.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if it has no account, or a client has no key; [`ErrorKind::Full`], [`ErrorKind::ReadOnly`] and
    /// others if the store can no longer be used: nothing is lost, what was under way is read back by the next worker.
    pub async fn run(self, stop: CancellationToken) -> Result<WorkerEnd> {
        self.go(stop, false).await
    }

    /// Serves until every row of its accounts (and of its job, if it has one) is final, or it is stopped. Rows that other
    /// workers have are waited for.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn drain(self, stop: CancellationToken) -> Result<WorkerEnd> {
        self.go(stop, true).await
    }

    async fn go(self, stop: CancellationToken, drain: bool) -> Result<WorkerEnd> {
        let invalid = |said: String| Err(Error::new(ErrorKind::Invalid, said));
        if self.accounts.is_empty() {
            return invalid("the worker has no account to serve; give it one".to_owned());
        }
        for (index, (name, client)) in self.accounts.iter().enumerate() {
            check_name(name, "account")?;
            if !client.has_key() {
                return invalid(format!("the client of the account {name} has no API key"));
            }
            if self
                .accounts
                .iter()
                .skip(index + 1)
                .any(|(other, _)| other == name)
            {
                return invalid(format!("the account {name} was given twice"));
            }
        }
        // Of our own: dropping this future must stop what it began, and not what else hangs on the caller's.
        let stop = stop.child_token();
        let _guard = stop.clone().drop_guard();
        let running = conduct(
            self.store,
            self.accounts,
            Arc::new(self.settings),
            stop,
            drain,
        );
        // On a task of its own: nothing between a commit and a send may be dropped.
        let ended = |_| Error::new(ErrorKind::Store, "the program is ending");
        tokio::spawn(running).await.map_err(ended)?
    }
}

/// Shows the accounts' names, no key.
impl fmt::Debug for WorkerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let accounts: Vec<&str> = self
            .accounts
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        f.debug_struct("WorkerBuilder")
            .field("accounts", &accounts)
            .field("job", &self.settings.job)
            .field("concurrency", &self.settings.concurrency)
            .finish_non_exhaustive()
    }
}

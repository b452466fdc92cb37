//! One transaction for all who write at the same time.
//!
//! While one transaction is on its way to the disk, the steps that come meanwhile are collected for the next: so a store
//! takes as many messages a second as its disk takes commits, times how many are under way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use famulor_quota::AccountKey;
use futures_util::future::BoxFuture;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{sleep, timeout};

use crate::sql::{Connections, Failure, Transaction, WriteConnection};
use crate::{Error, ErrorKind, Result};

/// Steps of one transaction. More would make each wait longer than it saves.
const MOST: usize = 256;

/// How long somebody who does not wait for a store that is away is kept.
const PATIENCE: Duration = Duration::from_secs(5);

/// A server that takes longer for a transaction is as good as one that is not there. The end of an import of millions of
/// lines is one, too.
const COMMIT_WITHIN: Duration = Duration::from_secs(120);

/// Something that is done to the store, whole or not at all.
///
/// It may be run several times, each time with all before undone. If it returns an error of its own, it must not have
/// written anything that matters: what others do in the same transaction is committed.
pub(crate) trait Step: Send + Sync + 'static {
    type Output: Send + 'static;

    /// Whether it may be done again when nobody knows whether it was committed.
    const REPEATABLE: bool = true;

    fn run(
        &self,
        tx: &mut Transaction<'_>,
    ) -> impl Future<Output = std::result::Result<Self::Output, Failure>> + Send;

    /// Whose ledger it locks, if the quota is kept in the same database.
    ///
    /// So that two transactions do not wait for each other, everybody takes locks in this order: what other steps lock; then
    /// ledgers, by their accounts; then what can be had without waiting; then the counts, which everybody takes last. The
    /// quota's own statements hold no other lock while they wait for a ledger. (The end of an import locks lines and counts
    /// of its job on its own: if that goes wrong, the server ends one of the two, and it is run again.)
    fn ledger(&self) -> Option<AccountKey> {
        None
    }

    /// Right before and right after the commit: where a crash test stops.
    fn checkpoint(&self, _committed: bool) {}
}

trait Waiting: Send {
    fn run<'a>(
        &'a mut self,
        tx: &'a mut Transaction<'_>,
    ) -> BoxFuture<'a, std::result::Result<(), Failure>>;
    fn ledger(&self) -> Option<AccountKey>;
    fn checkpoint(&self, committed: bool);
    fn is_repeatable(&self) -> bool;
    fn end(self: Box<Self>, outcome: Result<()>);
}

struct Request<S: Step> {
    step: S,
    value: Option<Result<S::Output>>,
    reply: oneshot::Sender<Result<S::Output>>,
}

impl<S: Step> Waiting for Request<S> {
    fn run<'a>(
        &'a mut self,
        tx: &'a mut Transaction<'_>,
    ) -> BoxFuture<'a, std::result::Result<(), Failure>> {
        Box::pin(async move {
            self.value = match self.step.run(tx).await {
                Ok(value) => Some(Ok(value)),
                Err(Failure::Said(error)) => Some(Err(error)),
                Err(failure) => return Err(failure),
            };
            Ok(())
        })
    }

    fn ledger(&self) -> Option<AccountKey> {
        self.step.ledger()
    }

    fn checkpoint(&self, committed: bool) {
        if matches!(self.value, Some(Ok(_))) {
            self.step.checkpoint(committed);
        }
    }

    fn is_repeatable(&self) -> bool {
        S::REPEATABLE
    }

    fn end(self: Box<Self>, outcome: Result<()>) {
        let value = match (outcome, self.value) {
            (Ok(()), Some(value)) => value,
            (Ok(()), None) => Err(Error::new(ErrorKind::Store, "the store did nothing")),
            (Err(error), _) => Err(error),
        };
        // Whoever asked may have gone away.
        let _ = self.reply.send(value);
    }
}

struct Entry {
    request: Box<dyn Waiting>,
    patient: bool,
    since: Instant,
}

/// Hands steps to the task that runs them.
pub(super) struct Writer(mpsc::Sender<Entry>);

impl Writer {
    /// Must be called on a tokio runtime. The task ends with the last handle.
    pub(super) fn start(connections: Arc<Connections>, news: Arc<Notify>) -> Self {
        let (sender, receiver) = mpsc::channel(MOST);
        let work = Work {
            connections,
            news,
            connection: None,
            failing: false,
        };
        tokio::spawn(work.run(receiver));
        Self(sender)
    }

    pub(super) async fn write<S: Step>(&self, step: S, patient: bool) -> Result<S::Output> {
        let (reply, answer) = oneshot::channel();
        let request = Box::new(Request {
            step,
            value: None,
            reply,
        });
        let ended = || Error::new(ErrorKind::Store, "the store was closed");
        let entry = Entry {
            request,
            patient,
            since: Instant::now(),
        };
        self.0.send(entry).await.map_err(|_| ended())?;
        answer.await.unwrap_or_else(|_| Err(ended()))
    }
}

struct Work {
    connections: Arc<Connections>,
    news: Arc<Notify>,
    connection: Option<WriteConnection>,
    failing: bool,
}

impl Work {
    async fn run(mut self, mut entries: mpsc::Receiver<Entry>) {
        while let Some(first) = entries.recv().await {
            let mut batch = vec![first];
            while batch.len() < MOST
                && let Ok(next) = entries.try_recv()
            {
                batch.push(next);
            }
            self.settle(batch, &mut entries).await;
        }
        if let Some(connection) = self.connection.take() {
            connection.sql.close().await;
        }
    }

    /// Runs a batch until each of its steps is done or has failed.
    async fn settle(&mut self, mut batch: Vec<Entry>, entries: &mut mpsc::Receiver<Entry>) {
        let mut pause = Duration::from_millis(10);
        while !batch.is_empty() {
            let mut committing = false;
            let failure = match self.attempt(&mut batch, &mut committing).await {
                Ok(()) => {
                    self.failing = false;
                    batch
                        .into_iter()
                        .for_each(|entry| entry.request.end(Ok(())));
                    return;
                }
                Err(failure) => failure,
            };
            // Whatever the connection was in the middle of is undone.
            self.connection = None;
            let passing = failure.is_passing();
            let error = failure.of(&self.connections.location);
            let may_pass = passing || error.kind() == ErrorKind::Full;
            if !may_pass && !committing && batch.len() > 1 {
                // One of them is to blame: the others go without it.
                let rest = batch.split_off(1);
                Box::pin(self.settle(batch, entries)).await;
                batch = rest;
                continue;
            }
            if may_pass && !self.failing {
                self.failing = true;
                tracing::warn!(kind = ?error.kind(), "the outbox cannot be written to: {error}");
            }
            let stays = |entry: &Entry| {
                let undone = !committing || entry.request.is_repeatable();
                undone
                    && may_pass
                    && (entry.patient || (passing && entry.since.elapsed() < PATIENCE))
            };
            let (staying, leaving): (Vec<_>, Vec<_>) = batch.into_iter().partition(stays);
            for entry in leaving {
                entry.request.end(Err(error.again()));
            }
            batch = staying;
            if batch.is_empty() {
                return;
            }
            sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            pause = (pause * 2).min(Duration::from_secs(1));
            // Who comes meanwhile must not wait for those who wait for ever.
            while batch.len() < MOST
                && let Ok(next) = entries.try_recv()
            {
                batch.push(next);
            }
        }
    }

    /// `committing`: whether it came so far that nobody knows whether it was committed.
    async fn attempt(
        &mut self,
        batch: &mut [Entry],
        committing: &mut bool,
    ) -> std::result::Result<(), Failure> {
        let location = &self.connections.location;
        let running = async {
            let connection = match &mut self.connection {
                Some(connection) => connection,
                none => none.insert(location.connect_to_write().await?),
            };
            batch.sort_by_key(|entry| entry.request.ledger());
            let mut tx = Transaction::begin(connection).await?;
            for entry in &mut *batch {
                entry.request.run(&mut tx).await?;
            }
            let news = tx.has_news();
            batch
                .iter()
                .for_each(|entry| entry.request.checkpoint(false));
            tx.finish().await?;
            *committing = true;
            tx.commit().await?;
            batch
                .iter()
                .for_each(|entry| entry.request.checkpoint(true));
            if news {
                self.news.notify_waiters();
            }
            Ok(())
        };
        let done = timeout(COMMIT_WITHIN, running).await;
        done.unwrap_or_else(|_| Err(Failure::silent(location)))
    }
}

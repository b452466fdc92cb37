//! What is done to the tables.

/// Looks at a store without writing: `read!(store, |sql| { … })`. A connection that was idle may turn out to be dead,
/// because the server was restarted: then once more, on a new one.
macro_rules! read {
    ($store:expr, |$sql:ident| $look:block) => {{
        let connections = $store.connections();
        let mut again = true;
        loop {
            let looked = tokio::time::timeout(crate::store::READ_WITHIN, async {
                let mut lease = connections
                    .lease()
                    .await
                    .map_err(|failure| (failure, false))?;
                let was_idle = lease.was_idle;
                let $sql = &mut lease.sql;
                let value: std::result::Result<_, crate::sql::Failure> = async { $look }.await;
                match value {
                    Ok(value) => {
                        lease.keep();
                        Ok(value)
                    }
                    Err(failure) => Err((failure, was_idle)),
                }
            });
            let silent = |_| Err((crate::sql::Failure::silent(&connections.location), false));
            match looked.await.unwrap_or_else(silent) {
                Ok(value) => break Ok(value),
                Err((failure, was_idle)) if again && was_idle && failure.is_passing() => {
                    // The others will be no better.
                    connections.forget_idle();
                    again = false;
                }
                Err((failure, _)) => break Err(failure.of(&connections.location)),
            }
        }
    }};
}

mod change;
mod claim;
mod doubts;
mod enqueue;
mod finish;
mod import;
mod imported;
mod listen;
mod names;
mod owners;
mod places;
#[cfg(test)]
mod plans;
mod read;
mod settle;
mod writer;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use famulor_quota::SharedDatabase;
use tokio::sync::Notify;

pub(crate) use change::{Cancel, Prune, Resolve, Retry};
pub(crate) use claim::{Claim, Claimed, Taking};
pub(crate) use doubts::{Doubt, Looked, TakeDoubts, Verdict};
pub(crate) use enqueue::Enqueue;
pub(crate) use finish::FinishImport;
pub(crate) use import::{AddChunk, BeginImport, Begun, Chunk};
pub(crate) use imported::{CustomerKey, ImportedRow};
use listen::Listening;
pub(crate) use names::AccountOf;
pub(crate) use owners::{Forget, OwnerGone, Register, Renew};
pub(crate) use places::Place;
pub(crate) use settle::{NextPosition, Outcome, Settle};
pub(crate) use writer::Step;
use writer::Writer;

use crate::sql::{Connections, Failure, Host, Location};
use crate::{Error, Result};

/// Connections for reading: a page of rows here must not hold up a worker's look for work there.
const READERS: usize = 4;

/// A server that takes longer for a look is as good as one that is not there.
const READ_WITHIN: Duration = Duration::from_secs(30);

/// An open store. Clones share it.
#[derive(Clone)]
pub(crate) struct Store(Arc<Inner>);

struct Inner {
    connections: Arc<Connections>,
    writer: Writer,
    /// Writes beside the other where the database lets two write at once: while outcomes are on their way to the disk, the
    /// next messages are taken. No two locks of theirs can be in each other's way, as those of two workers cannot.
    claimer: Option<Writer>,
    news: Arc<Notify>,
    /// Begun by the first who waits for news.
    listening: OnceLock<Listening>,
}

impl Store {
    pub(crate) async fn open(location: &str) -> Result<Self> {
        let location = Location::parse(location)?;
        let prepared = location.prepare().await;
        prepared.map_err(|failure| failure.of(&location))?;
        let connections = Arc::new(Connections::new(location, READERS));
        let news = Arc::new(Notify::new());
        let start = || Writer::start(Arc::clone(&connections), Arc::clone(&news));
        let claimer = (!connections.location.is_file()).then(start);
        let writer = start();
        Ok(Self(Arc::new(Inner {
            connections,
            writer,
            claimer,
            news,
            listening: OnceLock::new(),
        })))
    }

    pub(crate) fn location(&self) -> &Location {
        &self.0.connections.location
    }

    /// Wakes when something may have changed: by this process at once, by others where the store says so.
    pub(crate) fn news(&self) -> &Notify {
        self.0
            .listening
            .get_or_init(|| Listening::start(self.location(), &self.0.news));
        &self.0.news
    }

    /// How often whoever waits for news asks anyway. A file says nothing of what other processes do.
    pub(crate) fn poll(&self) -> Duration {
        match self.location().is_file() {
            true => Duration::from_millis(250),
            false => Duration::from_secs(2),
        }
    }

    /// Whether the quota is kept in this very database, where we may change it.
    pub(crate) async fn is_home_of(&self, quota: &SharedDatabase) -> Result<bool> {
        let file = self.location().file();
        read!(self, |sql| {
            quota.is_behind(&mut Host::new(sql, file)).await
        })
    }

    /// Does a step in a transaction with those of others, and returns once it is on the disk. If the store is away, fails
    /// after a few seconds.
    pub(crate) async fn write<S: Step>(&self, step: S) -> Result<S::Output> {
        self.0.writer.write(step, false).await
    }

    /// The same, and waits for as long as the store is away or full.
    pub(crate) async fn write_patiently<S: Step>(&self, step: S) -> Result<S::Output> {
        self.0.writer.write(step, true).await
    }

    /// Takes messages, as [`write`](Self::write) does what it is given, and waits for nothing that others write.
    pub(crate) async fn claim(&self, claim: Claim) -> Result<<Claim as Step>::Output> {
        let claimer = self.0.claimer.as_ref().unwrap_or(&self.0.writer);
        claimer.write(claim, false).await
    }

    fn connections(&self) -> &Connections {
        &self.0.connections
    }
}

impl From<Failure> for Error {
    /// Only for failures of our own, which name their place themselves.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Said(error) => error,
            Failure::Sql(error) => Error::new(crate::ErrorKind::Store, error.to_string()),
        }
    }
}

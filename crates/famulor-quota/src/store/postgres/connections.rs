//! Connections that are kept, and replaced when they break.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::failure::Failure;
use super::tables::{self, Loaded};
use crate::AccountKey;

/// Not a pool of sqlx's: those ask the server whether a connection is alive each
/// time it is put back, which would add a third to the cost of an operation.
#[derive(Debug)]
pub(super) struct Connections {
    options: PgConnectOptions,
    idle: Mutex<Vec<PgConnection>>,
    places: Semaphore,
    /// How many there have been: each may lead to another server.
    opened: AtomicU64,
}

/// A connection of our own. It is closed when dropped, and whatever it was in
/// the middle of is undone, unless it is [kept](Lease::keep).
pub(super) struct Lease<'a> {
    pub(super) sql: PgConnection,
    pub(super) was_idle: bool,
    from: &'a Connections,
    _place: Option<SemaphorePermit<'a>>,
}

impl Connections {
    pub(super) fn new(options: PgConnectOptions, most: usize) -> Self {
        Self {
            options,
            idle: Mutex::default(),
            places: Semaphore::new(most.max(1)),
            opened: AtomicU64::new(0),
        }
    }

    /// A connection on which an account was loaded. One that was idle may turn
    /// out to be dead, because the server was restarted: then a new one.
    pub(super) async fn load(&self, account: AccountKey) -> Result<(Lease<'_>, Loaded), Failure> {
        let mut lease = self.lease().await?;
        match tables::load(&mut lease.sql, account).await {
            Ok(loaded) => return Ok((lease, loaded)),
            Err(failure) if !lease.was_idle => return Err(failure),
            Err(_) => self.drop_idle(),
        }
        lease.sql = self.connect().await?;
        let loaded = tables::load(&mut lease.sql, account).await?;
        Ok((lease, loaded))
    }

    pub(super) async fn lease(&self) -> Result<Lease<'_>, Failure> {
        // Never closed, so there is always a permit to be had.
        let place = self.places.acquire().await.ok();
        let idle = self.idle().pop();
        let was_idle = idle.is_some();
        let sql = match idle {
            Some(sql) => sql,
            None => self.connect().await?,
        };
        Ok(Lease {
            sql,
            was_idle,
            from: self,
            _place: place,
        })
    }

    async fn connect(&self) -> Result<PgConnection, Failure> {
        let connected = self.options.connect().await?;
        self.opened.fetch_add(1, Ordering::AcqRel);
        Ok(connected)
    }

    /// How many there have been.
    pub(super) fn opened(&self) -> u64 {
        self.opened.load(Ordering::Acquire)
    }

    /// One of them was dead: the others will be no better.
    pub(super) fn drop_idle(&self) {
        self.idle().clear();
    }

    fn idle(&self) -> MutexGuard<'_, Vec<PgConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease<'_> {
    /// All went well: others may use the connection.
    pub(super) fn keep(self) {
        self.from.idle().push(self.sql);
    }
}

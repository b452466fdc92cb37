//! Connections that are kept, and replaced when they break.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::{Failure, Location, Sql};

/// Connections to a store.
pub(crate) struct Connections {
    pub(crate) location: Location,
    idle: Mutex<Vec<Sql>>,
    places: Semaphore,
}

/// A connection of one's own. Dropped, it is closed, and whatever it was in the middle of is undone, unless it is
/// [kept](Lease::keep).
pub(crate) struct Lease<'a> {
    pub(crate) sql: Sql,
    /// It was used before, and may be dead.
    pub(crate) was_idle: bool,
    from: &'a Connections,
    _place: Option<SemaphorePermit<'a>>,
}

impl Connections {
    pub(crate) fn new(location: Location, most: usize) -> Self {
        Self {
            location,
            idle: Mutex::default(),
            places: Semaphore::new(most),
        }
    }

    pub(crate) async fn lease(&self) -> Result<Lease<'_>, Failure> {
        // Never closed, so there is always a permit to be had.
        let place = self.places.acquire().await.ok();
        let idle = self.idle().pop();
        let was_idle = idle.is_some();
        let sql = match idle {
            Some(sql) => sql,
            None => self.location.connect().await?,
        };
        Ok(Lease {
            sql,
            was_idle,
            from: self,
            _place: place,
        })
    }

    /// Closes what is idle: after a failure the others will be no better.
    pub(crate) fn forget_idle(&self) {
        self.idle().clear();
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Sql>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease<'_> {
    /// All went well: others may use the connection.
    pub(crate) fn keep(self) {
        self.from.idle().push(self.sql);
    }
}

//! Going on alone when the store cannot be reached.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{
    Answer, Ask, Completion, MemoryStore, QuotaStore, SharedDatabase, SlotId, StoreError,
    StoreFuture,
};
use crate::ledger::Moment;
use crate::{AccountKey, Limit, Usage};

/// How long a store that could not be reached is not asked again, so that not
/// every call has to wait for that.
const LEAVE_ALONE: Duration = Duration::from_secs(1);

/// Marks the slots of the local ledger. No clock gets here in 292,000 years.
const LOCAL: u64 = 1 << 63;

/// A store that goes on with a share of each limit, in this process alone, while
/// the store it wraps cannot be reached; see [`QuotaStore::degrade_to_local`].
pub struct DegradeToLocal<S> {
    shared: Arc<Shared<S>>,
}

struct Shared<S> {
    store: S,
    local: MemoryStore,
    share: f64,
    failed: Mutex<Option<Instant>>,
}

impl<S: QuotaStore> DegradeToLocal<S> {
    pub(super) fn new(store: S, share: f64) -> Self {
        Self {
            shared: Arc::new(Shared {
                store,
                local: MemoryStore::new(),
                share: share.clamp(0.0, 1.0),
                failed: Mutex::default(),
            }),
        }
    }

    /// Whether the store could not be reached when it was last asked: calls then
    /// go by this process's own share.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        self.shared.failed().is_some()
    }

    /// What the store answers, or else what we say.
    fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&S) -> StoreFuture<T> + Send + 'static,
        instead: impl FnOnce(&Shared<S>) -> StoreFuture<T> + Send + 'static,
    ) -> StoreFuture<T> {
        let shared = Arc::clone(&self.shared);
        StoreFuture::new(async move {
            match shared.try_store(ask).await {
                Ok(answer) => Ok(answer),
                Err(_) => instead(&shared).await,
            }
        })
    }
}

impl<S: QuotaStore> Shared<S> {
    async fn try_store<T>(&self, ask: impl FnOnce(&S) -> StoreFuture<T>) -> Result<T, StoreError> {
        if self.failed().is_some_and(|at| at.elapsed() < LEAVE_ALONE) {
            return Err(StoreError::new("it could not be reached a moment ago"));
        }
        let answer = ask(&self.store).await;
        let failed = answer.is_err().then(Instant::now);
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = failed;
        answer
    }

    fn failed(&self) -> Option<Instant> {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Our share of these limits: one slot of each at the least.
    fn limits(&self, limits: &[Limit]) -> Arc<[Limit]> {
        let share = |limit: &Limit| {
            let requests = f64::from(limit.requests()) * self.share;
            // Cut off, and never out of a u32's range: it is a part of one.
            let requests = (requests as u32).max(1);
            Limit::new(requests, limit.window(), limit.scope().to_owned())
        };
        limits.iter().map(share).collect()
    }

    fn acquire(&self, ask: &Ask) -> Answer {
        match self
            .local
            .acquire_now(ask.account, &self.limits(&ask.limits), ask.hold)
        {
            Ok(slot) => {
                let marked = Moment::from_micros(slot.moment().as_micros() | LOCAL);
                Answer::Granted(SlotId::from_moment(marked))
            }
            Err(ready_in) => Answer::Wait { ready_in },
        }
    }
}

/// The local ledger's name for a slot, if it is one of its own.
fn local(slot: SlotId) -> Option<SlotId> {
    let micros = slot.moment().as_micros();
    let unmarked = Moment::from_micros(micros & !LOCAL);
    (micros & LOCAL != 0).then(|| SlotId::from_moment(unmarked))
}

impl<S: QuotaStore> QuotaStore for DegradeToLocal<S> {
    fn acquire(&self, ask: Ask) -> StoreFuture<Answer> {
        let again = ask.clone();
        self.ask(
            move |store| store.acquire(ask),
            move |shared| StoreFuture::ready(Ok(shared.acquire(&again))),
        )
    }

    fn complete(&self, account: AccountKey, slot: SlotId, how: Completion) -> StoreFuture<()> {
        match local(slot) {
            Some(slot) => self.shared.local.complete(account, slot, how),
            None => self.shared.store.complete(account, slot, how),
        }
    }

    fn reject(
        &self,
        account: AccountKey,
        slot: SlotId,
        retry_after: Option<Duration>,
    ) -> StoreFuture<Duration> {
        let shared = Arc::clone(&self.shared);
        StoreFuture::new(async move {
            if let Some(slot) = local(slot) {
                let frozen = shared.local.reject(account, slot, retry_after).await?;
                // The others too, if they can be told.
                let _ = shared
                    .try_store(|store| store.freeze(account, frozen))
                    .await;
                return Ok(frozen);
            }
            let rejected = shared.store.reject(account, slot, retry_after).await;
            let frozen = match &rejected {
                Ok(frozen) => *frozen,
                Err(_) => retry_after.unwrap_or_default() + Duration::from_secs(1),
            };
            // The store may go away while it is frozen.
            shared.local.freeze(account, frozen).await?;
            rejected
        })
    }

    fn freeze(&self, account: AccountKey, time: Duration) -> StoreFuture<()> {
        let shared = Arc::clone(&self.shared);
        StoreFuture::new(async move {
            shared.local.freeze(account, time).await?;
            let _ = shared.try_store(|store| store.freeze(account, time)).await;
            Ok(())
        })
    }

    fn ready_in(
        &self,
        account: AccountKey,
        limits: Arc<[Limit]>,
        ahead: usize,
    ) -> StoreFuture<Duration> {
        let again = Arc::clone(&limits);
        self.ask(
            move |store| store.ready_in(account, limits, ahead),
            move |shared| shared.local.ready_in(account, shared.limits(&again), ahead),
        )
    }

    fn usage(&self, account: AccountKey, limits: Arc<[Limit]>) -> StoreFuture<Vec<Usage>> {
        let again = Arc::clone(&limits);
        self.ask(
            move |store| store.usage(account, limits),
            move |shared| shared.local.usage(account, shared.limits(&again)),
        )
    }

    fn changed(&self, account: AccountKey) -> StoreFuture<()> {
        self.shared.store.changed(account)
    }

    /// None while the store cannot be reached: slots are of the local share then.
    fn database(&self) -> StoreFuture<Option<SharedDatabase>> {
        match self.is_degraded() {
            true => StoreFuture::ready(Ok(None)),
            false => self.shared.store.database(),
        }
    }
}

impl<S> fmt::Debug for DegradeToLocal<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DegradeToLocal")
            .field("share", &self.shared.share)
            .finish_non_exhaustive()
    }
}

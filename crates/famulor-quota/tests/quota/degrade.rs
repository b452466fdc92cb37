//! A store that is lost, and what goes on without it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use famulor_quota::{
    AccountKey, AcquireError, Answer, Ask, Completion, Limit, MemoryStore, Quota, QuotaStore,
    SlotId, StoreError, StoreFuture, Usage,
};
use tokio::time::sleep;

use crate::{SPAN, account, busy, per_minute, request, seconds};

/// A store whose server comes and goes.
#[derive(Clone, Default)]
struct Unsteady(Arc<(MemoryStore, AtomicBool)>);

impl Unsteady {
    fn away(&self, away: bool) {
        self.0.1.store(away, Ordering::Relaxed);
    }

    fn or_away<T: Send + 'static>(
        &self,
        answer: impl FnOnce(&MemoryStore) -> StoreFuture<T>,
    ) -> StoreFuture<T> {
        match self.0.1.load(Ordering::Relaxed) {
            true => StoreFuture::ready(Err(StoreError::new("away"))),
            false => answer(&self.0.0),
        }
    }
}

impl QuotaStore for Unsteady {
    fn acquire(&self, ask: Ask) -> StoreFuture<Answer> {
        self.or_away(|store| store.acquire(ask))
    }

    fn complete(&self, account: AccountKey, slot: SlotId, how: Completion) -> StoreFuture<()> {
        self.or_away(|store| store.complete(account, slot, how))
    }

    fn reject(
        &self,
        account: AccountKey,
        slot: SlotId,
        retry_after: Option<Duration>,
    ) -> StoreFuture<Duration> {
        self.or_away(|store| store.reject(account, slot, retry_after))
    }

    fn freeze(&self, account: AccountKey, time: Duration) -> StoreFuture<()> {
        self.or_away(|store| store.freeze(account, time))
    }

    fn ready_in(
        &self,
        account: AccountKey,
        limits: Arc<[Limit]>,
        ahead: usize,
    ) -> StoreFuture<Duration> {
        self.or_away(|store| store.ready_in(account, limits, ahead))
    }

    fn usage(&self, account: AccountKey, limits: Arc<[Limit]>) -> StoreFuture<Vec<Usage>> {
        self.or_away(|store| store.usage(account, limits))
    }
}

#[tokio::test(start_paused = true)]
async fn without_its_store_a_process_goes_on_with_its_share() {
    let store = Unsteady::default();
    let quota = Quota::with_store(store.clone().degrade_to_local(0.4));
    let limits = per_minute(5);
    store.away(true);
    let one = quota.try_acquire(request(&limits)).await.unwrap();
    let other = quota.try_acquire(request(&limits)).await.unwrap();
    let none = quota.try_acquire(request(&limits)).await;
    assert!(
        matches!(none, Err(AcquireError::WouldWait { .. })),
        "{none:?}"
    );
    one.complete(None).await;
    other.give_back().await;
    assert_eq!(busy(&quota, &limits).await, 1);

    // It is back: asked again after a second, and all five slots are there.
    store.away(false);
    sleep(seconds(1)).await;
    for _ in 0..5 {
        quota
            .try_acquire(request(&limits))
            .await
            .unwrap()
            .complete(None)
            .await;
    }
    assert_eq!(busy(&quota, &limits).await, 5);
}

#[tokio::test(start_paused = true)]
async fn a_share_too_small_for_a_slot_is_one_slot() {
    let store = Unsteady::default();
    store.away(true);
    let degraded = store.degrade_to_local(0.0);
    let quota = Quota::with_store(degraded);
    let limits = per_minute(5);
    let permit = quota.try_acquire(request(&limits)).await.unwrap();
    assert!(quota.try_acquire(request(&limits)).await.is_err());
    drop(permit);
}

#[tokio::test(start_paused = true)]
async fn a_slot_is_given_back_to_the_side_that_granted_it() {
    let store = Unsteady::default();
    let quota = Quota::with_store(store.clone().degrade_to_local(0.5));
    let limits = per_minute(2);
    let shared = quota.try_acquire(request(&limits)).await.unwrap();
    store.away(true);
    let own = quota.try_acquire(request(&limits)).await.unwrap();
    store.away(false);
    sleep(seconds(1)).await;
    own.complete(None).await;
    assert_eq!(busy(&quota, &limits).await, 1);
    shared.give_back().await;
    assert_eq!(busy(&quota, &limits).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_freezes_both_sides() {
    let store = Unsteady::default();
    let quota = Quota::with_store(store.clone().degrade_to_local(1.0));
    let limits = per_minute(2);
    let permit = quota.try_acquire(request(&limits)).await.unwrap();
    assert_eq!(permit.reject(Some(seconds(20))).await, seconds(21));
    store.away(true);
    assert_eq!(
        quota.next_free(&account(), &limits).await.unwrap(),
        seconds(21)
    );
    sleep(seconds(21)).await;

    let permit = quota.try_acquire(request(&limits)).await.unwrap();
    store.away(false);
    sleep(seconds(1)).await;
    assert!(permit.reject(None).await <= SPAN);
    let next = store
        .ready_in(account(), Arc::clone(&limits), 0)
        .await
        .unwrap();
    assert!(next > Duration::ZERO);
}

//! Stores that take their time, and stores that fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use famulor_quota::{
    AccountKey, AcquireError, Answer, Ask, Completion, Limit, MemoryStore, Quota, QuotaStore,
    SlotId, StoreError, StoreFuture, Usage,
};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use crate::{SPAN, Served, account, busy, per_minute, request, seconds, settle, use_slot, waiting};

/// How long the store takes to hear a question, and again to answer it.
const WAY: Duration = Duration::from_millis(100);

/// A memory store at the end of a slow wire, which can be cut.
#[derive(Clone, Default)]
pub(crate) struct FarStore(Arc<Far>);

#[derive(Default)]
pub(crate) struct Far {
    store: MemoryStore,
    asked: AtomicUsize,
    cut: AtomicBool,
    /// Rung by whoever wants the other processes to look again.
    news: Notify,
}

impl FarStore {
    fn far<T, F>(&self, act: impl FnOnce(&MemoryStore) -> F + Send + 'static) -> StoreFuture<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        let far = self.0.clone();
        StoreFuture::new(async move {
            sleep(WAY).await;
            if far.cut.load(Ordering::Relaxed) {
                return Err(StoreError::new("the wire is cut"));
            }
            let answer = act(&far.store).await;
            sleep(WAY).await;
            answer
        })
    }
}

impl QuotaStore for FarStore {
    fn acquire(&self, ask: Ask) -> StoreFuture<Answer> {
        self.0.asked.fetch_add(1, Ordering::Relaxed);
        self.far(|store| store.acquire(ask))
    }

    fn complete(&self, account: AccountKey, slot: SlotId, how: Completion) -> StoreFuture<()> {
        self.far(move |store| store.complete(account, slot, how))
    }

    fn reject(
        &self,
        account: AccountKey,
        slot: SlotId,
        retry_after: Option<Duration>,
    ) -> StoreFuture<Duration> {
        self.far(move |store| store.reject(account, slot, retry_after))
    }

    fn freeze(&self, account: AccountKey, time: Duration) -> StoreFuture<()> {
        self.far(move |store| store.freeze(account, time))
    }

    fn ready_in(
        &self,
        account: AccountKey,
        limits: Arc<[Limit]>,
        ahead: usize,
    ) -> StoreFuture<Duration> {
        self.far(move |store| store.ready_in(account, limits, ahead))
    }

    fn usage(&self, account: AccountKey, limits: Arc<[Limit]>) -> StoreFuture<Vec<Usage>> {
        self.far(move |store| store.usage(account, limits))
    }

    fn changed(&self, _: AccountKey) -> StoreFuture<()> {
        let far = self.0.clone();
        StoreFuture::new(async move {
            far.news.notified().await;
            Ok(())
        })
    }
}

#[tokio::test(start_paused = true)]
async fn two_processes_share_one_quota() {
    let store = FarStore::default();
    let limits = per_minute(2);
    let processes = [store.clone(), store.clone()].map(Quota::with_store);
    let served = Served::default();
    let began = Instant::now();
    let mut callers = Vec::new();
    for quota in &processes {
        for _ in 0..3 {
            callers.push(served.caller(quota, request(&limits), "."));
        }
    }
    for caller in callers {
        caller.await.unwrap();
    }
    // Six calls, two a minute, and nobody waits for longer than that takes.
    assert!(began.elapsed() >= 2 * SPAN);
    assert!(
        began.elapsed() <= 2 * SPAN + seconds(3),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn news_from_another_process_wake_the_first_who_waits() {
    let store = FarStore::default();
    let limits = per_minute(1);
    let [one, other] = [store.clone(), store.clone()].map(Quota::with_store);
    let permit = one.acquire(request(&limits)).await.unwrap();
    let served = Served::default();
    let waits = served.caller(&other, request(&limits), "other");
    sleep(seconds(1)).await;
    permit.give_back().await;
    let began = Instant::now();
    store.0.news.notify_waiters();
    waits.await.unwrap();
    assert!(began.elapsed() < seconds(1), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn first_come_first_served_holds_for_a_store_that_takes_its_time() {
    let (quota, limits, served) = (
        Quota::with_store(FarStore::default()),
        per_minute(2),
        Served::default(),
    );
    let mut callers = Vec::new();
    for number in 0..7 {
        callers.push(served.caller(&quota, request(&limits), &number.to_string()));
        settle().await;
    }
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(served.names().concat(), "0123456");
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_while_the_store_is_asked_leaves_no_slot_behind() {
    for patience in [0, 50, 100, 150, 199, 200] {
        let (quota, limits) = (Quota::with_store(FarStore::default()), per_minute(1));
        let patience = Duration::from_millis(patience);
        let _ = timeout(patience, quota.acquire(request(&limits))).await;
        sleep(seconds(1)).await;
        assert_eq!(
            busy(&quota, &limits).await,
            0,
            "given up after {patience:?}"
        );
        assert_eq!(waiting(&quota, &limits).await, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_gets_the_slot_of_a_call_dropped_while_the_store_is_asked() {
    let (quota, limits, served) = (
        Quota::with_store(FarStore::default()),
        per_minute(1),
        Served::default(),
    );
    let dropped = served.caller(&quota, request(&limits), "dropped");
    settle().await;
    let next = served.caller(&quota, request(&limits), "next");
    sleep(Duration::from_millis(150)).await;
    dropped.abort();
    let began = Instant::now();
    next.await.unwrap();
    assert!(began.elapsed() < seconds(1), "{:?}", began.elapsed());
    assert_eq!(served.names(), ["next"]);
}

#[tokio::test(start_paused = true)]
async fn a_store_hears_how_a_call_ended_even_if_nobody_waits_for_that() {
    let (quota, limits) = (Quota::with_store(FarStore::default()), per_minute(1));
    let mut permit = quota.acquire(request(&limits)).await.unwrap();
    permit.mark_sent().unwrap();
    let _ = timeout(Duration::from_millis(1), permit.complete(None)).await;
    sleep(seconds(1)).await;
    let next = quota.next_free(&account(), &limits).await.unwrap();
    assert!(next < SPAN, "{next:?}");

    let (quota, limits) = (Quota::with_store(FarStore::default()), per_minute(1));
    drop(quota.acquire(request(&limits)).await.unwrap());
    sleep(seconds(1)).await;
    assert_eq!(busy(&quota, &limits).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_permit_is_as_old_as_the_question_that_got_it() {
    let (quota, limits) = (Quota::with_store(FarStore::default()), per_minute(1));
    let mut permit = quota.acquire(request(&limits)).await.unwrap();
    sleep(Duration::from_millis(1801)).await;
    assert!(permit.mark_sent().is_err());
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_store_is_an_error_that_says_so() {
    let store = FarStore::default();
    let (quota, limits) = (Quota::with_store(store.clone()), per_minute(1));
    let permit = quota.acquire(request(&limits)).await.unwrap();
    store.0.cut.store(true, Ordering::Relaxed);
    let error = quota.acquire(request(&limits)).await.unwrap_err();
    assert!(matches!(error, AcquireError::Store(_)));
    assert!(error.to_string().contains("the wire is cut"), "{error}");
    assert_eq!(permit.reject(Some(seconds(5))).await, seconds(6));
}

#[tokio::test(start_paused = true)]
async fn a_long_line_asks_the_store_about_twice_for_each_slot() {
    let store = FarStore::default();
    let (quota, limits, served) = (
        Quota::with_store(store.clone()),
        per_minute(10),
        Served::default(),
    );
    let callers: Vec<_> = (0..200)
        .map(|_| served.caller(&quota, request(&limits), "."))
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let asked = store.0.asked.load(Ordering::Relaxed);
    assert!(asked <= 400, "asked {asked} times for 200 slots");
}

#[tokio::test(start_paused = true)]
async fn idle_accounts_are_forgotten() {
    let store = Arc::new(MemoryStore::new());
    let limits = per_minute(1);
    for number in 0..20_000_u32 {
        let account = AccountKey::new(number.to_le_bytes());
        let slot = store.acquire_now(account, &limits, seconds(92)).unwrap();
        store.complete_now(account, slot, Completion::Answered(None));
    }
    assert_eq!(store.accounts(), 20_000);
    sleep(seconds(200)).await;
    for number in 0..1000_u32 {
        let account = AccountKey::new(number.to_be_bytes());
        let slot = store.acquire_now(account, &limits, seconds(92)).unwrap();
        store.complete_now(account, slot, Completion::NotSent);
    }
    assert!(store.accounts() <= 1000, "{} accounts", store.accounts());
}

#[tokio::test]
async fn permits_and_calls_can_move_between_threads() {
    fn movable<T: Send>(value: T) -> T {
        value
    }
    let (quota, limits) = (Quota::in_memory(), per_minute(3));
    let permit = movable(quota.acquire(request(&limits))).await.unwrap();
    movable(permit.complete(None)).await;
    movable(use_slot(&quota, &limits)).await;
    let permit = quota.acquire(request(&limits)).await.unwrap();
    movable(permit.reject(None)).await;
}

//! The asynchronous front end, on a clock that only moves when nothing else can.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use famulor_quota::{AccountKey, AcquireRequest, Limit, Quota};
use tokio::task::JoinHandle;
use tokio::time::Instant;

const MINUTE: Duration = Duration::from_secs(60);
/// What the guard adds to a minute.
const SPAN: Duration = Duration::from_millis(60_120);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn account() -> AccountKey {
    AccountKey::new("token")
}

fn per_minute(requests: u32) -> Arc<[Limit]> {
    Arc::new([Limit::new(requests, MINUTE, "replies")])
}

fn request(limits: &Arc<[Limit]>) -> AcquireRequest {
    AcquireRequest::new(account(), Arc::clone(limits))
}

/// Takes a slot and completes the call at once.
async fn use_slot(quota: &Quota, limits: &Arc<[Limit]>) {
    quota
        .acquire(request(limits))
        .await
        .unwrap()
        .complete(None)
        .await;
}

/// Lets every other task run until it waits for something.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// Who got a slot, in that order.
#[derive(Clone, Default)]
struct Served(Arc<Mutex<Vec<String>>>);

impl Served {
    fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// A task that waits for a slot, completes its call at once, and signs.
    fn caller(&self, quota: &Quota, request: AcquireRequest, name: &str) -> JoinHandle<()> {
        let (quota, served, name) = (quota.clone(), self.clone(), name.to_owned());
        tokio::spawn(async move {
            let permit = quota.acquire(request).await.unwrap();
            served.0.lock().unwrap().push(name);
            permit.complete(None).await;
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_sixth_call_waits_for_the_first_to_be_a_window_old() {
    let (quota, limits) = (Quota::in_memory(), per_minute(5));
    let began = Instant::now();
    for _ in 0..5 {
        let permit = quota.acquire(request(&limits)).await.unwrap();
        assert_eq!(permit.waited(), Duration::ZERO);
        permit.complete(None).await;
    }
    let permit = quota.acquire(request(&limits)).await.unwrap();
    assert_eq!(permit.waited(), began.elapsed());
    assert!(began.elapsed() >= SPAN && began.elapsed() < SPAN + seconds(1));
}

#[tokio::test(start_paused = true)]
async fn inside_a_lane_the_first_to_come_is_the_first_served() {
    let (quota, limits, served) = (Quota::in_memory(), per_minute(2), Served::default());
    use_slot(&quota, &limits).await;
    use_slot(&quota, &limits).await;
    let mut callers = Vec::new();
    for number in 0..9 {
        callers.push(served.caller(&quota, request(&limits), &number.to_string()));
        settle().await;
    }
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(served.names().concat(), "012345678");
}

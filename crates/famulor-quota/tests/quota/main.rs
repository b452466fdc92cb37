//! The asynchronous front end, on a clock that only moves when nothing else can.

mod chance;
mod deadlines;
mod degrade;
mod hours;
mod permits;
mod stores;
mod threads;
mod turns;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use famulor_quota::{AccountKey, AcquireRequest, Limit, Quota};
use tokio::task::JoinHandle;
use tokio::time::timeout;

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

async fn busy(quota: &Quota, limits: &Arc<[Limit]>) -> u32 {
    quota.usage(&account(), limits).await.unwrap()[0].busy
}

async fn waiting(quota: &Quota, limits: &Arc<[Limit]>) -> u32 {
    quota.usage(&account(), limits).await.unwrap()[0].waiting
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
            // On a paused clock a day passes in no time: a call that is forgotten
            // fails its test and does not hang it.
            let permit = timeout(24 * 60 * MINUTE, quota.acquire(request)).await;
            let permit = permit.expect("a turn within a day").unwrap();
            served.0.lock().unwrap().push(name);
            permit.complete(None).await;
        })
    }
}

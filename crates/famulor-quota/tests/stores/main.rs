//! Stores that several processes share, each on the real thing.
#![cfg(any(feature = "sqlite", feature = "postgres", feature = "redis"))]

mod alike;
mod child;
#[cfg(all(feature = "sqlite", feature = "postgres", unix))]
mod host;
mod place;
mod processes;
#[cfg(any(feature = "postgres", feature = "redis"))]
mod restarts;
mod server;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::sync::Arc;
use std::time::Duration;

use famulor_quota::{AccountKey, AcquireRequest, Lane, Limit};
use famulor_quota::{Answer, Ask, Completion, QuotaStore, Seen, SlotId};

const MINUTE: Duration = Duration::from_secs(60);
const HOLD: Duration = Duration::from_secs(92);

fn limits(requests: u32, window: Duration) -> Arc<[Limit]> {
    Arc::new([Limit::new(requests, window, "replies")])
}

fn account(name: &str) -> AccountKey {
    AccountKey::new(name)
}

fn request(account: AccountKey, limits: &Arc<[Limit]>) -> AcquireRequest {
    AcquireRequest::new(account, Arc::clone(limits))
}

fn ask(account: AccountKey, limits: &Arc<[Limit]>, hold: Duration) -> Ask {
    Ask::new(account, Arc::clone(limits), Lane::Interactive, hold)
}

/// Takes a slot that must be free.
async fn take(store: &dyn QuotaStore, account: AccountKey, limits: &Arc<[Limit]>) -> SlotId {
    match store.acquire(ask(account, limits, HOLD)).await.unwrap() {
        Answer::Granted(slot) => slot,
        Answer::Wait { ready_in } => panic!("no free slot for {ready_in:?}"),
    }
}

/// For how long there is no slot; there must be none.
async fn wait(store: &dyn QuotaStore, account: AccountKey, limits: &Arc<[Limit]>) -> Duration {
    match store.acquire(ask(account, limits, HOLD)).await.unwrap() {
        Answer::Granted(_) => panic!("a slot is free"),
        Answer::Wait { ready_in } => ready_in,
    }
}

fn answered(limits: &[Limit], counted: u32) -> Completion {
    Completion::Answered(Some(Seen {
        limit: limits[0].clone(),
        counted,
    }))
}

/// Within what a busy computer accounts for, and what a store that works from
/// memory does not know of the server's clock.
#[track_caller]
fn assert_about(time: Duration, expected: Duration) {
    let (slack, margin) = (Duration::from_secs(5), Duration::from_millis(200));
    assert!(
        time <= expected + margin && time + slack >= expected,
        "{time:?}, not about {expected:?}"
    );
}

//! Many threads at once, on the real clock: nothing here may wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use famulor_quota::{MemoryStore, Quota};
use tokio::time::timeout;

use crate::{account, per_minute, request, seconds};

#[test]
fn threads_together_get_no_more_slots_than_there_are() {
    let (store, limits) = (MemoryStore::new(), per_minute(100));
    let granted = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let slot = store.acquire_now(account(), &limits, seconds(92));
                    granted.fetch_add(u32::from(slot.is_ok()), Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(granted.into_inner(), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_slot_given_back_always_wakes_somebody() {
    let (quota, limits) = (Quota::in_memory(), per_minute(3));
    let held = Arc::new(AtomicU32::new(0));
    let mut tasks = Vec::new();
    for _ in 0..32 {
        let (quota, limits, held) = (quota.clone(), Arc::clone(&limits), Arc::clone(&held));
        tasks.push(tokio::spawn(async move {
            for round in 0..100_u32 {
                let permit = quota.acquire(request(&limits)).await.unwrap();
                assert!(held.fetch_add(1, Ordering::AcqRel) < 3);
                tokio::task::yield_now().await;
                held.fetch_sub(1, Ordering::AcqRel);
                if round % 2 == 0 {
                    permit.give_back().await;
                }
            }
        }));
    }
    // A wake-up that got lost would cost a minute.
    for task in tasks {
        timeout(Duration::from_secs(30), task)
            .await
            .unwrap()
            .unwrap();
    }
}

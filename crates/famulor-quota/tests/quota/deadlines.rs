//! Waits that end without a slot.

use std::time::Duration;

use famulor_quota::{AcquireError, Quota};
use tokio::time::{Instant, timeout};

use crate::{SPAN, Served, busy, per_minute, request, seconds, settle, use_slot, waiting};

#[tokio::test(start_paused = true)]
async fn a_wait_that_would_pass_its_deadline_fails_at_once() {
    let (quota, limits) = (Quota::in_memory(), per_minute(1));
    use_slot(&quota, &limits).await;
    let began = Instant::now();
    let hopeless = request(&limits).with_max_wait(seconds(60));
    let error = quota.acquire(hopeless).await.unwrap_err();
    assert_eq!(began.elapsed(), Duration::ZERO);
    let AcquireError::WouldWait {
        ready_in, ahead, ..
    } = error
    else {
        panic!("{error}");
    };
    assert_eq!((ready_in, ahead), (SPAN, 0));
    assert_eq!(waiting(&quota, &limits).await, 0);

    let possible = request(&limits).with_deadline(began + seconds(61));
    assert!(quota.acquire(possible).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn those_ahead_count_when_a_deadline_is_judged() {
    let (quota, limits, served) = (Quota::in_memory(), per_minute(1), Served::default());
    use_slot(&quota, &limits).await;
    let first = served.caller(&quota, request(&limits), "first");
    settle().await;
    let began = Instant::now();
    let second = request(&limits).with_max_wait(seconds(100));
    let error = quota.acquire(second).await.unwrap_err();
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert!(
        matches!(error, AcquireError::WouldWait { ahead: 1, ready_in, .. } if ready_in == 2 * SPAN)
    );
    let message = error.to_string();
    assert!(message.contains("in 120.2 s"), "{message}");
    first.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_freeze_fails_those_whose_deadline_it_passes_at_once() {
    let (quota, limits) = (Quota::in_memory(), per_minute(2));
    let sent = quota.acquire(request(&limits)).await.unwrap();
    use_slot(&quota, &limits).await;
    let began = Instant::now();
    let mut waits = Vec::new();
    for _ in 0..3 {
        let (quota, request) = (quota.clone(), request(&limits).with_max_wait(seconds(200)));
        waits.push(tokio::spawn(async move {
            quota.acquire(request).await.map(drop)
        }));
        settle().await;
    }
    sent.reject(Some(seconds(300))).await;
    for wait in waits {
        assert!(wait.await.unwrap().is_err());
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_a_wait_behind_calls_that_do_not_end() {
    let (quota, limits) = (Quota::in_memory(), per_minute(1));
    let mut in_flight = quota.acquire(request(&limits)).await.unwrap();
    in_flight.mark_sent().unwrap();
    let began = Instant::now();
    let wait = request(&limits).with_max_wait(seconds(70));
    // It might end this moment and leave a slot in time, so this one waits.
    assert!(quota.acquire(wait).await.is_err());
    assert!(began.elapsed() <= seconds(70));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_wait_leaves_neither_a_place_nor_a_slot() {
    let (quota, limits, served) = (Quota::in_memory(), per_minute(1), Served::default());
    use_slot(&quota, &limits).await;
    let began = Instant::now();
    // Given up at every moment around the one at which the slot comes free.
    for wait in [0, 1, 30_000, 60_119, 60_120, 60_121] {
        let quota = quota.clone();
        let request = request(&limits);
        tokio::spawn(async move {
            let wait = Duration::from_millis(wait);
            let _ = timeout(wait, quota.acquire(request)).await;
        });
        settle().await;
    }
    let last = served.caller(&quota, request(&limits), "last");
    last.await.unwrap();
    assert!(
        began.elapsed() <= SPAN + Duration::from_millis(5),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(waiting(&quota, &limits).await, 0);
    assert_eq!(busy(&quota, &limits).await, 1);
}

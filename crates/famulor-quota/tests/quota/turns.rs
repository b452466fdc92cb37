//! Who goes next.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use famulor_quota::{AcquireError, Lane, Limit, Quota};
use tokio::time::{Instant, advance, timeout};

use crate::{MINUTE, SPAN, Served, per_minute, request, seconds, settle, use_slot, waiting};

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

#[tokio::test(start_paused = true)]
async fn interactive_calls_go_before_a_backlog_that_still_moves() {
    let (quota, limits, served) = (Quota::in_memory(), per_minute(1), Served::default());
    use_slot(&quota, &limits).await;
    let mut callers = Vec::new();
    for _ in 0..3 {
        let bulk = request(&limits).with_lane(Lane::Bulk);
        callers.push(served.caller(&quota, bulk, "b"));
        settle().await;
    }
    for _ in 0..16 {
        callers.push(served.caller(&quota, request(&limits), "i"));
        settle().await;
    }
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(served.names().concat(), "iiiiiiibiiiiiiibiib");
}

#[tokio::test(start_paused = true)]
async fn a_call_sent_back_by_a_429_goes_before_those_who_wait() {
    let (quota, limits, served) = (Quota::in_memory(), per_minute(1), Served::default());
    let permit = quota.acquire(request(&limits)).await.unwrap();
    let mut callers = vec![served.caller(&quota, request(&limits), "waiting ")];
    settle().await;
    assert_eq!(permit.reject(Some(seconds(10))).await, seconds(11));
    for name in ["refused 1 ", "refused 2 "] {
        callers.push(served.caller(&quota, request(&limits).at_head(true), name));
        settle().await;
    }
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(served.names().concat(), "refused 1 refused 2 waiting ");
}

#[tokio::test(start_paused = true)]
async fn reading_does_not_wait_behind_replies() {
    let quota = Quota::in_memory();
    let all = Limit::new(100, MINUTE, "all");
    let replies: Arc<[Limit]> = Arc::new([Limit::new(1, MINUTE, "replies"), all.clone()]);
    let reads: Arc<[Limit]> = Arc::new([all]);
    use_slot(&quota, &replies).await;
    let served = Served::default();
    let waits = served.caller(&quota, request(&replies), "reply");
    settle().await;
    let began = Instant::now();
    use_slot(&quota, &reads).await;
    assert_eq!(began.elapsed(), Duration::ZERO);
    waits.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn calls_that_need_less_do_not_starve_those_that_need_more() {
    let quota = Quota::in_memory();
    let all = Limit::new(1, seconds(1), "all");
    let replies: Arc<[Limit]> = Arc::new([Limit::new(1, seconds(5), "replies"), all.clone()]);
    let reads: Arc<[Limit]> = Arc::new([all]);
    use_slot(&quota, &replies).await;
    let served = Served::default();
    let mut callers = Vec::new();
    for _ in 0..10 {
        callers.push(served.caller(&quota, request(&reads), "r"));
    }
    settle().await;
    callers.push(served.caller(&quota, request(&replies), "R"));
    settle().await;
    for _ in 0..20 {
        callers.push(served.caller(&quota, request(&reads), "r"));
    }
    for caller in callers {
        caller.await.unwrap();
    }
    let place = served.names().iter().position(|name| name == "R").unwrap();
    // It came tenth, and its own limit has long been free by then.
    assert_eq!(place, 10, "{:?}", served.names());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_kept_but_not_polled_holds_up_no_calls_under_other_limits() {
    let quota = Quota::in_memory();
    let all = Limit::new(1, seconds(1), "all");
    let replies: Arc<[Limit]> = Arc::new([Limit::new(9, MINUTE, "replies"), all.clone()]);
    let reads: Arc<[Limit]> = Arc::new([all]);
    use_slot(&quota, &replies).await;
    let mut kept = Box::pin(quota.acquire(request(&replies)));
    assert!(timeout(seconds(0), &mut kept).await.is_err());
    advance(seconds(2)).await;
    let began = Instant::now();
    for _ in 0..5 {
        use_slot(&quota, &reads).await;
    }
    assert!(began.elapsed() < seconds(5), "{:?}", began.elapsed());
    kept.await.unwrap().give_back().await;
}

#[tokio::test(start_paused = true)]
async fn try_acquire_neither_waits_nor_pushes_in() {
    let (quota, limits, served) = (Quota::in_memory(), per_minute(1), Served::default());
    quota
        .try_acquire(request(&limits))
        .await
        .unwrap()
        .complete(None)
        .await;
    assert!(quota.try_acquire(request(&limits)).await.is_err());
    let waits = served.caller(&quota, request(&limits).with_lane(Lane::Bulk), "bulk");
    settle().await;
    advance(SPAN).await;
    // Free now, and promised to the one who waits; an interactive call may go.
    let bulk = request(&limits).with_lane(Lane::Bulk);
    let error = quota.try_acquire(bulk).await.unwrap_err();
    assert!(matches!(error, AcquireError::WouldWait { ahead: 1, .. }));
    quota
        .try_acquire(request(&limits))
        .await
        .unwrap()
        .give_back()
        .await;
    waits.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_thousand_waiting_calls_do_not_wake_each_other() {
    let (quota, limits, served) = (Quota::in_memory(), per_minute(10), Served::default());
    let callers: Vec<_> = (0..1000)
        .map(|number| served.caller(&quota, request(&limits), &format!("{number:03} ")))
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let names = served.names();
    assert!(names.is_sorted(), "first come, first served");
}

#[tokio::test(start_paused = true)]
async fn a_waiting_call_can_say_how_long_and_behind_how_many() {
    let (quota, limits, served) = (Quota::in_memory(), per_minute(1), Served::default());
    use_slot(&quota, &limits).await;
    let first = served.caller(&quota, request(&limits), "first");
    settle().await;
    let said = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&said);
    let second = request(&limits).on_wait(move |waiting| {
        listener.lock().unwrap().push(waiting.to_string());
    });
    let second = served.caller(&quota, second, "second");
    settle().await;
    assert_eq!(waiting(&quota, &limits).await, 2);
    first.await.unwrap();
    second.await.unwrap();
    let said = said.lock().unwrap();
    assert_eq!(said[0], "waiting at least 121 s for a free slot, 1 ahead");
    assert_eq!(said[1], "waiting at least 61 s for a free slot");
}

#[tokio::test(start_paused = true)]
async fn who_asks_by_itself_waits_behind_more_urgent_calls() {
    let (quota, limits, served) = (Quota::in_memory(), per_minute(1), Served::default());
    use_slot(&quota, &limits).await;
    let bulk = request(&limits).with_lane(Lane::Bulk);
    let mut turn = quota.turn(bulk.clone()).await.unwrap();
    assert_eq!(turn.most(5), 5);
    let urgent = served.caller(&quota, request(&limits), "urgent");
    let later = served.caller(&quota, bulk, "later");
    settle().await;
    assert_eq!(turn.most(5), 1, "others wait too");
    let ready_in = quota.next_free(&crate::account(), &limits).await.unwrap();
    turn.denied(ready_in).await.unwrap();
    assert_eq!(served.names(), ["urgent"]);
    // There was nothing to take a slot for.
    drop(turn);
    for caller in [urgent, later] {
        caller.await.unwrap();
    }
    assert_eq!(served.names(), ["urgent", "later"]);
    assert_eq!(waiting(&quota, &limits).await, 0);
}

#[tokio::test(start_paused = true)]
async fn who_asks_by_itself_is_told_when_it_cannot_go_in_time() {
    let (quota, limits) = (Quota::in_memory(), per_minute(1));
    let patient = request(&limits).with_max_wait(seconds(10));
    let mut turn = quota.turn(patient).await.unwrap();
    let began = Instant::now();
    match turn.denied(seconds(11)).await {
        Err(AcquireError::WouldWait {
            ready_in, ahead, ..
        }) => {
            assert_eq!((ready_in, ahead), (seconds(11), 0));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
    drop(turn);
    assert_eq!(waiting(&quota, &limits).await, 0);
}

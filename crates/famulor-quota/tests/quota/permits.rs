//! What becomes of a slot once somebody has it.

use std::sync::Arc;
use std::time::Duration;

use famulor_quota::{AccountKey, AcquireRequest, Limit, Permit, Quota, Witness};
use tokio::time::{Instant, advance};

use crate::{MINUTE, SPAN, Served, account, per_minute, request, seconds, settle};

#[tokio::test(start_paused = true)]
async fn a_slot_given_back_goes_to_the_first_who_waits_at_once() {
    let (quota, limits, served) = (Quota::in_memory(), per_minute(1), Served::default());
    let permit = quota.acquire(request(&limits)).await.unwrap();
    let began = Instant::now();
    let waits = served.caller(&quota, request(&limits), "next");
    settle().await;
    permit.give_back().await;
    waits.await.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_permit_dropped_before_it_was_used_gives_its_slot_back() {
    let (quota, limits, served) = (Quota::in_memory(), per_minute(1), Served::default());
    let permit = quota.acquire(request(&limits)).await.unwrap();
    let waits = served.caller(&quota, request(&limits), "next");
    settle().await;
    drop(permit);
    let began = Instant::now();
    waits.await.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_permit_dropped_after_it_was_used_holds_its_slot_like_a_timeout() {
    let (quota, limits) = (Quota::in_memory(), per_minute(1));
    let mut permit = quota.acquire(request(&limits)).await.unwrap();
    permit.mark_sent().unwrap();
    drop(permit);
    let next = quota.next_free(&account(), &limits).await.unwrap();
    assert_eq!(next, seconds(30) + SPAN);

    let other = AccountKey::new("other");
    let mut permit = quota
        .acquire(AcquireRequest::new(other, Arc::clone(&limits)))
        .await
        .unwrap();
    permit.mark_sent().unwrap();
    permit.abandon().await;
    let next = quota.next_free(&other, &limits).await.unwrap();
    assert_eq!(next, seconds(30) + SPAN);
}

#[tokio::test(start_paused = true)]
async fn an_old_permit_may_not_be_used() {
    let (quota, limits) = (Quota::in_memory(), per_minute(1));
    let mut permit = quota.acquire(request(&limits)).await.unwrap();
    advance(seconds(2)).await;
    assert!(permit.mark_sent().is_ok());
    advance(Duration::from_millis(1)).await;
    let stale = permit.mark_sent().unwrap_err();
    assert_eq!(stale.age(), Duration::from_millis(2001));
    assert!(stale.to_string().contains("give it back"));
}

#[tokio::test(start_paused = true)]
async fn a_witness_is_matched_by_its_limit() {
    let quota = Quota::in_memory();
    let limits: Arc<[Limit]> = Arc::new([
        Limit::new(2, MINUTE, "replies"),
        Limit::new(9, MINUTE, "all"),
        Limit::new(9, seconds(10), "all"),
    ]);
    // In its first minute a store cannot tell whom else a server has counted.
    advance(seconds(61)).await;
    let slow = quota.acquire(request(&limits)).await.unwrap();
    let fast = quota.acquire(request(&limits)).await.unwrap();
    fast.complete(Some(Witness::new(2, 0))).await;
    // Two counted, two of ours: the slow one has arrived, and the drop of its
    // permit, as a timeout or not, holds nothing longer than that.
    let mut slow: Permit = slow;
    slow.mark_sent().unwrap();
    drop(slow);
    assert_eq!(quota.next_free(&account(), &limits).await.unwrap(), SPAN);

    // Nine fits two limits: better no witness than the wrong one.
    let other = AccountKey::new("other");
    let request = AcquireRequest::new(other, Arc::clone(&limits));
    let permit = quota.acquire(request).await.unwrap();
    permit.complete(Some(Witness::new(9, 3))).await;
    let usage = quota.usage(&other, &limits).await.unwrap();
    assert!(usage.iter().all(|usage| !usage.foreign_seen));
}

#[tokio::test(start_paused = true)]
async fn a_freeze_holds_everyone_and_then_lets_them_go() {
    let (quota, limits) = (Quota::in_memory(), per_minute(5));
    quota.freeze(&account(), seconds(20)).await.unwrap();
    let began = Instant::now();
    let permit = quota.acquire(request(&limits)).await.unwrap();
    assert!(began.elapsed() >= seconds(20) && began.elapsed() < seconds(21));
    assert_eq!(permit.waited(), began.elapsed());
}

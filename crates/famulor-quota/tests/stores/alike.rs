//! What every store does alike, whatever it keeps its ledgers in.

use std::sync::Arc;
use std::time::Duration;

use famulor_quota::ledger::Rung;
use famulor_quota::{AcquireError, Answer, Completion, Limit, Quota};
use tokio::time::{Instant, sleep, timeout};

use crate::place::{Place, on_each_store};
use crate::{HOLD, MINUTE, account, answered, ask, assert_about, limits, request, take, wait};

const SPAN: Duration = Duration::from_millis(60_120);

on_each_store!(
    holds_a_slot_until_a_window_after_its_completion,
    shares_its_slots_between_two_who_opened_it,
    knows_two_clients_of_different_limits_by_what_is_counted_together,
    takes_a_slot_under_every_limit_or_under_none,
    frees_at_once_what_was_not_sent,
    freezes_an_account_for_everybody,
    learns_from_headers_that_a_burst_has_arrived,
    notices_somebody_else_on_the_account,
    paces_an_account_after_a_refusal_it_cannot_explain,
    keeps_accounts_apart,
    counts_what_another_took_since_it_last_did,
    serves_first_come_first_served_within_a_process,
    tells_a_waiting_process_of_a_slot_given_back,
    forgets_a_slot_nobody_ends_when_it_has_run_out,
    leaves_no_slot_behind_when_a_call_is_dropped,
    looks_without_changing_anything,
);

async fn holds_a_slot_until_a_window_after_its_completion(place: &Place) {
    let (store, account) = (place.open().await, account("token"));
    let limits = limits(1, MINUTE);
    let slot = take(&*store, account, &limits).await;
    // In flight: it might end now.
    assert_about(wait(&*store, account, &limits).await, SPAN);
    store
        .complete(account, slot, Completion::Abandoned)
        .await
        .unwrap();
    assert_about(
        wait(&*store, account, &limits).await,
        SPAN + Duration::from_secs(30),
    );
    // Told again, it only ever gets shorter.
    store
        .complete(account, slot, answered(&limits, 1))
        .await
        .unwrap();
    assert_about(wait(&*store, account, &limits).await, SPAN);
    store
        .complete(account, slot, Completion::Abandoned)
        .await
        .unwrap();
    assert_about(wait(&*store, account, &limits).await, SPAN);
}

async fn shares_its_slots_between_two_who_opened_it(place: &Place) {
    let (one, other) = (place.open().await, place.open().await);
    let (account, limits) = (account("token"), limits(2, MINUTE));
    take(&*one, account, &limits).await;
    let slot = take(&*other, account, &limits).await;
    wait(&*one, account, &limits).await;
    // Either may end what the other began.
    one.complete(account, slot, Completion::NotSent)
        .await
        .unwrap();
    take(&*other, account, &limits).await;
}

async fn knows_two_clients_of_different_limits_by_what_is_counted_together(place: &Place) {
    let (one, other) = (place.open().await, place.open().await);
    let (account, few, many) = (account("token"), limits(2, MINUTE), limits(4, MINUTE));
    take(&*one, account, &few).await;
    take(&*one, account, &few).await;
    wait(&*one, account, &few).await;
    take(&*other, account, &many).await;
    take(&*other, account, &many).await;
    wait(&*other, account, &many).await;
    assert_eq!(one.usage(account, few).await.unwrap()[0].busy, 4);
}

async fn takes_a_slot_under_every_limit_or_under_none(place: &Place) {
    let (store, account) = (place.open().await, account("token"));
    let both: Arc<[Limit]> = Arc::new([
        Limit::new(5, MINUTE, "all"),
        Limit::new(1, MINUTE, "replies"),
    ]);
    take(&*store, account, &both).await;
    wait(&*store, account, &both).await;
    let usage = store.usage(account, Arc::clone(&both)).await.unwrap();
    assert_eq!((usage[0].busy, usage[1].busy), (1, 1));
}

async fn frees_at_once_what_was_not_sent(place: &Place) {
    let (store, account) = (place.open().await, account("token"));
    let limits = limits(1, MINUTE);
    let slot = take(&*store, account, &limits).await;
    store
        .complete(account, slot, Completion::NotSent)
        .await
        .unwrap();
    assert!(
        store
            .ready_in(account, Arc::clone(&limits), 0)
            .await
            .unwrap()
            .is_zero()
    );
    take(&*store, account, &limits).await;
}

async fn freezes_an_account_for_everybody(place: &Place) {
    let (one, other) = (place.open().await, place.open().await);
    let (account, limits) = (account("token"), limits(5, MINUTE));
    let slot = take(&*one, account, &limits).await;
    let frozen = one
        .reject(account, slot, Some(Duration::from_secs(20)))
        .await
        .unwrap();
    assert_eq!(frozen, Duration::from_secs(21));
    assert_about(wait(&*other, account, &limits).await, frozen);
    // Never shortened.
    other.freeze(account, Duration::from_secs(3)).await.unwrap();
    assert_about(wait(&*one, account, &limits).await, frozen);
    other.freeze(account, MINUTE).await.unwrap();
    assert_about(wait(&*one, account, &limits).await, MINUTE);
}

async fn learns_from_headers_that_a_burst_has_arrived(place: &Place) {
    // A store says nothing from headers for a window after it was made.
    let limits = limits(3, Duration::from_millis(50));
    let (store, account) = (place.open().await, account("token"));
    take(&*store, account, &limits).await;
    sleep(Duration::from_millis(150)).await;
    let account = crate::account("another token");
    let first = take(&*store, account, &limits).await;
    store
        .complete(account, first, Completion::NotSent)
        .await
        .unwrap();
    sleep(Duration::from_millis(150)).await;
    take(&*store, account, &limits).await;
    take(&*store, account, &limits).await;
    let last = take(&*store, account, &limits).await;
    store
        .complete(account, last, answered(&limits, 3))
        .await
        .unwrap();
    sleep(Duration::from_millis(120)).await;
    let usage = store.usage(account, Arc::clone(&limits)).await.unwrap();
    assert_eq!(usage[0].busy, 0, "{usage:?}");
}

async fn notices_somebody_else_on_the_account(place: &Place) {
    let (store, account) = (place.open().await, account("token"));
    let limits = limits(5, MINUTE);
    let slot = take(&*store, account, &limits).await;
    store
        .complete(account, slot, answered(&limits, 4))
        .await
        .unwrap();
    let usage = store.usage(account, Arc::clone(&limits)).await.unwrap();
    assert_eq!((usage[0].busy, usage[0].foreign), (1, 3));
    take(&*store, account, &limits).await;
    wait(&*store, account, &limits).await;
}

async fn paces_an_account_after_a_refusal_it_cannot_explain(place: &Place) {
    let limits = limits(5, Duration::from_millis(50));
    let (store, account) = (place.open().await, account("token"));
    // For a window after an account's first call it might be an earlier run's.
    let first = take(&*store, account, &limits).await;
    store
        .complete(account, first, Completion::Answered(None))
        .await
        .unwrap();
    sleep(Duration::from_millis(120)).await;
    let slot = take(&*store, account, &limits).await;
    store.reject(account, slot, None).await.unwrap();
    let usage = &store.usage(account, Arc::clone(&limits)).await.unwrap()[0];
    assert_eq!(usage.rung, Rung::Spaced);
    assert_eq!(usage.step_down.unwrap().busy, 1);
    assert!(usage.frozen_for > Duration::ZERO);
}

/// Each works from memory until the other has been there.
async fn counts_what_another_took_since_it_last_did(place: &Place) {
    let stores = [place.open().await, place.open().await];
    let (account, limits) = (account("token"), limits(9, MINUTE));
    let mut slots = Vec::new();
    for who in [0, 0, 1, 0, 1, 1, 0, 0, 1] {
        slots.push(take(&*stores[who], account, &limits).await);
    }
    for store in &stores {
        wait(&**store, account, &limits).await;
    }
    // Each reports calls of the other, too.
    for (number, slot) in slots.into_iter().enumerate() {
        let store = &stores[usize::from(number % 3 == 0)];
        let ended = store.complete(account, slot, Completion::Answered(None));
        ended.await.unwrap();
    }
    for store in &stores {
        let usage = store.usage(account, Arc::clone(&limits)).await.unwrap();
        assert_eq!(usage[0].busy, 9);
        // None is held for longer than a call that has ended is.
        assert_about(
            wait(&**store, account, &limits).await,
            Duration::from_millis(60_120),
        );
    }
}

async fn keeps_accounts_apart(place: &Place) {
    let (store, limits) = (place.open().await, limits(1, MINUTE));
    for number in 0..100 {
        take(&*store, account(&format!("token {number}")), &limits).await;
    }
    wait(&*store, account("token 7"), &limits).await;
}

async fn serves_first_come_first_served_within_a_process(place: &Place) {
    let quota = Quota::with_store(place.open().await);
    let limits = limits(2, Duration::from_millis(60));
    let (sender, mut served) = tokio::sync::mpsc::unbounded_channel();
    for number in 0..7 {
        let (quota, request, sender) = (
            quota.clone(),
            request(account("token"), &limits),
            sender.clone(),
        );
        tokio::spawn(async move {
            let permit = quota.acquire(request).await.unwrap();
            sender.send(number).unwrap();
            permit.complete(None).await;
        });
        tokio::task::yield_now().await;
    }
    drop(sender);
    let mut order = Vec::new();
    while let Some(number) = served.recv().await {
        order.push(number);
    }
    assert_eq!(order, [0, 1, 2, 3, 4, 5, 6]);
}

async fn tells_a_waiting_process_of_a_slot_given_back(place: &Place) {
    let (one, other) = (
        Quota::with_store(place.open().await),
        Quota::with_store(place.open().await),
    );
    let (account, limits) = (account("token"), limits(1, MINUTE));
    let permit = one.acquire(request(account, &limits)).await.unwrap();
    let waits = request(account, &limits);
    let waits = tokio::spawn(async move { other.acquire(waits).await });
    sleep(Duration::from_millis(300)).await;
    let began = Instant::now();
    permit.give_back().await;
    let permit = timeout(Duration::from_secs(10), waits).await;
    permit
        .expect("news of the slot")
        .unwrap()
        .unwrap()
        .give_back()
        .await;
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
}

async fn forgets_a_slot_nobody_ends_when_it_has_run_out(place: &Place) {
    let (store, account) = (place.open().await, account("token"));
    let (limits, hold) = (
        limits(1, Duration::from_millis(50)),
        Duration::from_millis(300),
    );
    let began = Instant::now();
    let dead = store.acquire(ask(account, &limits, hold)).await.unwrap();
    let Answer::Granted(dead) = dead else {
        panic!("{dead:?}");
    };
    loop {
        match store.acquire(ask(account, &limits, hold)).await.unwrap() {
            Answer::Granted(_) => break,
            Answer::Wait { .. } => sleep(Duration::from_millis(20)).await,
        }
    }
    assert!(began.elapsed() >= hold + Duration::from_millis(70));
    // What is said of it now says nothing about the one that has the slot.
    store
        .complete(account, dead, Completion::NotSent)
        .await
        .unwrap();
    assert_eq!(store.usage(account, limits).await.unwrap()[0].busy, 1);
}

async fn leaves_no_slot_behind_when_a_call_is_dropped(place: &Place) {
    let quota = Quota::with_store(place.open().await);
    let (account, limits) = (account("token"), limits(1, MINUTE));
    for micros in [0, 50, 200, 500, 1000, 2000, 5000] {
        let call = quota.acquire(request(account, &limits));
        drop(timeout(Duration::from_micros(micros), call).await);
    }
    let began = Instant::now();
    let permit = loop {
        match quota.try_acquire(request(account, &limits)).await {
            Ok(permit) => break permit,
            Err(AcquireError::WouldWait { .. }) if began.elapsed() < Duration::from_secs(5) => {
                sleep(Duration::from_millis(5)).await;
            }
            Err(error) => panic!("{error}"),
        }
    };
    permit.give_back().await;
    // A store's own future, dropped at any point, blocks nobody else.
    let (one, other) = (place.open().await, place.open().await);
    for micros in [50, 200, 500, 1000] {
        let asking = one.acquire(ask(account, &limits, HOLD));
        drop(timeout(Duration::from_micros(micros), asking).await);
        other.usage(account, Arc::clone(&limits)).await.unwrap();
        other.freeze(account, Duration::ZERO).await.unwrap();
    }
}

async fn looks_without_changing_anything(place: &Place) {
    let (store, account) = (place.open().await, account("token"));
    let limits = limits(1, MINUTE);
    for _ in 0..3 {
        let usage = store.usage(account, Arc::clone(&limits)).await.unwrap();
        assert_eq!(
            usage[0].to_string(),
            "1/60s replies: 0 busy, 0 waiting, next free now"
        );
        assert!(
            store
                .ready_in(account, Arc::clone(&limits), 0)
                .await
                .unwrap()
                .is_zero()
        );
        assert_about(
            store
                .ready_in(account, Arc::clone(&limits), 1)
                .await
                .unwrap(),
            SPAN,
        );
    }
    take(&*store, account, &limits).await;
}

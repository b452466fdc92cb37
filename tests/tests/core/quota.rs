//! The quota against a server that counts: all of it used, and never refused.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use famulor_core::{
    Client, ClientBuilder, Delivery, ErrorKind, Lane, Limit, OnUnknown, Quota, WaitNotice,
};
use famulor_emulator::{Emulator, LimitAlgorithm, RateLimit};
use famulor_test_judge::emulator;
use famulor_tests::sdk::{ASSISTANT, KEY, customer, ms};
use futures_util::future::join_all;

/// The documented 5 in 60 s, a hundred times as fast.
const FAST: f64 = 100.0;
const WINDOW: Duration = ms(600);

async fn server(algorithm: LimitAlgorithm) -> Emulator {
    let emulator = emulator()
        .token(KEY)
        .token("another")
        .limit_algorithm(algorithm)
        .general_limits([])
        .latency(ms(500))
        .time_scale(FAST);
    emulator.start().await.expect("an emulator")
}

fn limited(emulator: &Emulator, limit: Limit) -> ClientBuilder {
    Client::builder()
        .with_api_key(KEY)
        .with_base_url(&emulator.base_url())
        .without_proxy()
        .with_rate_limit(limit)
        .with_on_unknown(OnUnknown::Resend)
        .with_deadline(Duration::from_secs(60))
}

fn five() -> Limit {
    Limit::new(5, WINDOW, "any")
}

/// 30 replies of 6 tasks.
async fn thirty(client: &Client) {
    let tasks = (0..6).map(|task| {
        let client = client.clone();
        tokio::spawn(async move {
            for number in 0..5 {
                let call = client.reply(ASSISTANT, customer(&format!("crm-{task}")), "Hello");
                let reply = call.await;
                assert!(reply.is_ok(), "{task}, {number}: {reply:?}");
            }
        })
    });
    for task in join_all(tasks).await {
        task.expect("a task");
    }
}

#[tokio::test]
async fn six_tasks_use_the_quota_and_meet_no_429_whatever_the_server_counts_by() {
    let runs = [
        LimitAlgorithm::Fixed,
        LimitAlgorithm::SlidingLog,
        LimitAlgorithm::TokenBucket,
    ]
    .map(|algorithm| async move {
        let emulator = server(algorithm).await;
        // 20 of the general limit in 10 s would be in the way: they are the client's own.
        let client = limited(&emulator, five()).with_quota(Quota::in_memory());
        let client = client.build().expect("a client");
        let began = Instant::now();
        thirty(&client).await;
        let stats = emulator.stats();
        assert_eq!(stats.rate_limited, 0, "{algorithm:?}");
        assert_eq!(stats.billed_messages, 30, "{algorithm:?}");
        assert_eq!(client.usage().rate_limited, 0);
        assert_eq!(client.usage().replies, 30);
        assert!(client.usage().waited > Duration::ZERO);
        assert!(began.elapsed() >= WINDOW * 5, "30 replies are 6 windows");
    });
    join_all(runs).await;
}

#[tokio::test]
async fn a_token_that_somebody_else_uses_too_is_waited_for_and_recovers() {
    // In real time: a server's hint is in real seconds.
    let limit = RateLimit::parse("5/1s").expect("a limit");
    let emulator = emulator().token(KEY).rate_limit(limit);
    let emulator = emulator.start().await.expect("an emulator");
    let client = limited(&emulator, five()).with_max_retries(10);
    let client = client.build().expect("a client");
    // Somebody else, with the same token and no idea of limits, takes the whole window.
    let stranger = limited(&emulator, five()).without_limits();
    let stranger = stranger.build().expect("a client");
    for number in 0..5 {
        let call = stranger.reply(ASSISTANT, customer(&format!("s-{number}")), "Hi");
        call.await.expect("a reply");
    }
    for number in 0..3 {
        let call = client.reply(ASSISTANT, customer(&format!("c-{number}")), "Hello");
        call.await.expect("a reply");
    }
    assert!(emulator.stats().rate_limited <= 2, "{:?}", emulator.stats());
    assert_eq!(emulator.stats().billed_messages, 8);
}

#[tokio::test]
async fn a_wait_that_would_be_too_long_fails_at_once_with_its_length() {
    let emulator = server(LimitAlgorithm::Fixed).await;
    let slow = Limit::new(1, Duration::from_secs(30), "any");
    let client = limited(&emulator, slow).build().expect("a client");
    let first = client.reply(ASSISTANT, customer("crm-1"), "Hello");
    first.await.expect("a reply");
    let another = || client.reply(ASSISTANT, customer("crm-2"), "Hello");
    let began = Instant::now();
    for outcome in [
        another().with_max_wait(ms(100)).await,
        another().with_max_wait(Duration::ZERO).await,
        another().with_deadline(ms(500)).await,
        another().try_send().await,
    ] {
        let error = outcome.expect_err("no slot");
        assert_eq!(error.kind(), ErrorKind::RateLimited, "{error:?}");
        assert_eq!(error.delivery(), Delivery::NotSent);
        assert_eq!((error.attempts(), error.status()), (0, None));
        let wait = error.retry_after().expect("a wait");
        assert!(wait > Duration::from_secs(25), "{wait:?}");
    }
    assert!(began.elapsed() < ms(400), "{:?}", began.elapsed());
    assert_eq!(emulator.stats().requests, 1);
    assert_eq!(client.usage().billed_messages, 1);
}

#[tokio::test]
async fn without_limits_the_servers_hints_are_waited_for() {
    let limit = RateLimit::parse("2/1s").expect("a limit");
    let emulator = emulator().token(KEY).rate_limit(limit);
    let emulator = emulator.start().await.expect("an emulator");
    let client = limited(&emulator, five()).without_limits();
    let client = client.build().expect("a client");
    let calls = (0..4).map(|number| {
        client
            .reply(ASSISTANT, customer(&format!("crm-{number}")), "Hello")
            .into_future()
    });
    for outcome in join_all(calls).await {
        outcome.expect("a reply");
    }
    let stats = emulator.stats();
    assert_eq!(stats.billed_messages, 4);
    assert!(stats.rate_limited >= 1);
    assert_eq!(client.usage().rate_limited, stats.rate_limited);
}

#[tokio::test]
async fn a_ceiling_on_billed_messages_refuses_before_sending() {
    let emulator = emulator().token(KEY).without_limits().start();
    let emulator = emulator.await.expect("an emulator");
    let client = limited(&emulator, five()).without_limits();
    let client = client.with_max_billed_messages(3).build().expect("one");
    let calls = (0..10).map(|number| {
        client
            .reply(ASSISTANT, customer(&format!("crm-{number}")), "Hello")
            .into_future()
    });
    let outcomes = join_all(calls).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 3);
    for error in outcomes.into_iter().filter_map(Result::err) {
        assert_eq!(error.delivery(), Delivery::NotSent);
        assert_eq!(error.kind(), ErrorKind::Refused);
    }
    assert_eq!(emulator.stats().billed_messages, 3);
    assert_eq!(client.usage().billed_messages, 3);
}

#[tokio::test]
async fn a_refused_message_gives_its_place_under_the_ceiling_back() {
    let emulator = emulator().token(KEY).without_limits().start();
    let emulator = emulator.await.expect("an emulator");
    let client = limited(&emulator, five()).without_limits();
    let client = client.with_max_billed_messages(1).build().expect("one");
    for _ in 0..3 {
        let call = client.reply(
            famulor_core::AssistantId::new(9),
            customer("crm-1"),
            "Hello",
        );
        assert_eq!(call.await.expect_err("no such").kind(), ErrorKind::NotFound);
    }
    let call = client.reply(ASSISTANT, customer("crm-1"), "Hello");
    call.await.expect("a reply");
}

#[tokio::test]
async fn clones_and_clients_of_one_quota_share_its_slots() {
    let emulator = server(LimitAlgorithm::Fixed).await;
    let quota = Quota::in_memory();
    let slow = Limit::new(2, Duration::from_secs(30), "any");
    let one = limited(&emulator, slow.clone()).with_quota(quota.clone());
    let one = one.build().expect("a client");
    let two = limited(&emulator, slow.clone()).with_quota(quota.clone());
    let two = two.build().expect("a client");
    for (client, who) in [(&one, "a"), (&two, "b")] {
        let call = client.reply(ASSISTANT, customer(who), "Hello");
        call.await.expect("a reply");
    }
    for client in [one.clone(), two] {
        let call = client.reply(ASSISTANT, customer("c"), "Hello");
        let error = call.with_max_wait(ms(1)).await.expect_err("no slot");
        assert_eq!(error.delivery(), Delivery::NotSent);
    }
    // Another token is another account.
    let other = limited(&emulator, slow)
        .with_quota(quota)
        .with_api_key("another");
    let other = other.build().expect("a client");
    let call = other.reply(ASSISTANT, customer("d"), "Hello");
    call.await.expect("a reply");
}

#[tokio::test]
async fn a_wait_is_told_and_an_interactive_call_goes_before_a_backlog() {
    let emulator = server(LimitAlgorithm::Fixed).await;
    let told: Arc<Mutex<Vec<WaitNotice>>> = Arc::default();
    let listening = Arc::clone(&told);
    let client = limited(&emulator, Limit::new(1, ms(150), "any"))
        .with_wait_observer(move |notice| {
            listening.lock().expect("a list").push(*notice);
        })
        .build()
        .expect("a client");
    let first = client.reply(ASSISTANT, customer("first"), "Hello");
    first.await.expect("a reply");
    let order: Arc<Mutex<Vec<&str>>> = Arc::default();
    let call = |who: &'static str, lane: Lane| {
        let (client, order) = (client.clone(), Arc::clone(&order));
        async move {
            let call = client.reply(ASSISTANT, customer(who), "Hello");
            call.with_lane(lane).await.expect("a reply");
            order.lock().expect("a list").push(who);
        }
    };
    tokio::join!(
        call("backlog 1", Lane::Bulk),
        call("backlog 2", Lane::Bulk),
        call("live", Lane::Interactive),
    );
    assert_eq!(order.lock().expect("a list")[0], "live");
    let told = told.lock().expect("a list");
    assert!(told.iter().any(|notice| notice.wait > Duration::ZERO));
    assert!(told.iter().any(|notice| notice.ahead > 0));
}

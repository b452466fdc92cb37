//! One message in flight per customer, in the order in which they were sent; other customers do not wait.

use std::time::{Duration, Instant};

use famulor_core::{Client, Delivery, ErrorKind, Limit, OnUnknown};
use famulor_emulator::Emulator;
use famulor_test_judge::emulator;
use famulor_tests::sdk::{ASSISTANT, CONVERSATION, KEY, builder, conversation, customer, ms};
use famulor_tests::sdk::{REPLY, REPLY_BODY};
use famulor_tests::wire::{Script, Then, Wire};
use futures_util::future::join_all;

async fn texts(emulator: &Emulator, customer: &str) -> Vec<String> {
    let conversation = emulator.conversation_of(ASSISTANT.get(), customer);
    let history = conversation.map(|found| found.history).unwrap_or_default();
    let said = history.into_iter().filter(|message| message.role == "user");
    said.map(|message| message.content).collect()
}

#[tokio::test]
async fn messages_of_one_customer_arrive_in_the_order_they_were_sent() {
    let emulator = emulator()
        .token(KEY)
        .without_limits()
        .latency(ms(5))
        .start()
        .await
        .expect("an emulator");
    let client = famulor_tests::sdk::client(&emulator.base_url());
    let mut calls = Vec::new();
    for number in 0..20 {
        for who in ["crm-1", "crm-2", "crm-3"] {
            let call = client.reply(ASSISTANT, customer(who), format!("message {number:02}"));
            calls.push(tokio::spawn(call.into_future()));
            // A spawned call takes its place when it first runs, here in the order of spawning.
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(ms(2)).await;
    }
    for call in join_all(calls).await {
        call.expect("a task").expect("a reply");
    }
    let wanted: Vec<String> = (0..20)
        .map(|number| format!("message {number:02}"))
        .collect();
    for who in ["crm-1", "crm-2", "crm-3"] {
        assert_eq!(texts(&emulator, who).await, wanted, "{who}");
    }
    assert_eq!(emulator.stats().billed_messages, 60);
}

/// A server that never answers the first reply and answers all others.
async fn slow_first() -> (Wire, Client) {
    let script = Script::new().on(REPLY, [Then::stall(), Then::json(200, REPLY_BODY)]);
    let wire = Wire::start(script).await;
    let client = builder(&wire.base_url())
        .with_on_unknown(OnUnknown::Resend)
        .with_max_retries(0)
        .with_attempt_timeout(ms(400))
        .build()
        .expect("a client");
    (wire, client)
}

#[tokio::test]
async fn an_open_message_holds_back_its_own_customer_and_nobody_else() {
    let (wire, client) = slow_first().await;
    let stalled = tokio::spawn(
        client
            .reply(ASSISTANT, customer("slow"), "first")
            .into_future(),
    );
    tokio::time::sleep(ms(100)).await;
    let began = Instant::now();
    let other = client.reply(ASSISTANT, customer("quick"), "hello");
    other.await.expect("a reply");
    assert!(began.elapsed() < ms(200), "another customer waited");
    assert_eq!(wire.count(REPLY), 2);
    let second = client.reply(ASSISTANT, customer("slow"), "second");
    second.await.expect("a reply");
    assert!(began.elapsed() >= ms(200), "the same customer did not wait");
    assert!(stalled.await.expect("a task").is_err());
}

#[tokio::test]
async fn a_turn_that_does_not_come_before_the_deadline_is_unsent() {
    let (wire, client) = slow_first().await;
    let stalled = tokio::spawn(
        client
            .reply(ASSISTANT, customer("slow"), "first")
            .into_future(),
    );
    tokio::time::sleep(ms(50)).await;
    let second = client.reply(ASSISTANT, customer("slow"), "second");
    let error = second.with_deadline(ms(100)).await.expect_err("no turn");
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert_eq!((error.attempts(), wire.count(REPLY)), (0, 1));
    let error = client.reply(ASSISTANT, customer("slow"), "third");
    let error = error.try_send().await.expect_err("no turn now");
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert!(stalled.await.expect("a task").is_err());
}

#[tokio::test]
async fn a_dropped_wait_leaves_the_line_to_the_next() {
    let (wire, client) = slow_first().await;
    let stalled = tokio::spawn(
        client
            .reply(ASSISTANT, customer("slow"), "first")
            .into_future(),
    );
    tokio::time::sleep(ms(50)).await;
    let mut waiting = Box::pin(
        client
            .reply(ASSISTANT, customer("slow"), "second")
            .into_future(),
    );
    assert!(tokio::time::timeout(ms(50), &mut waiting).await.is_err());
    let third = tokio::spawn(
        client
            .reply(ASSISTANT, customer("slow"), "third")
            .into_future(),
    );
    drop(waiting);
    assert!(stalled.await.expect("a task").is_err());
    third.await.expect("a task").expect("a reply");
    let bodies: Vec<String> = wire
        .requests()
        .iter()
        .map(|seen| {
            seen.json()["message"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    assert_eq!(bodies, ["first", "third"]);
}

/// The reply limit's slots that are busy.
async fn busy(client: &Client) -> Vec<u32> {
    let quota = client.quota().await.expect("figures");
    quota.limits().iter().map(|usage| usage.busy).collect()
}

#[tokio::test]
async fn a_call_dropped_at_any_moment_leaves_at_most_the_documented_hold() {
    let emulator = emulator()
        .token(KEY)
        .without_limits()
        .latency(ms(3))
        .start()
        .await
        .expect("an emulator");
    let big = Limit::new(1000, Duration::from_secs(60), "any");
    for polls in 0..60 {
        let client = Client::builder()
            .with_api_key(KEY)
            .with_base_url(&emulator.base_url())
            .without_proxy()
            .with_rate_limit(big.clone())
            .with_max_billed_messages(2)
            .build()
            .expect("a client");
        let who = format!("crm-{polls}");
        let call = client.reply(ASSISTANT, customer(&who), "Hello");
        let mut call = Box::pin(call.into_future());
        let mut done = false;
        for _ in 0..polls {
            let polled = futures_util::poll!(&mut call);
            if polled.is_ready() {
                done = true;
                break;
            }
            tokio::time::sleep(ms(1)).await;
        }
        drop(call);
        let usage = client.usage();
        // A slot for each request that may have left, and for nothing else.
        let slots = busy(&client).await;
        assert!(u64::from(slots[0]) <= 1, "after {polls} polls: {slots:?}");
        assert!(
            u64::from(slots[1]) <= usage.calls,
            "after {polls} polls: {slots:?}, {usage:?}"
        );
        assert!(
            usage.billed_messages <= u64::from(slots[0]),
            "after {polls} polls: {usage:?}"
        );
        if usage.calls == 0 {
            assert_eq!(slots, [0, 0, 0]);
        }
        // Nobody waits in the dropped call's place.
        let next = client.reply(ASSISTANT, customer(&who), "Hello again");
        next.await.expect("a reply");
        if done {
            break;
        }
    }
}

#[tokio::test]
async fn a_call_dropped_while_it_waits_for_a_slot_leaves_nothing() {
    let emulator = emulator().token(KEY).without_limits().start();
    let emulator = emulator.await.expect("an emulator");
    let client = Client::builder()
        .with_api_key(KEY)
        .with_base_url(&emulator.base_url())
        .without_proxy()
        .with_rate_limit(Limit::new(1, Duration::from_secs(30), "any"))
        .build()
        .expect("a client");
    let first = client.reply(ASSISTANT, customer("a"), "Hello");
    first.await.expect("a reply");
    let before = (busy(&client).await, client.usage().billed_messages);
    let chat = client.conversation(conversation(CONVERSATION));
    chat.history().await.expect("a history");
    for who in ["b", "c", "d"] {
        let waiting = client.reply(ASSISTANT, customer(who), "Hello");
        let waiting = waiting.with_on_unknown(OnUnknown::Resend).into_future();
        assert!(tokio::time::timeout(ms(60), waiting).await.is_err());
    }
    let quota = client.quota().await.expect("figures");
    assert_eq!(quota.limits()[0].busy, before.0[0]);
    assert!(quota.limits().iter().all(|usage| usage.waiting == 0));
    assert_eq!(client.usage().billed_messages, before.1);
    assert_eq!(emulator.stats().billed_messages, 1);
}

//! Time limits: for connecting, for an attempt, for all of it; each for a client and for a call.

use std::time::{Duration, Instant};

use famulor_core::{Client, ClientBuilder, Delivery, ErrorKind, Limit, OnUnknown};
use famulor_tests::sdk::{ASSISTANT, LIST, REPLY, REPLY_BODY, builder, customer, ms};
use famulor_tests::wire::{Script, Then, Wire};

fn reply(client: &Client) -> famulor_core::ReplyRequest {
    let call = client.reply(ASSISTANT, customer("crm-1"), "Hello");
    call.with_on_unknown(OnUnknown::Resend).with_max_retries(0)
}

async fn stalling() -> (Wire, ClientBuilder) {
    let wire = Wire::start(Script::new().on("*", [Then::stall()])).await;
    let builder = builder(&wire.base_url());
    (wire, builder)
}

#[track_caller]
fn assert_took(began: Instant, least: Duration) {
    let took = began.elapsed();
    assert!(
        took >= least && took < least + ms(2000),
        "{took:?} for {least:?}"
    );
}

#[tokio::test]
async fn an_attempt_ends_at_the_clients_or_its_own_time() {
    let (wire, builder) = stalling().await;
    let client = builder.with_attempt_timeout(ms(150)).build().expect("one");
    let began = Instant::now();
    let error = reply(&client).await.expect_err("no answer");
    assert_took(began, ms(150));
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(error.message(), "no answer in time");

    let began = Instant::now();
    let call = reply(&client).with_attempt_timeout(ms(300));
    call.await.expect_err("no answer");
    assert_took(began, ms(300));
    assert_eq!(wire.count(REPLY), 2);
}

#[tokio::test]
async fn the_deadline_ends_an_attempt_too() {
    let (wire, builder) = stalling().await;
    let client = builder.with_deadline(ms(150)).build().expect("one");
    let began = Instant::now();
    let error = reply(&client).await.expect_err("no answer");
    assert_took(began, ms(150));
    assert_eq!(error.delivery(), Delivery::Unknown);
    let began = Instant::now();
    let call = reply(&client).with_deadline(ms(300));
    call.await.expect_err("no answer");
    assert_took(began, ms(300));
    assert_eq!(wire.count(REPLY), 2);
}

#[tokio::test]
async fn one_deadline_covers_attempts_waits_and_reading_back() {
    let script = Script::new()
        .on(REPLY, [Then::close()])
        .on("*", [Then::html(502, "bad")]);
    let wire = Wire::start(script).await;
    let client = builder(&wire.base_url()).with_deadline(ms(900));
    let client = client.build().expect("a client");
    let began = Instant::now();
    let call = client.reply(ASSISTANT, customer("crm-1"), "Hello");
    let error = call.await.expect_err("no proof");
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert!(began.elapsed() < ms(2000), "{:?}", began.elapsed());
    let began = Instant::now();
    let call = client.account().with_max_retries(1000);
    let error = call.await.expect_err("a bad gateway");
    assert_eq!(error.kind(), ErrorKind::Server);
    assert!(error.attempts() > 1);
    assert!(began.elapsed() < ms(2000), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_deadline_that_has_passed_sends_nothing() {
    let wire = Wire::start(Script::new().on(REPLY, [Then::json(200, REPLY_BODY)])).await;
    let client = famulor_tests::sdk::client(&wire.base_url());
    reply(&client).await.expect("a reply");
    // With a connection at hand, nothing but the deadline is in the way.
    for _ in 0..20 {
        let error = reply(&client).with_deadline(Duration::ZERO).await;
        let error = error.expect_err("no time");
        assert_eq!(error.delivery(), Delivery::NotSent, "{error:?}");
    }
    assert_eq!(wire.count(REPLY), 1);
    assert_eq!(client.usage().billed_messages, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_attempt_without_time_is_never_called_unsent_when_it_was_sent() {
    let wire = Wire::start(Script::new().on(REPLY, [Then::json(200, REPLY_BODY)])).await;
    let client = famulor_tests::sdk::client(&wire.base_url());
    for micros in (0..400).step_by(7) {
        let before = wire.count(REPLY);
        let call = reply(&client).with_attempt_timeout(Duration::from_micros(micros));
        let outcome = call.await;
        // Whatever is under way has arrived after this.
        tokio::time::sleep(ms(3)).await;
        let arrived = wire.count(REPLY) - before;
        if let Err(error) = outcome
            && error.delivery() == Delivery::NotSent
        {
            assert_eq!(arrived, 0, "after {micros} µs: {error:?}");
        }
    }
}

#[tokio::test]
async fn looking_before_sending_leaves_time_to_send() {
    let script = Script::new()
        .on(LIST, [Then::stall()])
        .on(REPLY, [Then::json(200, REPLY_BODY)]);
    let wire = Wire::start(script).await;
    let client = builder(&wire.base_url()).with_deadline(ms(2000));
    let client = client.build().expect("a client");
    let call = client.reply(ASSISTANT, customer("crm-1"), "Hello");
    call.await.expect("a reply");
    assert_eq!((wire.count(LIST), wire.count(REPLY)), (1, 1));
}

#[tokio::test]
async fn connecting_has_a_time_of_its_own_for_the_client_and_for_a_call() {
    // Takes connections and never says a word of TLS: the handshake is part of connecting.
    let silent = Wire::start(Script::new()).await;
    let base_url = format!("https://{}/api", silent.address());
    let client = builder(&base_url).with_connect_timeout(ms(100));
    let client = client.build().expect("a client");
    let began = Instant::now();
    let error = reply(&client).await.expect_err("no handshake");
    assert_took(began, ms(100));
    assert_eq!(error.delivery(), Delivery::NotSent);
    let began = Instant::now();
    let call = reply(&client).with_connect_timeout(ms(300));
    let error = call.await.expect_err("no handshake");
    assert_took(began, ms(300));
    assert_eq!(error.message(), "no connection in time");
}

#[tokio::test]
async fn times_beyond_any_clock_are_as_good_as_none() {
    let wire = Wire::start(Script::new().on("*", [Then::json(200, REPLY_BODY)])).await;
    let max = Duration::MAX;
    for limited in [false, true] {
        let mut builder = Client::builder()
            .with_api_key("k")
            .with_base_url(&wire.base_url())
            .without_proxy()
            .with_attempt_timeout(max)
            .with_connect_timeout(max)
            .with_deadline(max)
            .with_doubt_wait(max)
            .with_max_wait(max)
            .with_pool_idle_timeout(max)
            .with_rate_limit(Limit::new(1, ms(50), "any"));
        if !limited {
            builder = builder.without_limits();
        }
        let client = builder.build().expect("a client");
        for _ in 0..2 {
            let call = client.reply(ASSISTANT, customer("crm-1"), "Hello");
            call.await.expect("a reply");
        }
        // The pool's own task, which minds idle connections, has run by now.
        tokio::time::sleep(ms(20)).await;
        let call = client.reply(ASSISTANT, customer("crm-1"), "Hello");
        let call = call.with_deadline(max).with_attempt_timeout(max);
        let call = call.with_max_wait(max).with_doubt_wait(max);
        call.with_connect_timeout(max).await.expect("a reply");
    }
    assert_eq!(wire.connections(), 2, "connections are kept");
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_ends_in_errors_and_not_in_panics() {
    // A test of a user that pauses tokio's clock: it runs on whenever everyone waits for the network.
    let (_wire, builder) = stalling().await;
    let client = builder.build().expect("a client");
    let error = client.account().await.expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::Network);
    let error = reply(&client).await.expect_err("no answer");
    assert!(matches!(
        error.delivery(),
        Delivery::Unknown | Delivery::NotSent
    ));
}

//! What is remembered of requests, in the process and over HTTP.

mod probe;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use famulor_emulator::{After, Emulator, Fault, Operation};
use famulor_test_judge::emulator;
use probe::{Probe, answer, until};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn every_request_is_in_the_journal_with_what_became_of_it() {
    let probe = Probe::on(emulator().reply_price(0.05).time_scale(0.0)).await;
    probe.reply("anna", "Hello").await;
    probe.emulator.advance(Duration::from_secs(90));
    probe.get("/user/me").await;
    probe.reply("anna", "").await;
    probe.get("/nowhere").await;

    let journal = probe.emulator.journal();
    let short: Vec<_> = journal
        .iter()
        .map(|entry| {
            (
                entry.sequence,
                entry.operation,
                entry.status,
                entry.processed,
                entry.billed,
            )
        })
        .collect();
    assert_eq!(
        short,
        [
            (
                1,
                Some(Operation::GenerateReply),
                Some(200),
                true,
                Some(0.05)
            ),
            (2, Some(Operation::GetMe), Some(200), true, None),
            (3, Some(Operation::GenerateReply), Some(422), false, None),
            (4, None, Some(404), false, None),
        ]
    );
    assert_eq!(journal[0].customer.as_deref(), Some("anna"));
    assert_eq!(journal[0].path, "/api/ai/generate-reply");
    assert_eq!(journal[0].method, "POST");
    assert_eq!(
        journal[1].elapsed - journal[0].elapsed,
        Duration::from_secs(90)
    );
    assert_eq!(
        journal[0].token,
        Some(Emulator::fingerprint("token")),
        "the same token can be told apart"
    );
}

#[tokio::test]
async fn neither_tokens_nor_messages_show_in_journal_stats_or_debug() {
    let builder = emulator().token("t0p-s3cret");
    let settings = format!("{builder:?}");
    let probe = Probe::on(builder).await.with_token("t0p-s3cret");
    probe.reply("anna", "my password is swordfish").await;
    let conversation = probe.emulator.conversation_of(123, "anna");
    let shown = [
        settings,
        format!("{:?}", probe.emulator),
        format!("{:?}", probe.emulator.journal()),
        format!("{:?}", probe.emulator.stats()),
        format!(
            "{:?} {:?}",
            conversation,
            conversation.as_ref().map(|kept| &kept.history)
        ),
        probe.control(Method::GET, "/requests", None).await.text,
        probe.control(Method::GET, "/stats", None).await.text,
    ];
    for text in shown {
        assert!(
            !text.contains("s3cret") && !text.contains("swordfish"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn the_journal_keeps_the_last_requests_and_counts_on() {
    let probe = Probe::on(emulator().journal_capacity(3)).await;
    for _ in 0..5 {
        probe.get("/user/me").await;
    }
    let sequences: Vec<_> = probe
        .emulator
        .journal()
        .iter()
        .map(|entry| entry.sequence)
        .collect();
    assert_eq!(sequences, [3, 4, 5]);
    assert!(
        probe
            .emulator
            .journal()
            .iter()
            .all(|entry| entry.status == Some(200))
    );
    assert_eq!(probe.emulator.stats().requests, 5);
}

#[tokio::test]
async fn stats_tell_a_message_that_was_sent_twice() {
    let probe = Probe::start().await;
    probe.reply("anna", "Hello").await;
    probe.reply("anna", "Hello").await;
    probe.reply("bert", "Hello").await;
    let probe = probe.with_token("another");
    probe.reply("anna", "Bye").await;

    let stats = probe.emulator.stats();
    assert_eq!((stats.messages, stats.billed_messages), (4, 4));
    assert_eq!(stats.billed_amount, 0.04);
    let anna = &stats.customers["anna"];
    assert_eq!(
        (anna.messages, anna.repeated_messages, anna.billed_messages),
        (3, 1, 3)
    );
    assert_eq!(stats.customers["bert"].repeated_messages, 0);
    let first = &stats.tokens[&Emulator::fingerprint("token")];
    assert_eq!(
        (first.requests, first.billed_messages, first.billed_amount),
        (3, 3, 0.03)
    );
    assert_eq!(
        stats.tokens[&Emulator::fingerprint("another")].billed_messages,
        1
    );
    assert_eq!(stats.operations["generateReply"], 4);
    assert_eq!(stats.statuses[&200], 4);
}

#[tokio::test]
async fn stats_count_what_the_limits_refused() {
    let probe = Probe::frozen().await;
    for _ in 0..7 {
        probe.reply("anna", "Hello").await;
    }
    let stats = probe.emulator.stats();
    assert_eq!((stats.rate_limited, stats.statuses[&429]), (2, 2));
    assert_eq!(stats.customers["anna"].messages, 5);
    let counted = probe
        .emulator
        .journal()
        .iter()
        .filter(|entry| entry.counted)
        .count();
    assert_eq!(counted, 5);
}

#[tokio::test]
async fn the_control_plane_shows_the_journal_and_the_stats() {
    let probe = Probe::start().await;
    probe.reply("anna", "Hello").await;
    let requests = probe.control(Method::GET, "/requests", None).await;
    assert_eq!(requests.status, 200);
    let entry = &requests.body["requests"][0];
    assert_eq!(entry["sequence"], 1);
    assert_eq!(entry["operation"], "generateReply");
    assert_eq!(entry["customer"], "anna");
    assert_eq!(entry["status"], 200);
    assert_eq!(entry["processed"], true);
    assert_eq!(entry["billed"], 0.01);
    assert_eq!(entry["fault"], serde_json::Value::Null);
    assert!(
        entry["time"]
            .as_str()
            .is_some_and(|time| time.ends_with('Z'))
    );

    let stats = probe.control(Method::GET, "/stats", None).await;
    assert_eq!(
        stats.body["requests"], 1,
        "the control plane does not count itself"
    );
    assert_eq!(stats.body["customers"]["anna"]["messages"], 1);
}

#[tokio::test]
async fn the_control_plane_moves_the_clock() {
    let probe = Probe::frozen().await;
    for _ in 0..5 {
        probe.reply("anna", "Hello").await;
    }
    assert_eq!(probe.reply("anna", "Hello").await.status, 429);
    let moved = probe
        .control(Method::POST, "/clock", Some(json!({"advance": "59s"})))
        .await;
    assert_eq!(
        (moved.status, &moved.body["elapsed_s"]),
        (200, &json!(59.0))
    );
    let moved = probe
        .control(Method::POST, "/clock", Some(json!({"advance": 1})))
        .await;
    assert_eq!(moved.body["elapsed_s"], 60.0);
    assert_eq!(probe.reply("anna", "Hello").await.status, 200);

    for wrong in [
        json!({}),
        json!({"advance": "soon"}),
        json!({"advance": -1}),
    ] {
        let refused = probe.control(Method::POST, "/clock", Some(wrong)).await;
        assert_eq!(refused.status, 422);
    }
    let clock = probe.control(Method::GET, "/clock", None).await;
    assert_eq!(clock.body["elapsed_s"], 60.0);
    assert_eq!(clock.body["time_scale"], 0.0);
}

#[tokio::test]
async fn the_control_plane_sets_and_clears_faults() {
    let probe = Probe::start().await;
    let faults = json!([
        {"operation": "getMe", "before": {"status": {"status": 503, "headers": {"Retry-After": "7"}, "body": {"error": "busy"}}}},
        {"after": "close", "times": null},
    ]);
    let set = probe.control(Method::POST, "/faults", Some(faults)).await;
    assert_eq!(set.status, 201, "{}", set.text);
    let busy = probe.get("/user/me").await;
    assert_eq!((busy.status, busy.body), (503, json!({"error": "busy"})));
    let pending = probe.control(Method::GET, "/faults", None).await;
    assert_eq!(
        pending.body,
        json!({"faults": [{"id": 2, "hits": 0, "skip": 0, "times": null, "after": "close"}]})
    );
    assert_eq!(
        probe.control(Method::DELETE, "/faults", None).await.status,
        204
    );
    assert_eq!(probe.get("/user/me").await.status, 200);

    let one = json!({"answer": {"too_many_requests": {"headers": true, "retry_after": 2}}});
    probe.control(Method::POST, "/faults", Some(one)).await;
    assert_eq!(probe.get("/user/me").await.status, 429);

    let wrong = json!({"before": {"explode": true}});
    let refused = probe.control(Method::POST, "/faults", Some(wrong)).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("explode"), "{}", refused.text);
}

#[tokio::test]
async fn a_reset_goes_back_to_the_start_but_not_back_in_time() {
    let probe = Probe::on(emulator().time_scale(0.0).seed(7)).await;
    let first = probe.reply("anna", "Hello").await;
    for _ in 0..4 {
        probe.reply("anna", "Hello").await;
    }
    probe.emulator.set_balance("token", 0.0);
    probe.emulator.advance(Duration::from_secs(10));
    let before = probe.emulator.now();

    assert_eq!(
        probe.control(Method::POST, "/reset", None).await.status,
        204
    );
    assert!(probe.emulator.journal().is_empty());
    assert_eq!(probe.emulator.stats().requests, 0);
    assert_eq!(probe.emulator.now(), before);
    let again = probe.reply("anna", "Hello").await;
    assert_eq!((again.status, again.text), (200, first.text));
    assert_eq!(
        again.headers.get("x-ratelimit-remaining"),
        first.headers.get("x-ratelimit-remaining")
    );
}

#[tokio::test]
async fn the_journal_is_open_before_the_answer_is_sent() {
    let probe = Probe::on(emulator().latency(Duration::from_secs(60))).await;
    let call = probe.begin("anna", "Hello");
    let entry = || probe.emulator.journal().into_iter().next();
    until(|| entry().is_some_and(|entry| entry.processed)).await;
    assert_eq!(entry().and_then(|entry| entry.status), None);
    call.abort();
}

#[tokio::test]
async fn every_request_is_shown_once_when_it_is_over() {
    let shown = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&shown);
    let probe = Probe::on(emulator().on_request(move |entry| {
        let line = (entry.sequence, entry.status);
        log.lock().expect("no panic").push(line);
    }))
    .await;
    probe.get("/user/me").await;
    probe.get("/nowhere").await;
    probe.emulator.inject(Fault::after(After::Close));
    let lost = probe.request(Method::GET, "/user/me").send().await;
    lost.expect_err("no answer");
    let shown = shown.lock().expect("no panic");
    assert_eq!(*shown, [(1, Some(200)), (2, Some(404)), (3, None)]);
}

#[tokio::test]
async fn a_reader_can_follow_the_journal() {
    let probe = Probe::start().await;
    for _ in 0..3 {
        probe.get("/user/me").await;
    }
    let tail = probe.control(Method::GET, "/requests?after=2", None).await;
    let rows = tail.body["requests"].as_array().expect("rows");
    assert_eq!((rows.len(), &rows[0]["sequence"]), (1, &json!(3)));
}

#[tokio::test]
async fn a_fault_that_cannot_be_played_is_refused_with_what_would_be_right() {
    let probe = Probe::start().await;
    for (fault, said) in [
        (
            json!({"operation": "generateReplies", "after": "close"}),
            "operation: `generateReplies` is not known here; did you mean `generateReply`?",
        ),
        (
            json!([{"after": "close"}, {"before": {"answer": {"statsu": 503}}}]),
            "before.answer.statsu: unknown key; did you mean `status`?",
        ),
        (
            json!({"before": {"answer": {"status": "busy"}}}),
            "before.answer.status: string \"busy\" stands here; expected a whole number, zero or more",
        ),
        (
            json!({"nth": 0, "after": "close"}),
            "nth counts from 1: the first call is 1",
        ),
    ] {
        let refused = probe.control(Method::POST, "/faults", Some(fault)).await;
        assert_eq!(
            (refused.status, &refused.body["error"]),
            (422, &json!(said))
        );
    }
    assert!(
        probe.emulator.faults().is_empty(),
        "half of a list was taken"
    );
}

#[tokio::test]
async fn what_no_operation_is_gets_no_answer_from_the_control_plane() {
    let probe = Probe::start().await;
    let url = format!("http://{}/__emulator/unknown", probe.emulator.addr());
    assert_eq!(answer(probe.client.get(url)).await.status, 404);
}

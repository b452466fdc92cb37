//! What a history proves, and what it does not.

use std::time::{Duration, Instant};

use famulor_core::{Client, ClientBuilder, Delivery, Error, ErrorKind, OnUnknown, Reply};
use famulor_tests::sdk::{ASSISTANT, EMPTY_LIST, LIST, REPLY, builder, customer, ms};
use famulor_tests::wire::{Script, Then, Wire};
use futures_util::future::join_all;
use serde_json::json;

const HISTORY: &str = "GET /api/conversations/c-1";

/// A list of these conversations of the customer `crm-1`.
fn listed(ids: &[&str]) -> Then {
    let rows: Vec<_> = ids
        .iter()
        .map(|id| json!({"id": id, "type": "api", "external_identifier": "crm-1"}))
        .collect();
    Then::json(200, &json!({"data": rows, "next_cursor": null}).to_string())
}

/// A history: `>` begins what the customer said, the rest is the assistant's.
fn history(lines: &[&str]) -> Then {
    let messages: Vec<_> = lines
        .iter()
        .map(|line| match line.strip_prefix('>') {
            Some(text) => json!({"role": "user", "content": text}),
            None => json!({"role": "assistant", "content": line}),
        })
        .collect();
    Then::json(
        200,
        &json!({"status": true, "history": messages}).to_string(),
    )
}

fn replied(text: &str) -> Then {
    let body = json!({"success": true, "conversation_id": "c-1", "reply": text});
    Then::json(200, &body.to_string())
}

/// A client that believes "not there" quickly, and gives up soon.
fn quick(wire: &Wire) -> ClientBuilder {
    builder(&wire.base_url())
        .with_doubt_wait(ms(100))
        .with_deadline(ms(2500))
}

async fn say(client: &Client, text: &str) -> Result<Reply, Error> {
    client.reply(ASSISTANT, customer("crm-1"), text).await
}

#[track_caller]
fn assert_open(outcome: Result<Reply, Error>, wire: &Wire, sent: usize) -> Error {
    let error = outcome.expect_err("an open outcome");
    assert_eq!(error.kind(), ErrorKind::UnknownOutcome, "{error:?}");
    assert_eq!(error.delivery(), Delivery::Unknown, "{error:?}");
    assert_eq!(wire.count(REPLY), sent, "not sent again");
    error
}

/// One unknown outcome, with the histories before and after it.
async fn settles(before: Then, after: Vec<Then>) -> (Result<Reply, Error>, Wire) {
    settles_within(ms(2500), before, after).await
}

async fn settles_within(
    deadline: Duration,
    before: Then,
    after: Vec<Then>,
) -> (Result<Reply, Error>, Wire) {
    let histories = std::iter::once(before).chain(after);
    let script = Script::new()
        .on(LIST, [listed(&["c-1"])])
        .on(HISTORY, histories)
        .on(REPLY, [Then::close(), replied("again")]);
    let wire = Wire::start(script).await;
    let client = quick(&wire).with_deadline(deadline).build();
    let client = client.expect("a client");
    (say(&client, " yes\n").await, wire)
}

#[tokio::test]
async fn an_equal_earlier_message_is_not_taken_for_this_one() {
    let old = [">yes", "old answer"];
    let now = [">yes", "old answer", ">yes", "new answer"];
    let (outcome, wire) = settles(history(&old), vec![history(&old), history(&now)]).await;
    let reply = outcome.expect("found");
    assert_eq!(reply.text(), Some("new answer"));
    assert!(reply.was_read_back());
    assert_eq!(reply.conversation_id().as_str(), "c-1");
    assert_eq!(wire.count(REPLY), 1);
}

#[tokio::test]
async fn a_trimmed_text_is_the_same_text() {
    for stored in ["yes", " yes\n", "\u{feff}yes\u{200b}"] {
        let now = [&format!(">{stored}"), "Fine"];
        let now: Vec<&str> = now.iter().map(|line| line.as_ref()).collect();
        let (outcome, _) = settles(history(&[]), vec![history(&now)]).await;
        assert_eq!(outcome.expect("found").text(), Some("Fine"), "{stored:?}");
    }
}

#[tokio::test]
async fn an_answer_that_appears_late_is_waited_for() {
    let (outcome, _) = settles_within(
        Duration::from_secs(10),
        history(&[]),
        vec![
            history(&[]),
            history(&[">yes"]),
            history(&[">yes"]),
            history(&[">yes", "At last"]),
        ],
    )
    .await;
    assert_eq!(outcome.expect("found").text(), Some("At last"));
}

#[tokio::test]
async fn a_history_that_stays_the_same_is_proof() {
    let same = history(&[">no", "Pity"]);
    let (outcome, wire) = settles(same.clone(), vec![same]).await;
    let reply = outcome.expect("sent again");
    assert_eq!(reply.text(), Some("again"));
    assert_eq!((reply.attempts(), wire.count(REPLY)), (2, 2));
}

#[tokio::test]
async fn somebody_elses_message_is_for_a_person_to_decide() {
    for now in [
        vec![">no", "Pity", ">other", "Answer"],
        vec![">no", "Pity", ">other", "Answer", ">yes", "Fine"],
        vec![">no", "Pity", ">yes", "Fine", ">other"],
    ] {
        let (outcome, wire) = settles(history(&[">no", "Pity"]), vec![history(&now)]).await;
        let error = assert_open(outcome, &wire, 1);
        let hint = error.hint().unwrap_or_default();
        assert!(hint.contains("other messages"), "{hint}");
    }
}

#[tokio::test]
async fn a_history_that_lost_what_it_showed_proves_nothing() {
    let before = history(&[">a", "1", ">b", "2"]);
    let histories = [
        Then::json(200, r#"{"status":true,"history":[]}"#),
        history(&[">a", "1"]),
        // Only the newest part, with the message in it and with it not.
        history(&[">b", "2", ">yes", "Fine"]),
        history(&[">b", "2", ">c", "3"]),
        Then::json(200, r#"{"status":true,"history":null}"#),
        Then::json(200, r#"{"status":true}"#),
        Then::html(502, "bad"),
        Then::json(404, r#"{"status":false,"error":"Conversation not found"}"#),
    ];
    let cases = histories.map(|now| settles(before.clone(), vec![now]));
    for (outcome, wire) in join_all(cases).await {
        assert_open(outcome, &wire, 1);
    }
}

#[tokio::test]
async fn a_customers_second_conversation_is_looked_for_before_sending_again() {
    let same = history(&[">no", "Pity"]);
    let script = Script::new()
        .on(LIST, [listed(&["c-1"]), listed(&["c-2", "c-1"])])
        .on(HISTORY, [same])
        .on(REPLY, [Then::close(), replied("again")]);
    let wire = Wire::start(script).await;
    let client = quick(&wire).build().expect("a client");
    assert_open(say(&client, "yes").await, &wire, 1);
}

#[tokio::test]
async fn a_list_that_ignores_its_filter_proves_nothing() {
    let others = json!({"data": [{"id": "c-7", "type": "widget"}, {"id": "c-8", "external_identifier": "x"}]});
    let script = Script::new()
        .on(LIST, [Then::json(200, &others.to_string())])
        .on(REPLY, [Then::close(), replied("again")]);
    let wire = Wire::start(script).await;
    let client = quick(&wire).build().expect("a client");
    assert_open(say(&client, "yes").await, &wire, 1);
}

#[tokio::test]
async fn a_key_that_may_not_list_ends_in_an_open_outcome_at_once() {
    for refusal in [
        Then::json(
            403,
            r#"{"error":"Insufficient permissions","message":"no"}"#,
        ),
        Then::json(404, r#"{"message":"The route could not be found."}"#),
    ] {
        let script = Script::new()
            .on(LIST, [refusal])
            .on(REPLY, [Then::close(), replied("again")]);
        let wire = Wire::start(script).await;
        let client = builder(&wire.base_url()).build().expect("a client");
        let began = Instant::now();
        let error = assert_open(say(&client, "yes").await, &wire, 1);
        assert!(began.elapsed() < ms(1000), "{:?}", began.elapsed());
        let hint = error.hint().unwrap_or_default();
        assert!(hint.contains("this key"), "{hint}");
    }
}

#[tokio::test]
async fn a_customers_first_message_is_found_in_the_conversation_it_made() {
    let script = Script::new()
        .on(
            LIST,
            [
                Then::json(200, EMPTY_LIST),
                Then::json(200, EMPTY_LIST),
                listed(&["c-1"]),
            ],
        )
        .on(HISTORY, [history(&["Welcome!", ">yes", "Fine"])])
        .on(REPLY, [Then::close()]);
    let wire = Wire::start(script).await;
    let client = quick(&wire).build().expect("a client");
    let reply = say(&client, "yes").await.expect("found");
    assert_eq!(reply.text(), Some("Fine"));
    assert_eq!(wire.count(REPLY), 1);
}

#[tokio::test]
async fn without_a_watermark_an_equal_message_is_for_a_person_to_decide() {
    // The list fails before sending and works afterwards.
    let script = Script::new()
        .on(LIST, [Then::html(502, "bad"), listed(&["c-1"])])
        .on(HISTORY, [history(&[">yes", "Fine"])])
        .on(REPLY, [Then::close(), replied("again")]);
    let wire = Wire::start(script).await;
    let client = quick(&wire).build().expect("a client");
    let error = assert_open(say(&client, "yes").await, &wire, 1);
    let hint = error.hint().unwrap_or_default();
    assert!(hint.contains("perhaps an earlier one"), "{hint}");
}

#[tokio::test]
async fn a_message_under_another_policy_is_counted_all_the_same() {
    let script = Script::new()
        .on(LIST, [listed(&["c-1"])])
        .on(
            HISTORY,
            [
                history(&[]),
                history(&[">one", "1", ">yes", "2"]),
                history(&[">one", "1", ">yes", "2"]),
            ],
        )
        .on(REPLY, [replied("1"), replied("2"), Then::close()]);
    for policy in [OnUnknown::Fail, OnUnknown::Resend] {
        let wire = Wire::start(script.clone()).await;
        let client = quick(&wire).with_doubt_wait(Duration::MAX).build();
        let client = client.expect("a client");
        say(&client, "one").await.expect("a reply");
        let second = client.reply(ASSISTANT, customer("crm-1"), "yes");
        second.with_on_unknown(policy).await.expect("a reply");
        // The history shows an equal message, which is the one before.
        assert_open(say(&client, "yes").await, &wire, 3);
    }
}

#[tokio::test]
async fn a_message_of_a_dropped_call_is_not_taken_for_the_next_one() {
    let script = Script::new()
        .on(LIST, [listed(&["c-1"])])
        .on(
            HISTORY,
            [history(&[]), history(&[">one", "1", ">yes", "2"])],
        )
        .on(REPLY, [replied("1"), Then::stall(), Then::close()]);
    let wire = Wire::start(script).await;
    let client = quick(&wire).with_doubt_wait(Duration::MAX).build();
    let client = client.expect("a client");
    say(&client, "one").await.expect("a reply");
    let dropped = tokio::time::timeout(ms(100), say(&client, "yes")).await;
    assert!(dropped.is_err());
    assert_open(say(&client, "yes").await, &wire, 3);
}

#[tokio::test]
async fn a_new_conversation_of_the_customer_begins_a_new_count() {
    let elsewhere = json!({"success": true, "conversation_id": "c-2", "reply": "1"});
    let script = Script::new()
        .on(LIST, [listed(&["c-1"]), listed(&["c-2"])])
        .on(HISTORY, [history(&[">a", "1", ">b", "2"])])
        .on(
            "GET /api/conversations/c-2",
            [
                history(&[">one", "1"]),
                history(&[">one", "1", ">yes", "Fine"]),
            ],
        )
        .on(
            REPLY,
            [Then::json(200, &elsewhere.to_string()), Then::close()],
        );
    let wire = Wire::start(script).await;
    let client = quick(&wire).build().expect("a client");
    say(&client, "one").await.expect("a reply");
    let reply = say(&client, "yes").await.expect("found");
    assert_eq!(reply.text(), Some("Fine"));
    assert_eq!(wire.count(REPLY), 2);
}

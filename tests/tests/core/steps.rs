//! The steps of a reply one by one, for senders that survive a crash.

use famulor_core::{Client, Delivery, ErrorKind, Position, Sighting};
use famulor_tests::sdk::{ASSISTANT, KEY, LIST, REPLY, builder, client, customer, ms};
use famulor_tests::wire::{Script, Then, Wire};
use serde_json::json;

const HISTORY: &str = "GET /api/conversations/c-1";

fn listed(ids: &[&str]) -> Then {
    let row = |id: &&str| json!({"id": id, "type": "api", "external_identifier": "crm-1"});
    let rows: Vec<_> = ids.iter().map(row).collect();
    Then::json(200, &json!({"data": rows, "next_cursor": null}).to_string())
}

/// A history: `>` begins what the customer said, the rest is the assistant's.
fn history(lines: &[&str]) -> Then {
    let message = |line: &&str| match line.strip_prefix('>') {
        Some(text) => json!({"role": "user", "content": text}),
        None => json!({"role": "assistant", "content": line}),
    };
    let messages: Vec<_> = lines.iter().map(message).collect();
    Then::json(
        200,
        &json!({"status": true, "history": messages}).to_string(),
    )
}

fn replied(text: &str) -> Then {
    let body = json!({"success": true, "conversation_id": "c-1", "reply": text});
    Then::json(200, &body.to_string())
}

/// A client that may send one reply a minute.
fn limited(wire: &Wire) -> Client {
    Client::builder()
        .with_api_key(KEY)
        .with_base_url(&wire.base_url())
        .without_proxy()
        .with_rate_limit("1/60s".parse().expect("a limit"))
        .with_general_limits([])
        .build()
        .expect("a client")
}

async fn seen(before: &[&str], after: &[&str], text: &str) -> (Sighting, Wire) {
    let script = Script::new()
        .on(LIST, [listed(&["c-1"])])
        .on(HISTORY, [history(before), history(after)]);
    let wire = Wire::start(script).await;
    let client = client(&wire.base_url());
    let who = customer("crm-1");
    let position = client.position(ASSISTANT, &who).await.expect("a position");
    // As it is kept between two runs of a program.
    let kept = serde_json::to_string(&position).expect("json");
    let position: Position = serde_json::from_str(&kept).expect("the same");
    let seen = client
        .look_for(ASSISTANT, &who, text, Some(&position))
        .await;
    assert_eq!(wire.count(REPLY), 0, "a look sends nothing");
    (seen.expect("a sighting"), wire)
}

#[tokio::test]
async fn a_look_tells_what_became_of_a_message() {
    let before = [">no", "Pity"];
    let (sighting, _) = seen(&before, &[">no", "Pity", ">yes", "Fine"], "yes").await;
    let Sighting::Answered(reply) = sighting else {
        panic!("{sighting:?}")
    };
    assert_eq!(
        (reply.text(), reply.conversation_id().as_str()),
        (Some("Fine"), "c-1")
    );
    assert!(reply.was_read_back());
    let (sighting, _) = seen(&before, &[">no", "Pity", ">yes"], "yes").await;
    assert!(matches!(sighting, Sighting::Arrived), "{sighting:?}");
    let (sighting, _) = seen(&before, &before, "yes").await;
    assert!(matches!(sighting, Sighting::NotThere), "{sighting:?}");
    let (sighting, _) = seen(&before, &[">no", "Pity", ">other", "Oh"], "yes").await;
    assert!(matches!(sighting, Sighting::Crowded), "{sighting:?}");
    let (sighting, _) = seen(&before, &[], "yes").await;
    assert!(matches!(sighting, Sighting::Changed), "{sighting:?}");
}

#[tokio::test]
async fn without_a_position_a_message_like_it_proves_nothing() {
    let script = Script::new()
        .on(LIST, [listed(&["c-1"])])
        .on(HISTORY, [history(&[">yes", "Fine"])]);
    let wire = Wire::start(script).await;
    let client = client(&wire.base_url());
    let who = customer("crm-1");
    let seen = client
        .look_for(ASSISTANT, &who, "yes", None)
        .await
        .expect("a sighting");
    assert!(matches!(seen, Sighting::Unplaced), "{seen:?}");
    let seen = client
        .look_for(ASSISTANT, &who, "no", None)
        .await
        .expect("a sighting");
    assert!(matches!(seen, Sighting::NotThere), "{seen:?}");
}

#[tokio::test]
async fn what_cannot_be_read_is_closed_and_what_may_pass_is_an_error() {
    let forbidden = Then::json(403, r#"{"error":"Insufficient permissions"}"#);
    let busy = Then::json(503, "{}");
    let script = Script::new().on(LIST, [forbidden, busy]);
    let wire = Wire::start(script).await;
    let client = client(&wire.base_url());
    let who = customer("crm-1");
    let seen = client
        .look_for(ASSISTANT, &who, "yes", None)
        .await
        .expect("a sighting");
    assert!(matches!(seen, Sighting::Closed), "{seen:?}");
    let error = client
        .look_for(ASSISTANT, &who, "yes", None)
        .await
        .expect_err("an error");
    assert!(error.is_read_only(), "{error:?}");
}

#[tokio::test]
async fn one_attempt_is_made_in_a_slot_and_nothing_else() {
    let script = Script::new().on(REPLY, [Then::close(), replied("Fine")]);
    let wire = Wire::start(script).await;
    let client = client(&wire.base_url());
    let say = |client: &Client| client.reply(ASSISTANT, customer("crm-1"), "yes");
    let slot = client.reply_slot().await.expect("a slot");
    let error = say(&client).send_in(slot).await.expect_err("no answer");
    assert_eq!((error.delivery(), error.attempts()), (Delivery::Unknown, 1));
    assert_eq!(
        (wire.count(REPLY), wire.count(LIST)),
        (1, 0),
        "no look, no repetition"
    );
    let slot = client.reply_slot().await.expect("a slot");
    let reply = say(&client).send_in(slot).await.expect("a reply");
    assert_eq!((reply.text(), reply.attempts()), (Some("Fine"), 1));
    assert_eq!(client.usage().billed_messages, 2);
}

#[tokio::test]
async fn a_slot_is_counted_while_it_is_held_and_dropped_it_is_free() {
    let wire = Wire::start(Script::new().on(REPLY, [replied("Fine")])).await;
    let client = limited(&wire);
    let slot = client.reply_slot().await.expect("a slot");
    let error = client.try_reply_slot().await.expect_err("it is taken");
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(error.retry_after().is_some());
    drop(slot);
    let slot = client.try_reply_slot().await.expect("it is free again");
    client
        .reply(ASSISTANT, customer("crm-1"), "yes")
        .send_in(slot)
        .await
        .expect("a reply");
    client
        .try_reply_slot()
        .await
        .expect_err("used for a window");
}

#[tokio::test(start_paused = true)]
async fn an_old_slot_is_not_used() {
    let wire = Wire::start(Script::new()).await;
    for client in [client(&wire.base_url()), limited(&wire)] {
        let slot = client.reply_slot().await.expect("a slot");
        assert!(slot.is_fresh());
        tokio::time::advance(ms(2100)).await;
        assert!(!slot.is_fresh());
        let message = client.reply(ASSISTANT, customer("crm-1"), "yes");
        let error = message.send_in(slot).await.expect_err("too old");
        assert_eq!((error.delivery(), error.attempts()), (Delivery::NotSent, 0));
        assert_eq!(client.usage().billed_messages, 0);
        let again = client.try_reply_slot().await;
        assert!(again.is_ok(), "it was given back");
    }
    assert_eq!(wire.count(REPLY), 0);
}

#[tokio::test]
async fn a_slot_of_another_client_is_refused() {
    let wire = Wire::start(Script::new()).await;
    let one = client(&wire.base_url());
    let other = builder(&wire.base_url())
        .with_api_key("18|another")
        .build()
        .expect("a client");
    let slot = one.reply_slot().await.expect("a slot");
    let message = other.reply(ASSISTANT, customer("crm-1"), "yes");
    let error = message.send_in(slot).await.expect_err("not its own");
    assert_eq!(
        (error.kind(), wire.count(REPLY)),
        (ErrorKind::InvalidRequest, 0)
    );
}

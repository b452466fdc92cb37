//! generate-reply: memory, variables, tools, take-over, money.

mod probe;

use famulor_emulator::Assistant;
use famulor_test_judge::emulator;
use probe::{Probe, documented, reply_request};
use serde_json::json;

#[tokio::test]
async fn a_customer_has_one_conversation_and_the_assistant_remembers_it() {
    let probe = Probe::start().await;
    let first = probe.reply("+49155551234", "My printer is on fire").await;
    let second = probe.reply("+49155551234", "What should I do").await;
    assert_eq!(
        first.body["conversation_id"],
        second.body["conversation_id"]
    );
    let reply = second.body["reply"].as_str().expect("a reply");
    assert!(
        reply.contains("As you said earlier") && reply.contains("My printer is on fire"),
        "{reply}"
    );

    let other = probe.reply("+49155559999", "What should I do").await;
    assert_ne!(first.body["conversation_id"], other.body["conversation_id"]);
    let reply = other.body["reply"].as_str().expect("a reply");
    assert!(!reply.contains("printer"), "{reply}");
}

#[tokio::test]
async fn blanks_around_a_text_are_taken_off_as_laravel_does() {
    let probe = Probe::start().await;
    let answer = probe.reply(" anna ", "\n Hello there \n").await;
    assert_eq!(answer.body["customer_identifier"], "anna");
    let id = answer.body["conversation_id"].as_str().expect("an id");
    assert_eq!(probe.history(id).await[0]["content"], "Hello there");
}

#[tokio::test]
async fn the_same_customer_of_another_assistant_is_another_conversation() {
    let probe = Probe::start().await;
    let first = probe.reply("anna@example.com", "Hello").await;
    let mut request = reply_request("anna@example.com", "Hello");
    request["assistant_id"] = json!(124);
    let second = probe.post("/ai/generate-reply", &request).await;
    assert_eq!(second.status, 200);
    assert_ne!(
        first.body["conversation_id"],
        second.body["conversation_id"]
    );
}

#[tokio::test]
async fn a_second_key_of_the_account_goes_on_with_the_same_conversation() {
    let probe = Probe::start().await;
    let first = probe.reply("anna", "Hello").await;
    let probe = probe.with_token("another key");
    let second = probe.reply("anna", "Hello").await;
    assert_eq!(
        first.body["conversation_id"],
        second.body["conversation_id"]
    );
}

#[tokio::test]
async fn variables_are_merged_and_later_values_win() {
    let probe = Probe::start().await;
    let mut request = reply_request("anna", "Hello");
    request["variables"] = json!({"customer_name": "Anna Berg", "plan": "basic"});
    let first = probe.post("/ai/generate-reply", &request).await;
    let greeting = first.body["reply"].as_str().expect("a reply");
    assert!(greeting.contains("Anna"), "{greeting}");

    request["variables"] = json!({"plan": "premium", "seats": 3});
    probe.post("/ai/generate-reply", &request).await;
    request["variables"] = json!([]);
    probe.post("/ai/generate-reply", &request).await;

    let id = first.body["conversation_id"].as_str().expect("an id");
    let read = probe.get(&format!("/conversations/{id}")).await;
    assert_eq!(
        read.body["variables"],
        json!({"customer_name": "Anna Berg", "plan": "premium", "seats": 3})
    );
    assert_eq!(read.body["external_identifier"], "anna");
}

#[tokio::test]
async fn a_question_about_availability_uses_the_documented_tool() {
    let probe = Probe::start().await;
    let answer = probe
        .reply(
            "+14155551234",
            "Do you have an appointment available this week?",
        )
        .await;
    let mut expected = documented("generateReply.response.200-success-with-function-calls");
    expected["conversation_id"] = answer.body["conversation_id"].clone();
    assert_eq!(answer.body, expected);

    let booked = probe.reply("+14155551234", "Friday at 10 is fine").await;
    let calls = booked.body["function_calls"].as_array().expect("calls");
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0]["name"], "book_appointment");
    assert_eq!(calls[0]["arguments"]["datetime"], "2025-01-10T10:00:00");
}

#[tokio::test]
async fn a_taken_over_customer_gets_no_reply_and_pays_nothing() {
    let probe = Probe::start().await;
    let first = probe.reply("anna", "Hello").await;
    let id = first.body["conversation_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    probe
        .post(
            &format!("/automate/conversations/{id}/disable-ai"),
            &json!({}),
        )
        .await;
    let before = probe.emulator.balance("token");
    let answer = probe.reply("anna", "Are you a person?").await;
    assert_eq!(
        (answer.status, answer.body),
        (
            200,
            json!({
                "success": true,
                "conversation_id": id,
                "customer_identifier": "anna",
                "reply": null,
                "function_calls": [],
                "ai_disabled": true,
            })
        )
    );
    assert_eq!(probe.emulator.balance("token"), before);
    let history = probe.history(&id).await;
    assert_eq!(history.len(), 3);
    assert_eq!(history[2]["content"], "Are you a person?");
}

#[tokio::test]
async fn a_reply_costs_its_price_and_one_too_many_is_refused_and_leaves_no_trace() {
    let probe = Probe::on(emulator().balance(0.12).reply_price(0.05)).await;
    assert_eq!(probe.reply("anna", "One").await.status, 200);
    assert_eq!(probe.reply("anna", "Two").await.status, 200);
    assert_eq!(probe.emulator.balance("token"), 0.02);

    let refused = probe.reply("bert", "Three").await;
    assert_eq!(
        (refused.status, refused.body),
        (
            402,
            documented("generateReply.response.402-insufficient-balance")
        )
    );
    assert!(probe.emulator.conversation_of(123, "bert").is_none());

    probe.emulator.set_balance("token", 1.0);
    assert_eq!(probe.reply("bert", "Three").await.status, 200);
    assert_eq!(probe.emulator.balance("token"), 0.95);
}

#[tokio::test]
async fn an_added_assistant_answers_until_a_reset() {
    let probe = Probe::start().await;
    probe.emulator.add_assistant(Assistant {
        id: 7,
        uuid: "0b9f6a51-3c86-4b57-9a3e-5d0c9b8c7a11".into(),
        name: "Night Desk".into(),
        ..Assistant::default()
    });
    let mut request = reply_request("anna", "Hello");
    request["assistant_id"] = json!("7");
    assert_eq!(probe.post("/ai/generate-reply", &request).await.status, 200);
    probe.emulator.reset();
    assert_eq!(probe.post("/ai/generate-reply", &request).await.status, 404);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_story_in_whatever_order_customers_come() {
    let story = async |seed, customers: [&str; 2]| {
        let probe = Probe::on(emulator().seed(seed)).await;
        let mut told = Vec::new();
        for customer in customers {
            for message in ["My parcel is late", "It was a gift"] {
                told.push(probe.reply(customer, message).await.text);
            }
        }
        told.sort();
        told
    };
    let first = story(42, ["anna", "bert"]).await;
    assert_eq!(first, story(42, ["bert", "anna"]).await);
    assert_ne!(first, story(43, ["anna", "bert"]).await);
}

#[tokio::test]
async fn conversation_ids_are_version_4_uuids() {
    let probe = Probe::start().await;
    let reply = probe.reply("anna", "Hello").await;
    let created = probe.conversation("test").await;
    for id in [
        reply.body["conversation_id"].as_str().expect("an id"),
        &created,
    ] {
        assert_eq!(id.len(), 36);
        assert_eq!(&id[14..15], "4");
        assert!(["8", "9", "a", "b"].contains(&&id[19..20]), "{id}");
    }
}

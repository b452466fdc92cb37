//! `/conversations`: created, read, written, as documented.

mod probe;

use famulor_emulator::{Contact, Conversation, ConversationKind, Message};
use famulor_test_judge::emulator;
use probe::{Probe, documented};
use serde_json::{Value, json};

fn object(value: Value) -> Option<serde_json::Map<String, Value>> {
    value.as_object().cloned()
}

#[tokio::test]
async fn an_assistant_without_an_opening_message_starts_with_an_empty_history() {
    let probe = Probe::start().await;
    let answer = probe
        .post(
            "/conversations",
            &json!({"assistant_id": "3f2b8c1e-5d47-4a90-9c6e-2b7f1d0a8e64"}),
        )
        .await;
    let mut expected = documented("createConversation.response.200-success-no-initial-message");
    expected["conversation_id"] = answer.body["conversation_id"].clone();
    assert_eq!((answer.status, answer.body), (200, expected));
}

#[tokio::test]
async fn a_conversation_without_variables_reads_back_null_and_shows_what_is_missing() {
    let probe = Probe::start().await;
    let id = probe.conversation("test").await;
    let answer = probe.get(&format!("/conversations/{id}")).await;
    assert_eq!(answer.body["variables"], Value::Null);
    assert_eq!(
        answer.body["history"][0]["content"],
        "Hello {{customer_name}}! Welcome to {{company}} support. How can I help you today?"
    );
    for absent in ["external_identifier", "whatsapp_sender", "customer"] {
        assert!(answer.body.get(absent).is_none(), "{absent}");
    }
}

#[tokio::test]
async fn the_type_is_a_billed_widget_unless_it_is_said_to_be_a_test() {
    let probe = Probe::start().await;
    let created = probe
        .post(
            "/conversations",
            &json!({"assistant_id": "550e8400-e29b-41d4-a716-446655440000"}),
        )
        .await;
    let widget = created.body["conversation_id"].as_str().expect("an id");
    probe.send(widget, "Hello").await;
    assert_eq!(probe.emulator.stats().billed_amount, 0.01);

    let test = probe.conversation("test").await;
    probe.send(&test, "Hello").await;
    let stats = probe.emulator.stats();
    assert_eq!((stats.messages, stats.billed_messages), (2, 1));
    assert_eq!(stats.billed_amount, 0.01);
}

#[tokio::test]
async fn a_message_gets_the_documented_answer_and_both_are_in_the_history() {
    let probe = Probe::start().await;
    let id = probe.conversation("test").await;
    let request = documented("sendMessage.request.hist-9b63089");
    let answer = probe
        .post(&format!("/conversations/{id}/messages"), &request)
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, documented("sendMessage.response.200-success"));

    let history = probe.history(&id).await;
    assert_eq!(
        history[1..],
        [
            json!({"role": "user", "content": request["message"]}),
            json!({"role": "assistant", "content": answer.body["message"]}),
        ]
    );
}

#[tokio::test]
async fn tools_show_in_the_answer_and_in_their_turn_of_the_history_only() {
    let probe = Probe::start().await;
    let id = probe.conversation("test").await;
    let first = probe.send(&id, "I'd like to schedule a demo").await;
    assert_eq!(
        first.body["function_calls"].as_array().map(Vec::len),
        Some(1)
    );
    let second = probe.send(&id, "Thursday at 10 AM works for me").await;
    let third = probe.send(&id, "Thank you").await;
    assert_eq!(third.body["function_calls"], json!([]));

    let history = probe.history(&id).await;
    let seed = documented("getConversation.response.200-success");
    // Seed 1's exchange, after an opening of our own.
    assert_eq!(
        history[1..5],
        seed["history"].as_array().expect("a history")[1..5]
    );
    assert_eq!(history[4]["function_calls"], second.body["function_calls"]);
    assert!(history[6].get("function_calls").is_none());
}

#[tokio::test]
async fn the_documented_whatsapp_and_api_conversations_read_back_as_documented() {
    let talk = |first: (&'static str, &'static str), second: (&'static str, &'static str)| {
        vec![
            Message::new(first.0, first.1),
            Message::new(second.0, second.1),
        ]
    };
    let whatsapp = Conversation {
        id: "8d0f7780-8536-51ef-055c-f18fd2g01bf8".into(),
        assistant_id: 123,
        kind: ConversationKind::Whatsapp,
        history: talk(
            ("user", "Hi, I need help with my order"),
            (
                "assistant",
                "Hello! I'd be happy to help you with your order. Could you please provide your \
                 order number?",
            ),
        ),
        whatsapp_sender: Some(Contact {
            name: Some("Acme Corp Support".into()),
            phone: "+14155551234".into(),
        }),
        customer: Some(Contact {
            name: Some("John Doe".into()),
            phone: "+14155559876".into(),
        }),
        ..Conversation::default()
    };
    let api = Conversation {
        assistant_id: 123,
        kind: ConversationKind::Api,
        external_identifier: Some("crm-lead-12345".into()),
        variables: object(json!({"lead_id": "12345", "source": "website"})),
        history: talk(
            (
                "assistant",
                "Hi! I'm following up on your recent inquiry. How can I help you today?",
            ),
            ("user", "I wanted to know more about your enterprise plan"),
        ),
        ..Conversation::default()
    };
    let probe = Probe::on(emulator().conversation(whatsapp)).await;
    let answer = probe
        .get("/conversations/8d0f7780-8536-51ef-055c-f18fd2g01bf8")
        .await;
    assert_eq!(
        answer.body,
        documented("getConversation.response.200-whatsapp-conversation")
    );

    probe.emulator.add_conversation(api);
    let id = probe
        .emulator
        .conversation_of(123, "crm-lead-12345")
        .expect("the conversation that was added")
        .id;
    let answer = probe.get(&format!("/conversations/{id}")).await;
    assert_eq!(
        answer.body,
        documented("getConversation.response.200-api-conversation-with-external-id")
    );
}

#[tokio::test]
async fn all_three_answer_without_a_token() {
    let probe = Probe::start().await.without_token();
    let id = probe.conversation("widget").await;
    assert_eq!(probe.send(&id, "Hello").await.status, 200);
    assert_eq!(probe.history(&id).await.len(), 3);
}

#[tokio::test]
async fn a_message_of_2000_characters_is_taken_and_one_more_is_too_many() {
    let probe = Probe::start().await;
    let id = probe.conversation("test").await;
    assert_eq!(probe.send(&id, &"ü".repeat(2000)).await.status, 200);
    let answer = probe.send(&id, &"ü".repeat(2001)).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.body["status"], json!(false));
    assert!(answer.body["error"].is_string());
    assert_eq!(probe.history(&id).await.len(), 3);
}

#[tokio::test]
async fn a_taken_over_conversation_stores_messages_and_does_not_answer() {
    let probe = Probe::start().await;
    let id = probe.conversation("widget").await;
    let off = probe
        .post(
            &format!("/automate/conversations/{id}/disable-ai"),
            &json!({}),
        )
        .await;
    assert_eq!(
        (off.status, off.body),
        (
            200,
            documented("disableConversationAi.response.200-success")
        )
    );
    let answer = probe.send(&id, "Is anybody there?").await;
    assert_eq!(
        (answer.status, answer.body),
        (
            200,
            json!({"status": true, "message": null, "function_calls": []})
        )
    );
    assert_eq!(
        probe.history(&id).await.last(),
        Some(&json!({"role": "user", "content": "Is anybody there?"}))
    );
    assert_eq!(probe.emulator.stats().billed_messages, 0);

    let on = probe
        .post(
            &format!("/automate/conversations/{id}/enable-ai"),
            &json!({}),
        )
        .await;
    assert_eq!(
        (on.status, on.body),
        (200, documented("enableConversationAi.response.200-success"))
    );
    let answer = probe.send(&id, "And now?").await;
    assert!(answer.body["message"].is_string());
}

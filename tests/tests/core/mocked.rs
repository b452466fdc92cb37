//! What a user's own test looks like: the SDK against the typed mocks, and against plain ones.

use famulor_core::{Client, ErrorKind, OnUnknown};
use famulor_httpmock::MockServerExt;
use famulor_httpmock::types::{
    ApiError, ConversationAiResponse, CreateConversationResponse, GenerateReplyResponse,
    GetConversationResponse, GetMeResponse, ListAssistantsResponse, ListConversationsResponse,
    SendMessageResponse, WebhookResponse,
};
use famulor_tests::sdk::{ASSISTANT, assistant_uuid, conversation, customer};
use httpmock::MockServer;
use serde_json::json;

fn client(server: &MockServer) -> Client {
    let builder = famulor_tests::sdk::builder(&famulor_httpmock::base_url(server));
    builder
        .with_on_unknown(OnUnknown::Fail)
        .with_max_retries(0)
        .build()
        .expect("a client")
}

fn typed<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).expect("the documented shape")
}

#[tokio::test]
async fn every_operation_can_be_mocked() {
    let server = MockServer::start_async().await;
    let client = client(&server);
    let chat = client.conversation(conversation("c-1"));

    let answer: CreateConversationResponse =
        typed(json!({"status": true, "conversation_id": "c-1", "history": []}));
    let mock = server.create_conversation(|_, then| drop(then.ok(&answer)));
    let created = client.create_conversation(assistant_uuid()).await;
    assert_eq!(created.expect("a conversation").id().as_str(), "c-1");
    mock.assert();

    let answer: GetConversationResponse =
        typed(json!({"status": true, "history": [{"role": "user", "content": "Hi"}]}));
    let mock = server.get_conversation(|when, then| {
        when.uuid("c-1");
        then.ok(&answer);
    });
    let history = chat.history().await.expect("a history");
    assert_eq!(history.messages().len(), 1);
    mock.assert();

    let answer: SendMessageResponse =
        typed(json!({"status": true, "message": "Good day", "function_calls": []}));
    let mock = server.send_message(|when, then| {
        when.uuid("c-1");
        then.ok(&answer);
    });
    let turn = chat.send("Hello").await.expect("a turn");
    assert_eq!(turn.text(), Some("Good day"));
    mock.assert();

    let answer: ListConversationsResponse = typed(json!({"data": [{"id": "c-1"}]}));
    let mock = server.list_conversations(|when, then| {
        when.customer_phone("+49155551234");
        then.ok(&answer);
    });
    let list = client
        .list_conversations()
        .set_customer_phone("+49155551234");
    assert_eq!(list.await.expect("a page").items().len(), 1);
    mock.assert();

    let answer: ListAssistantsResponse = typed(json!({"data": [{"id": 123}]}));
    let mock = server.list_assistants(|_, then| drop(then.ok(&answer)));
    assert_eq!(
        client
            .list_assistants()
            .await
            .expect("a page")
            .items()
            .len(),
        1
    );
    mock.assert();

    let answer: GetMeResponse = typed(json!({"name": "Ada", "total_balance": 7.5}));
    let mock = server.get_me(|_, then| drop(then.ok(&answer)));
    assert_eq!(
        client.account().await.expect("an account").name(),
        Some("Ada")
    );
    mock.assert();

    let answer: ConversationAiResponse = typed(json!({"status": true, "ai_enabled": false}));
    let mock = server.disable_conversation_ai(|_, then| drop(then.ok(&answer)));
    assert!(!chat.ai_off().await.expect("switched"));
    mock.assert();
    let answer: ConversationAiResponse = typed(json!({"status": true, "ai_enabled": true}));
    let mock = server.enable_conversation_ai(|_, then| drop(then.ok(&answer)));
    assert!(chat.ai_on().await.expect("switched"));
    mock.assert();

    let answer: WebhookResponse = typed(json!({"message": "done", "data": []}));
    let mock = server.enable_conversation_ended_webhook(|_, then| drop(then.ok(&answer)));
    let call = client.enable_conversation_ended_webhook(ASSISTANT, "https://example.com/");
    call.await.expect("set");
    mock.assert();
    let mock = server.disable_conversation_ended_webhook(|_, then| drop(then.ok(&answer)));
    let call = client.disable_conversation_ended_webhook(ASSISTANT);
    call.await.expect("removed");
    mock.assert();
}

#[tokio::test]
async fn replies_and_their_errors_can_be_mocked_at_both_places() {
    for path in ["/ai/generate-reply", "/user/ai/generate-reply"] {
        let server = MockServer::start_async().await;
        let builder = famulor_tests::sdk::builder(&famulor_httpmock::base_url(&server));
        let builder = builder
            .with_reply_path(path)
            .with_on_unknown(OnUnknown::Fail);
        let client = builder.build().expect("a client");
        let call = || client.reply(ASSISTANT, customer("crm-1"), "Hello");

        let answer: GenerateReplyResponse =
            typed(json!({"success": true, "conversation_id": "c-1", "reply": "Good day"}));
        let mut mock = server.generate_reply(|_, then| drop(then.ok(&answer)));
        assert_eq!(call().await.expect("a reply").text(), Some("Good day"));
        mock.assert();
        mock.delete();

        let error: ApiError = typed(
            json!({"success": false, "error": "Insufficient balance", "error_code": "INSUFFICIENT_BALANCE"}),
        );
        let mock = server.generate_reply(|_, then| drop(then.client_error(402, &error)));
        assert_eq!(
            call().await.expect_err("no money").kind(),
            ErrorKind::Balance
        );
        mock.assert();
    }
}

#[tokio::test]
async fn plain_mocks_with_documented_bodies_do_too() {
    let server = MockServer::start_async().await;
    let body = include_str!("../../fixtures/sendMessage.response.200-success.json");
    let mock = server.mock(|when, then| {
        when.method("POST")
            .path("/api/conversations/c-1/messages")
            .header(
                "authorization",
                format!("Bearer {}", famulor_tests::sdk::KEY),
            )
            .json_body(json!({"message": "Hello"}));
        then.status(200)
            .header("content-type", "application/json")
            .body(body);
    });
    let chat = client(&server).conversation(conversation("c-1"));
    let turn = chat.send("Hello").await.expect("a turn");
    assert!(
        turn.text()
            .is_some_and(|text| text.starts_with("I'd be happy"))
    );
    mock.assert();
}

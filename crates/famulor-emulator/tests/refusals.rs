//! Every documented error: its status, its body, its envelope.

mod probe;

use famulor_test_judge::emulator;
use probe::{Probe, answer, documented, reply_request};
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::{Value, json};

const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

async fn invalid(probe: &Probe, path: &str, body: Value) -> Value {
    let answer = probe.post(path, &body).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    answer.body
}

#[tokio::test]
async fn what_is_not_there_is_not_found_in_its_operations_own_envelope() {
    let probe = Probe::start().await;
    let not_found = documented("getConversation.response.404-not-found");
    for id in [NOBODY, "not-a-uuid", "%C3%BC"] {
        let answer = probe.get(&format!("/conversations/{id}")).await;
        assert_eq!((answer.status, answer.body), (404, not_found.clone()));
    }
    let posts = [
        (
            format!("/conversations/{NOBODY}/messages"),
            json!({"message": "Hello"}),
            documented("sendMessage.response.404-not-found"),
        ),
        (
            format!("/automate/conversations/{NOBODY}/disable-ai"),
            json!({}),
            documented("disableConversationAi.response.404-not-found"),
        ),
        (
            format!("/automate/conversations/{NOBODY}/enable-ai"),
            json!({}),
            documented("enableConversationAi.response.404-not-found"),
        ),
        (
            "/conversations".to_owned(),
            json!({"assistant_id": NOBODY}),
            documented("createConversation.response.404-assistant-not-found"),
        ),
        (
            "/ai/generate-reply".to_owned(),
            json!({"assistant_id": 9, "customer_identifier": "anna", "message": "Hello"}),
            documented("generateReply.response.404-assistant-not-found"),
        ),
        (
            "/user/assistants/disable-conversation-ended-webhook".to_owned(),
            json!({"assistant_id": 9}),
            documented("disableConversationEndedWebhook.response.404-not-found"),
        ),
    ];
    for (path, body, expected) in posts {
        let answer = probe.post(&path, &body).await;
        assert_eq!((answer.status, answer.body), (404, expected), "{path}");
    }
}

#[tokio::test]
async fn an_empty_balance_is_400_for_conversations_and_402_for_replies() {
    let probe = Probe::start().await;
    let widget = probe.conversation("widget").await;
    let test = probe.conversation("test").await;
    probe.emulator.set_balance("token", 0.0);

    let create = probe
        .post(
            "/conversations",
            &documented("createConversation.request.seed000"),
        )
        .await;
    let expected = documented("createConversation.response.400-insufficient-balance");
    assert_eq!((create.status, create.body), (400, expected));
    let send = probe.send(&widget, "Hello").await;
    let expected = documented("sendMessage.response.400-insufficient-balance");
    assert_eq!((send.status, send.body), (400, expected));
    let reply = probe.reply("anna", "Hello").await;
    let expected = documented("generateReply.response.402-insufficient-balance");
    assert_eq!((reply.status, reply.body), (402, expected));

    assert_eq!(probe.send(&test, "Hello").await.status, 200);
    assert_eq!(probe.history(&widget).await.len(), 1);
}

#[tokio::test]
async fn one_tokens_empty_balance_is_not_anothers() {
    let probe = Probe::start().await;
    probe.emulator.set_balance("token", 0.0);
    assert_eq!(probe.reply("anna", "Hello").await.status, 402);
    let probe = probe.with_token("another");
    assert_eq!(probe.reply("anna", "Hello").await.status, 200);
}

#[tokio::test]
async fn a_missing_key_is_a_401_except_where_none_is_needed() {
    let probe = Probe::start().await.without_token();
    let missing = documented("common.response.401-missing-authorization-header.authguide");
    for path in ["/user/me", "/user/conversations", "/user/assistants/get"] {
        let answer = probe.get(path).await;
        assert_eq!(
            (answer.status, answer.body),
            (401, missing.clone()),
            "{path}"
        );
    }
    let reply = probe.reply("anna", "Hello").await;
    assert_eq!((reply.status, reply.body), (401, missing));
    let switched = probe
        .post(
            &format!("/automate/conversations/{NOBODY}/disable-ai"),
            &json!({}),
        )
        .await;
    let expected = documented("disableConversationAi.response.401-unauthorized");
    assert_eq!((switched.status, switched.body), (401, expected));
}

#[tokio::test]
async fn only_the_named_tokens_are_accepted_once_one_is_named() {
    let probe = Probe::on(emulator().token("first").token("1|second")).await;
    let refused = probe.get("/user/me").await;
    assert_eq!(
        (refused.status, refused.body),
        (
            401,
            documented("common.response.401-invalid-api-key.authguide")
        )
    );
    let id = probe.conversation("test").await;
    assert_eq!(probe.send(&id, "Hello").await.status, 200);
    let probe = probe.with_token("1|second");
    assert_eq!(probe.get("/user/me").await.status, 200);
}

#[tokio::test]
async fn a_refused_key_is_sent_to_the_login_page_only_if_asked_for_and_without_accept() {
    let plain = |probe: &Probe| {
        let url = format!("{}/user/me", probe.emulator.base_url());
        answer(probe.client.get(url).header(ACCEPT, "*/*"))
    };
    let off = Probe::start().await;
    assert_eq!(plain(&off).await.status, 401);

    let on = Probe::on(emulator().redirect_to_login(true)).await;
    let redirect = plain(&on).await;
    assert_eq!(redirect.status, 302);
    assert!(
        redirect
            .header("location")
            .is_some_and(|to| to.ends_with("/login"))
    );
    assert!(redirect.text.contains("<html>"));
    let on = on.without_token();
    assert_eq!(on.get("/user/me").await.status, 401);
}

#[tokio::test]
async fn a_missing_field_is_refused_in_the_documented_words() {
    let probe = Probe::start().await;
    let body = json!({"customer_identifier": "anna", "message": "Hello"});
    assert_eq!(
        invalid(&probe, "/ai/generate-reply", body).await,
        documented("generateReply.response.422-validation-error")
    );
    let path = "/user/assistants/disable-conversation-ended-webhook";
    assert_eq!(
        invalid(&probe, path, json!({})).await,
        documented("disableConversationEndedWebhook.response.422-validation-error")
    );
    let id = probe.conversation("test").await;
    let expected = documented("sendMessage.response.422-validation-error");
    for message in [json!({}), json!({"message": "  "}), json!({"message": 5})] {
        let path = format!("/conversations/{id}/messages");
        assert_eq!(invalid(&probe, &path, message).await, expected);
    }
}

#[tokio::test]
async fn more_errors_are_counted_in_laravels_words() {
    let probe = Probe::start().await;
    let two = invalid(&probe, "/ai/generate-reply", json!({"assistant_id": 123})).await;
    assert_eq!(
        two,
        json!({
            "message": "The customer identifier field is required. (and 1 more error)",
            "errors": {
                "customer_identifier": ["The customer identifier field is required."],
                "message": ["The message field is required."],
            }
        })
    );
    let three = invalid(&probe, "/ai/generate-reply", json!([])).await;
    assert_eq!(
        three["message"],
        "The assistant id field is required. (and 2 more errors)"
    );
}

#[tokio::test]
async fn values_of_a_wrong_type_or_length_are_refused_in_laravels_words() {
    let probe = Probe::on(emulator().without_limits()).await;
    let cases = [
        (
            "assistant_id",
            json!("abc"),
            "The assistant id field must be an integer.",
        ),
        (
            "assistant_id",
            json!(1.5),
            "The assistant id field must be an integer.",
        ),
        (
            "customer_identifier",
            json!("x".repeat(300)),
            "The customer identifier field must not be greater than 255 characters.",
        ),
        (
            "customer_identifier",
            json!(4915555),
            "The customer identifier field must be a string.",
        ),
        (
            "message",
            json!(["Hello"]),
            "The message field must be a string.",
        ),
        (
            "variables",
            json!("plan=basic"),
            "The variables field must be an array.",
        ),
    ];
    for (field, value, message) in cases {
        let mut body = reply_request("anna", "Hello");
        body[field] = value;
        let refused = invalid(&probe, "/ai/generate-reply", body).await;
        assert_eq!(
            refused,
            json!({"message": message, "errors": {field: [message]}})
        );
    }
    let mut body = documented("createConversation.request.seed000");
    body["type"] = json!("whatsapp");
    let refused = invalid(&probe, "/conversations", body).await;
    assert_eq!(refused["message"], "The selected type is invalid.");
    assert_eq!(probe.emulator.stats().messages, 0);
}

#[tokio::test]
async fn two_hundred_and_fifty_five_characters_are_not_too_many() {
    let probe = Probe::start().await;
    assert_eq!(probe.reply(&"ü".repeat(255), "Hello").await.status, 200);
}

#[tokio::test]
async fn a_body_that_is_no_json_is_an_empty_form() {
    let probe = Probe::start().await;
    let whole = reply_request("anna", "Hello").to_string();
    for (kind, body) in [
        ("application/json", "{\"assistant_id\": 12"),
        ("application/json", "\u{0}\u{1}"),
        ("application/json", ""),
        ("text/plain", whole.as_str()),
    ] {
        let request = probe
            .request(Method::POST, "/ai/generate-reply")
            .header(CONTENT_TYPE, kind)
            .body(body.to_owned());
        let refused = answer(request).await;
        assert_eq!(refused.status, 422);
        assert_eq!(
            refused.body["message"],
            "The assistant id field is required. (and 2 more errors)"
        );
    }
}

#[tokio::test]
async fn a_webhook_is_switched_on_and_off_as_documented() {
    let probe = Probe::start().await;
    let on = "/user/assistants/enable-conversation-ended-webhook";
    let off = "/user/assistants/disable-conversation-ended-webhook";
    let enabled = probe
        .post(
            on,
            &json!({"assistant_id": 123, "webhook_url": "https://example.com/hook"}),
        )
        .await;
    let expected = documented("enableConversationEndedWebhook.response.200-success");
    assert_eq!((enabled.status, enabled.body), (200, expected));
    let disabled = probe.post(off, &json!({"assistant_id": 123})).await;
    let expected = documented("disableConversationEndedWebhook.response.200-success-response");
    assert_eq!((disabled.status, disabled.body), (200, expected));

    for url in ["http://example.com/hook", "hook", "https://"] {
        let refused = invalid(&probe, on, json!({"assistant_id": 123, "webhook_url": url})).await;
        assert_eq!(
            refused,
            json!({
                "message": "The given data was invalid.",
                "errors": {"webhook_url": ["The webhook url field must be a valid URL."]},
            })
        );
    }
}

#[tokio::test]
async fn an_unknown_path_and_a_wrong_method_answer_as_laravel_does() {
    let probe = Probe::start().await;
    let unknown = probe.get("/user/unknown").await;
    assert_eq!(
        (unknown.status, unknown.body),
        (
            404,
            json!({"message": "The route api/user/unknown could not be found."})
        )
    );
    let wrong = probe.get("/conversations").await;
    assert_eq!(wrong.status, 405);
    assert_eq!(
        wrong.body,
        json!({
            "message": "The GET method is not supported for route api/conversations. \
                        Supported methods: POST."
        })
    );
    assert_eq!(wrong.headers.get_all("allow").iter().count(), 1);
    assert_eq!(wrong.header("allow"), Some("POST"));
    let wrong = probe.post("/user/me", &json!({})).await;
    assert_eq!(
        (wrong.status, wrong.header("allow")),
        (405, Some("GET, HEAD"))
    );
}

//! What a caller passes in wrongly is refused before anything is sent.

use famulor_core::{
    AssistantId, AssistantUuid, Client, ConversationId, CustomerId, Delivery, Error, ErrorKind,
};
use famulor_tests::sdk::{ASSISTANT, KEY, client, conversation, customer};
use famulor_tests::wire::{Script, Then, Wire};

#[track_caller]
fn assert_refused<T>(outcome: Result<T, Error>, kind: ErrorKind, about: &str) {
    let error = outcome.err().expect("refused");
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert_eq!(error.attempts(), 0);
    assert!(error.to_string().contains(about), "{error}");
}

#[test]
fn a_customer_has_1_to_255_characters_of_any_alphabet() {
    for empty in ["", "   ", "\n\t"] {
        assert_refused(CustomerId::raw(empty), ErrorKind::InvalidRequest, "empty");
    }
    for one in ["x", "ß", "日", "🦀"] {
        assert!(CustomerId::raw(one.repeat(255)).is_ok());
        let longer = CustomerId::raw(one.repeat(256));
        assert_refused(longer, ErrorKind::InvalidRequest, "256 characters");
    }
}

#[test]
fn whatever_is_given_as_a_phone_or_an_address_it_is_read_or_refused() {
    for text in [
        "",
        "+",
        "++",
        "00",
        "000",
        "+0",
        "+49",
        "+1 ext. 5",
        "tel:+49",
        "+49\u{0}155",
        "🦀",
        "+٤٩",
        "+\u{ff14}\u{ff19}155551234",
        "@",
        "a@",
        "@b",
        "a@@b",
        "a b@c",
        "+999999999999999999999999",
    ] {
        let read = [CustomerId::phone(text), CustomerId::email(text)];
        for customer in read.into_iter().flatten() {
            assert!(!customer.as_str().is_empty() && customer.as_str().len() < 256);
        }
    }
    let long = format!("+{}", "1".repeat(100_000));
    assert!(CustomerId::phone(&long).is_err());
}

#[tokio::test]
async fn a_message_is_not_empty_and_for_send_has_at_most_2000_characters() {
    let route = "POST /api/conversations/c-1/messages";
    let answer = r#"{"status":true,"message":"ok","function_calls":[]}"#;
    let wire = Wire::start(Script::new().on(route, [Then::json(200, answer)])).await;
    let client = client(&wire.base_url());
    let chat = client.conversation(conversation("c-1"));
    for empty in ["", " ", "\n\t\u{a0}"] {
        let reply = client.reply(ASSISTANT, customer("crm-1"), empty);
        assert_refused(reply.await, ErrorKind::InvalidRequest, "empty");
        assert_refused(chat.send(empty).await, ErrorKind::InvalidRequest, "empty");
    }
    for one in ["x", "ß", "🦀"] {
        let longer = chat.send(one.repeat(2001)).await;
        assert_refused(longer, ErrorKind::InvalidRequest, "2001 characters");
    }
    assert!(wire.requests().is_empty(), "nothing was sent");
    for one in ["x", "ß", "🦀"] {
        chat.send(one.repeat(2000)).await.expect("sent");
    }
    assert_eq!(wire.count(route), 3);
}

#[test]
fn an_id_of_the_wrong_form_is_refused() {
    for text in [
        "",
        "123",
        "not-a-uuid",
        "{550e8400-e29b-41d4-a716-446655440000}",
    ] {
        let uuid = AssistantUuid::parse(text);
        assert_refused(uuid, ErrorKind::InvalidRequest, "UUID");
    }
    for text in ["", "1.5", "550e8400-e29b-41d4-a716-446655440000"] {
        let id = text.parse::<AssistantId>();
        assert_refused(id, ErrorKind::InvalidRequest, "whole number");
    }
    for text in ["", ".", ".."] {
        let id = ConversationId::new(text);
        assert_refused(id, ErrorKind::InvalidRequest, "conversation id");
    }
}

#[tokio::test]
async fn a_page_has_1_to_100_rows_and_pages_are_counted_from_1() {
    let client = client("http://127.0.0.1:9/api");
    for rows in [0, 101, 255] {
        let list = client.list_conversations().set_per_page(rows);
        assert_refused(list.await, ErrorKind::InvalidRequest, "1 to 100");
        let list = client.list_assistants().set_per_page(rows);
        assert_refused(list.await, ErrorKind::InvalidRequest, "1 to 100");
    }
    let list = client.list_assistants().set_page(0);
    assert_refused(list.await, ErrorKind::InvalidRequest, "counted from 1");
}

#[test]
fn a_key_that_cannot_stand_in_a_header_is_refused() {
    for key in ["", " ", "a b", "a\nb", "a\r\nX-Evil: 1", "a\u{0}", "ключ"] {
        let built = Client::builder().with_api_key(key).build();
        assert_refused(built, ErrorKind::Config, "API key");
    }
}

#[test]
fn a_setting_that_cannot_work_is_a_config_error() {
    let base = |url: &str| {
        Client::builder()
            .with_api_key(KEY)
            .with_base_url(url)
            .build()
    };
    for url in [
        "",
        "app.famulor.de/api",
        "https://",
        "ftp://x/api",
        "https://x/api?a=b",
        "https://u:p@x/",
    ] {
        assert_refused(base(url), ErrorKind::Config, "base URL");
    }
    let far = base("http://192.0.2.1/api");
    assert_refused(far, ErrorKind::Config, "plain http");
    for path in ["", "ai/generate-reply", "/../x", "//x", "/a?b", "/a%2e"] {
        let built = Client::builder().with_reply_path(path).build();
        assert_refused(built, ErrorKind::Config, "generate-reply");
    }
    for proxy in ["", "http://", "::"] {
        let built = Client::builder().with_proxy(proxy).build();
        assert_refused(built, ErrorKind::Config, "proxy");
    }
    let built = Client::builder()
        .with_ca_certificate(b"no PEM".to_vec())
        .build();
    assert_refused(built, ErrorKind::Config, "certificate");
    let built = Client::builder().with_user_agent("a\nb").build();
    assert_refused(built, ErrorKind::Config, "user agent");
}

#[tokio::test]
async fn an_id_stays_inside_its_segment_whatever_is_in_it() {
    let answer = Then::json(
        200,
        r#"{"status":true,"history":[],"ai_enabled":true,"message":"ok"}"#,
    );
    let wire = Wire::start(Script::new().on("*", [answer])).await;
    let client = client(&wire.base_url());
    for (id, segment) in [
        ("../user/me", "..%2Fuser%2Fme"),
        ("a/b", "a%2Fb"),
        ("..\\user\\me", "..%5Cuser%5Cme"),
        ("%2e%2e", "%252e%252e"),
        ("x?y=1#z", "x%3Fy%3D1%23z"),
        ("größe", "gr%C3%B6%C3%9Fe"),
        ("a b\r\nX: 1", "a%20b%0D%0AX%3A%201"),
        (".x.", ".x."),
    ] {
        let before = wire.requests().len();
        let chat = client.conversation(conversation(id));
        chat.history().await.expect("a history");
        chat.ai_on().await.expect("switched");
        chat.send("hi").await.expect("an answer");
        let lines: Vec<String> = wire.requests()[before..]
            .iter()
            .map(|seen| seen.line.clone())
            .collect();
        let wanted = [
            format!("GET /api/conversations/{segment} HTTP/1.1"),
            format!("POST /api/automate/conversations/{segment}/enable-ai HTTP/1.1"),
            format!("GET /api/conversations/{segment} HTTP/1.1"),
            format!("POST /api/conversations/{segment}/messages HTTP/1.1"),
        ];
        assert_eq!(lines, wanted, "{id}");
        let preview = chat.history().preview().expect("a preview");
        assert!(
            preview
                .url()
                .ends_with(&format!("/conversations/{segment}"))
        );
    }
}

#[tokio::test]
async fn an_id_that_the_server_gave_reaches_no_other_route_either() {
    for id in ["", ".", ".."] {
        let created = format!(r#"{{"status":true,"conversation_id":"{id}","history":[]}}"#);
        let script = Script::new().on("POST /api/conversations", [Then::json(200, &created)]);
        let wire = Wire::start(script).await;
        let client = client(&wire.base_url());
        let uuid = famulor_tests::sdk::assistant_uuid();
        let Ok(chat) = client.create_conversation(uuid).await else {
            continue;
        };
        assert!(chat.history().await.is_err());
        assert!(chat.ai_off().await.is_err());
        assert!(chat.send("hi").await.is_err());
        assert_eq!(wire.requests().len(), 1, "{:?}", wire.requests());
    }
}

#[tokio::test]
async fn a_path_of_ones_own_stays_below_the_base_url() {
    let wire = Wire::start(Script::new().on("*", [Then::json(200, "{}")])).await;
    let client = client(&wire.base_url());
    for path in [
        "",
        "/",
        "https://example.com/",
        "//example.com",
        "/../x",
        "/a/%2e%2e/b",
        "/a b",
        "/a\nb",
        "/a#b",
        "/a\\..\\b",
    ] {
        let request = client.request("GET", path);
        assert_refused(request, ErrorKind::InvalidRequest, "the path");
    }
    for method in ["", "FETCH", "GET /", "CONNECT"] {
        assert_refused(
            client.request(method, "/user/me"),
            ErrorKind::InvalidRequest,
            "method",
        );
    }
    let request = client
        .request("get", "user/calls?from=1&to=%2B49")
        .expect("a request");
    request.await.expect("an answer");
    assert_eq!(
        wire.requests()[0].line,
        "GET /api/user/calls?from=1&to=%2B49 HTTP/1.1"
    );
}

//! What leaves for the server, byte by byte.

use famulor_gen::types::{
    ApiError, CreateConversationRequest, GenerateReplyRequest, SendMessageRequest,
};
use famulor_gen::{Client, FailureKind, Observer, Session};
use progenitor_client::{ClientHooks, OperationInfo};

use crate::server::{Server, Then};
use crate::{Outcome, client, failure, with_session};

const REPLY: &str = r#"{"assistant_id":123,"customer_identifier":"+49155551234","message":"Hi"}"#;

async fn server() -> std::io::Result<Server> {
    Server::answering(
        "200 OK",
        "application/json",
        r#"{"success":true,"status":true,"conversation_id":"c1"}"#,
    )
    .await
}

#[tokio::test]
async fn a_request_carries_the_token_and_not_the_generators_own_header() -> Outcome {
    let server = server().await?;
    let body: GenerateReplyRequest = serde_json::from_str(REPLY)?;
    let observer = Observer::new();
    let session = Session::new()
        .with_token("1|secret")?
        .with_observer(observer);
    with_session(&server.base_url, session)?
        .generate_reply()
        .body(body)
        .send()
        .await
        .map_err(famulor_gen::Failure::from)?;
    let request = server.request();
    let (head, body) = request
        .split_once("\r\n\r\n")
        .ok_or("a request has a head")?;
    let head = head.to_ascii_lowercase();
    assert!(
        head.starts_with("post /api/ai/generate-reply http/1.1\r\n"),
        "{head}"
    );
    assert!(
        head.contains("\r\nauthorization: bearer 1|secret"),
        "{head}"
    );
    assert!(head.contains("\r\naccept: application/json"), "{head}");
    assert!(
        head.contains("\r\ncontent-type: application/json"),
        "{head}"
    );
    // Watching a body must not change how it is sent: some backends refuse chunked requests.
    assert!(
        head.contains(&format!("\r\ncontent-length: {}", REPLY.len())),
        "{head}"
    );
    assert!(!head.contains("transfer-encoding"), "{head}");
    assert!(!head.contains("api-version"), "{head}");
    assert_eq!(body, REPLY);
    Ok(())
}

#[tokio::test]
async fn without_a_token_there_is_no_authorization() -> Outcome {
    let server = server().await?;
    let body: CreateConversationRequest = serde_json::from_str(r#"{"assistant_id":"u"}"#)?;
    with_session(&server.base_url, Session::new())?
        .create_conversation()
        .body(body)
        .send()
        .await
        .map_err(famulor_gen::Failure::from)?;
    let request = server.request();
    assert!(
        !request.to_ascii_lowercase().contains("authorization"),
        "{request}"
    );
    assert!(
        request.ends_with(r#"{"assistant_id":"u"}"#),
        "no billed type is made up: {request}"
    );
    Ok(())
}

#[tokio::test]
async fn the_token_is_marked_sensitive() -> Outcome {
    let client = client("http://127.0.0.1:1/api")?;
    let mut request = reqwest::Client::new()
        .get("http://127.0.0.1:1/api/user/me")
        .build()?;
    let info = OperationInfo {
        operation_id: "get_me",
    };
    ClientHooks::<Session>::pre::<ApiError>(&client, &mut request, &info)
        .await
        .map_err(famulor_gen::Failure::from)?;
    assert!(request.headers()["authorization"].is_sensitive());
    assert!(!format!("{request:?}").contains("secret"));
    Ok(())
}

#[tokio::test]
async fn the_reply_path_is_a_setting_and_moves_no_other_operation() -> Outcome {
    for path in ["/user/ai/generate-reply", "user/ai/generate-reply"] {
        let server = server().await?;
        // As the vendor's own configuration has it, with a slash at the end.
        let base = format!("{}/", server.base_url);
        let client = with_session(&base, Session::new().with_reply_path(path))?;
        let body: GenerateReplyRequest = serde_json::from_str(REPLY)?;
        client
            .generate_reply()
            .body(body)
            .send()
            .await
            .map_err(famulor_gen::Failure::from)?;
        client
            .get_me()
            .send()
            .await
            .map_err(famulor_gen::Failure::from)?;
        let requests = server.requests();
        assert!(
            requests[0].starts_with("POST /api/user/ai/generate-reply HTTP/1.1\r\n"),
            "{requests:?}"
        );
        assert!(
            requests[1].starts_with("GET /api/user/me HTTP/1.1\r\n"),
            "{requests:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_id_reaches_no_other_route() -> Outcome {
    for (id, line) in [
        (
            "../user/me",
            "GET /api/conversations/..%2Fuser%2Fme HTTP/1.1",
        ),
        (
            "..\\user\\me",
            "GET /api/conversations/..%5Cuser%5Cme HTTP/1.1",
        ),
        ("%2e%2e", "GET /api/conversations/%252e%252e HTTP/1.1"),
        ("a?b#c", "GET /api/conversations/a%3Fb%23c HTTP/1.1"),
        (
            "f3wqsa-asd23",
            "GET /api/conversations/f3wqsa-asd23 HTTP/1.1",
        ),
    ] {
        let server = server().await?;
        let _ = client(&server.base_url)?
            .get_conversation()
            .uuid(id)
            .send()
            .await;
        let request = server.request();
        assert_eq!(request.lines().next(), Some(line), "{id:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_id_that_cannot_be_a_segment_is_not_sent() -> Outcome {
    let server = server().await?;
    for id in ["", ".", ".."] {
        let client = client(&server.base_url)?;
        let message: SendMessageRequest = serde_json::from_str(r#"{"message":"Hi"}"#)?;
        for failure in [
            failure(client.get_conversation().uuid(id).send().await),
            failure(client.send_message().uuid(id).body(message).send().await),
            failure(client.enable_conversation_ai().uuid(id).send().await),
            failure(client.disable_conversation_ai().uuid(id).send().await),
        ] {
            assert_eq!(failure.kind(), FailureKind::InvalidRequest, "{id:?}");
        }
    }
    assert!(server.requests().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_value_beyond_a_documented_limit_is_not_sent() -> Outcome {
    let server = server().await?;
    let client = client(&server.base_url)?;
    let long = |n: usize| "ä".repeat(n);
    let send = |text: String| {
        client
            .send_message()
            .uuid("c1")
            .body_map(|body| body.message(text))
            .send()
    };
    assert_eq!(
        failure(send(long(2001)).await).kind(),
        FailureKind::InvalidRequest
    );
    assert_eq!(
        failure(send(String::new()).await).kind(),
        FailureKind::InvalidRequest
    );
    let reply = |customer: String| {
        client
            .generate_reply()
            .body_map(|body| {
                body.assistant_id(1)
                    .customer_identifier(customer)
                    .message("Hi")
            })
            .send()
    };
    assert_eq!(
        failure(reply(long(256)).await).kind(),
        FailureKind::InvalidRequest
    );
    assert!(server.requests().is_empty());

    // Limits count characters, not bytes.
    assert!(send(long(2000)).await.is_ok());
    assert!(reply(long(255)).await.is_ok());
    Ok(())
}

#[tokio::test]
async fn a_query_is_encoded() -> Outcome {
    let server = server().await?;
    let _ = client(&server.base_url)?
        .list_conversations()
        .customer_phone("+4915 5&x=1")
        .per_page(5)
        .send()
        .await;
    let request = server.request();
    let line = request.lines().next().unwrap_or_default();
    assert!(
        line.contains("customer_phone=%2B4915+5%26x%3D1")
            || line.contains("customer_phone=%2B4915%205%26x%3D1"),
        "{line}"
    );
    assert!(line.contains("per_page=5"), "{line}");
    Ok(())
}

#[tokio::test]
async fn a_redirect_is_not_followed() -> Outcome {
    let target = server().await?;
    let moved = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: {}/login\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        target.base_url
    );
    let server = Server::start(Then::Send(moved.into_bytes())).await?;
    let client: Client = client(&server.base_url)?;
    let body: GenerateReplyRequest = serde_json::from_str(REPLY)?;
    let failure = failure(client.generate_reply().body(body).send().await);
    assert_eq!(failure.status().map(|s| s.as_u16()), Some(307));
    assert!(failure.headers().contains_key("location"));
    assert_eq!(server.requests().len(), 1, "sent once");
    assert!(
        target.requests().is_empty(),
        "the message went nowhere else"
    );
    Ok(())
}

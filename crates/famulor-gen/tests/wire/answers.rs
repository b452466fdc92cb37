//! No answer loses its status, its headers or the body that came.

use famulor_gen::types::{CreateConversationRequest, GenerateReplyRequest};
use famulor_gen::{BodyEnd, ERROR_BODY_CEILING, FailureKind, Role, Session};

use crate::server::{Server, Then, answer};
use crate::{Outcome, client, failure, with_session};

const HTML: &str = "<!DOCTYPE html><title>Sign in</title>";

fn reply() -> Result<GenerateReplyRequest, serde_json::Error> {
    serde_json::from_str(
        r#"{"assistant_id":123,"customer_identifier":"+49155551234","message":"Hi"}"#,
    )
}

#[tokio::test]
async fn html_keeps_status_headers_and_body_under_every_status() -> Outcome {
    for status in ["200 OK", "302 Found", "404 Not Found", "502 Bad Gateway"] {
        let server = Server::answering(status, "text/html", HTML).await?;
        let failure = failure(
            client(&server.base_url)?
                .generate_reply()
                .body(reply()?)
                .send()
                .await,
        );
        assert_eq!(failure.kind(), FailureKind::Unexpected, "{status}");
        let code = failure
            .status()
            .map(|s| s.as_u16().to_string())
            .unwrap_or_default();
        assert!(status.starts_with(&code), "{code} is not {status}");
        assert_eq!(failure.headers()["x-request-id"], "r-7");
        assert_eq!(failure.body(), HTML);
        assert_eq!(failure.body_end(), Some(BodyEnd::Complete));
        assert_eq!(failure.text(), None);
    }
    Ok(())
}

#[tokio::test]
async fn a_body_that_is_cut_off_keeps_what_came() -> Outcome {
    let part = r#"{"success":true,"conversation_id":"f3w"#;
    for status in ["200 OK", "404 Not Found", "502 Bad Gateway"] {
        let bytes = answer(status, "application/json", part, 500).into_bytes();
        let server = Server::start(Then::Send(bytes)).await?;
        let failure = failure(
            client(&server.base_url)?
                .generate_reply()
                .body(reply()?)
                .send()
                .await,
        );
        assert_eq!(failure.kind(), FailureKind::Unexpected, "{status}");
        assert_eq!(failure.body_end(), Some(BodyEnd::Cut), "{status}");
        assert_eq!(failure.body(), part);
        assert_eq!(failure.headers()["x-request-id"], "r-7");
        assert!(failure.status().is_some());
    }
    Ok(())
}

#[tokio::test]
async fn a_chunked_body_that_is_cut_off_is_no_success_even_if_what_came_is_whole() -> Outcome {
    let json = r#"{"success":true,"conversation_id":"c1"}"#;
    let bytes = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{json}\r\n",
        json.len()
    );
    let server = Server::start(Then::Send(bytes.into_bytes())).await?;
    let failure = failure(
        client(&server.base_url)?
            .generate_reply()
            .body(reply()?)
            .send()
            .await,
    );
    assert_eq!(failure.body_end(), Some(BodyEnd::Cut));
    assert_eq!(failure.body(), json);
    assert_eq!(failure.status().map(|s| s.as_u16()), Some(200));
    Ok(())
}

#[tokio::test]
async fn a_refusal_inside_a_200_is_no_success() -> Outcome {
    let body = r#"{"status":false,"error":"Conversation not found"}"#;
    let server = Server::answering("200 OK", "application/json", body).await?;
    let refused = failure(
        client(&server.base_url)?
            .get_conversation()
            .uuid("c1")
            .send()
            .await,
    );
    assert_eq!(refused.kind(), FailureKind::RefusedInsideSuccess);
    assert_eq!(refused.text().as_deref(), Some("Conversation not found"));
    assert_eq!(
        refused.to_string(),
        "refused with 200: Conversation not found"
    );

    // Even with every field of a success in it.
    let body = r#"{"success":false,"error":"Assistant not found","error_code":"ASSISTANT_NOT_FOUND","conversation_id":"c1"}"#;
    let server = Server::answering("200 OK", "application/json", body).await?;
    let refused = failure(
        client(&server.base_url)?
            .generate_reply()
            .body(reply()?)
            .send()
            .await,
    );
    assert_eq!(refused.kind(), FailureKind::RefusedInsideSuccess);
    assert_eq!(refused.body(), body);
    Ok(())
}

#[tokio::test]
async fn a_false_elsewhere_in_a_200_is_a_success() -> Outcome {
    let body = r#"{"success":true,"conversation_id":"c1","reply":"status: false","ai_disabled":false,
        "function_calls":[{"name":"book","arguments":{},"result":{"success":false,"status":false}}]}"#;
    let server = Server::answering("200 OK", "application/json", body).await?;
    let reply = client(&server.base_url)?
        .generate_reply()
        .body(reply()?)
        .send()
        .await;
    let reply = reply.map_err(famulor_gen::Failure::from)?;
    assert_eq!(reply.reply.as_deref(), Some("status: false"));
    Ok(())
}

#[tokio::test]
async fn an_error_body_is_read_up_to_its_ceiling() -> Outcome {
    let body = format!(r#"{{"message":"{}"}}"#, "a".repeat(1024 * 1024));
    for status in ["400 Bad Request", "500 Internal Server Error"] {
        let server = Server::answering(status, "application/json", &body).await?;
        let failure = failure(client(&server.base_url)?.get_me().send().await);
        assert_eq!(failure.body().len(), ERROR_BODY_CEILING);
        assert_eq!(failure.body_end(), Some(BodyEnd::TooLarge));
        assert!(failure.status().is_some());
        assert_eq!(failure.headers()["x-request-id"], "r-7");
    }
    Ok(())
}

#[tokio::test]
async fn a_success_body_over_the_ceiling_is_too_large_and_one_at_it_is_not() -> Outcome {
    let body = r#"{"name":"Jane","email":"jane@example.com","total_balance":1.5}"#;
    let server = Server::answering("200 OK", "application/json", body).await?;
    for (ceiling, fits) in [(body.len(), true), (body.len() - 1, false), (0, false)] {
        let session = Session::new().with_body_ceiling(ceiling);
        let result = with_session(&server.base_url, session)?
            .get_me()
            .send()
            .await;
        if fits {
            assert_eq!(
                result.map_err(famulor_gen::Failure::from)?.name.as_deref(),
                Some("Jane")
            );
        } else {
            let failure = failure(result);
            assert_eq!(failure.body_end(), Some(BodyEnd::TooLarge));
            assert_eq!(failure.body().len(), ceiling);
        }
    }
    Ok(())
}

#[tokio::test]
async fn each_documented_error_envelope_is_read() -> Outcome {
    for (status, body, text) in [
        (
            "400",
            r#"{"status":false,"error":"Insufficient balance. Please top up your account."}"#,
            "Insufficient balance. Please top up your account.",
        ),
        ("401", r#"{"error":"Unauthorized"}"#, "Unauthorized"),
        (
            "401",
            r#"{"message":"Unauthenticated."}"#,
            "Unauthenticated.",
        ),
        (
            "402",
            r#"{"success":false,"error":"Insufficient balance.","error_code":"INSUFFICIENT_BALANCE"}"#,
            "Insufficient balance.",
        ),
        (
            "403",
            r#"{"error":"Insufficient permissions","message":"No."}"#,
            "Insufficient permissions: No.",
        ),
        (
            "422",
            r#"{"message":"The given data was invalid.","errors":{"assistant_id":["Required."]}}"#,
            "The given data was invalid.",
        ),
        (
            "422",
            r#"{"message":"The given data was invalid.","errors":[]}"#,
            "The given data was invalid.",
        ),
        (
            "429",
            r#"{"message":"Too Many Attempts.","retry_after":60}"#,
            "Too Many Attempts.",
        ),
        ("418", r#"{"message":"Not documented."}"#, "Not documented."),
    ] {
        let server = Server::answering(&format!("{status} X"), "application/json", body).await?;
        let refused = failure(
            client(&server.base_url)?
                .generate_reply()
                .body(reply()?)
                .send()
                .await,
        );
        assert_eq!(refused.kind(), FailureKind::Refused, "{body}");
        assert_eq!(refused.text().as_deref(), Some(text));
        assert_eq!(
            refused.to_string(),
            format!("refused with {status}: {text}")
        );
        let kept: serde_json::Value = serde_json::from_slice(refused.body())?;
        assert_eq!(kept, serde_json::from_str::<serde_json::Value>(body)?);
    }
    Ok(())
}

#[tokio::test]
async fn an_error_of_an_unexpected_shape_keeps_its_text() -> Outcome {
    let body = r#"{"status":"error","message":"Out of order."}"#;
    let server = Server::answering("400 Bad Request", "application/json", body).await?;
    let failure = failure(client(&server.base_url)?.get_me().send().await);
    assert_eq!(failure.kind(), FailureKind::Unexpected);
    assert_eq!(failure.text().as_deref(), Some("Out of order."));
    Ok(())
}

#[tokio::test]
async fn words_and_fields_that_the_documentation_lacks_are_kept() -> Outcome {
    let body = r#"{"status":true,"history":[{"role":"tool","content":null,"id":5}],"variables":[],"channel":"fax"}"#;
    let server = Server::answering("200 OK", "application/json", body).await?;
    let chat = client(&server.base_url)?
        .get_conversation()
        .uuid("c1")
        .send()
        .await;
    let chat = chat.map_err(famulor_gen::Failure::from)?.into_inner();
    assert_eq!(
        chat.history.as_ref().map(|h| h[0].role.clone()),
        Some(Role::Other("tool".to_owned()))
    );
    let written = serde_json::to_value(&chat)?;
    assert_eq!(written["history"][0]["role"], "tool");
    assert_eq!(written["history"][0]["id"], 5);
    assert_eq!(written["variables"], serde_json::json!([]));
    assert_eq!(written["channel"], "fax");

    let request = r#"{"assistant_id":"550e8400","type":"fax"}"#;
    let request: CreateConversationRequest = serde_json::from_str(request)?;
    assert_eq!(serde_json::to_value(&request)?["type"], "fax");
    Ok(())
}

//! The mocks under the generated client, as a user's test has them.

use famulor_gen::{Client, Failure, FailureKind, Session, http_client};
use famulor_httpmock::types::{
    ApiError, GenerateReplyRequest, GenerateReplyResponse, SendMessageRequest,
};
use famulor_httpmock::{MockServerExt, base_url};
use httpmock::MockServer;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn client(base_url: &str) -> Result<Client, Box<dyn std::error::Error>> {
    Ok(Client::new_with_client(
        base_url,
        http_client()?,
        Session::new(),
    ))
}

fn request() -> Result<GenerateReplyRequest, serde_json::Error> {
    serde_json::from_str(
        r#"{"assistant_id":123,"customer_identifier":"+49155551234","message":"Hi"}"#,
    )
}

fn reply() -> Result<GenerateReplyResponse, serde_json::Error> {
    serde_json::from_str(r#"{"success":true,"conversation_id":"f3wqsa-asd23","reply":"Hello!"}"#)
}

#[tokio::test]
async fn a_mock_answers_below_api_and_at_the_root() -> Outcome {
    let server = MockServer::start_async().await;
    let account = serde_json::from_str(r#"{"name":"Jane"}"#)?;
    let mock = server.get_me(|_, then| {
        then.ok(&account);
    });
    for base in [
        base_url(&server),
        server.base_url(),
        format!("{}/", base_url(&server)),
    ] {
        let account = client(&base)?
            .get_me()
            .send()
            .await
            .map_err(Failure::from)?;
        assert_eq!(account.name.as_deref(), Some("Jane"));
    }
    assert_eq!(mock.calls(), 3);

    // Below anything else it does not.
    let other = client(&server.url("/v2/api"))?.get_me().send().await;
    assert!(other.is_err());
    assert_eq!(mock.calls(), 3);
    Ok(())
}

#[tokio::test]
async fn generate_reply_answers_at_both_documented_paths() -> Outcome {
    let server = MockServer::start_async().await;
    let (request, reply) = (request()?, reply()?);
    let mock = server.generate_reply(|when, then| {
        when.body(&request);
        then.ok(&reply);
    });
    for path in ["/ai/generate-reply", "/user/ai/generate-reply"] {
        let session = Session::new().with_reply_path(path);
        let client = Client::new_with_client(&base_url(&server), http_client()?, session);
        let found = client
            .generate_reply()
            .body(request.clone())
            .send()
            .await
            .map_err(Failure::from)?;
        assert_eq!(found.reply.as_deref(), Some("Hello!"));
    }
    assert_eq!(mock.calls(), 2);
    Ok(())
}

#[tokio::test]
async fn an_id_in_a_path_is_text_and_no_pattern() -> Outcome {
    for (id, other) in [
        ("a.c", "abc"),
        ("a+", "aa"),
        ("(a|b)", "a"),
        ("[x]$", "x"),
        ("a b/c", "a b"),
        ("ü%", "ü"),
    ] {
        let server = MockServer::start_async().await;
        let chat = serde_json::from_str(r#"{"status":true,"history":[]}"#)?;
        let mock = server.get_conversation(|when, then| {
            when.uuid(id);
            then.ok(&chat);
        });
        let client = client(&base_url(&server))?;
        let found = client.get_conversation().uuid(id).send().await;
        assert!(found.is_ok(), "{id:?} is not matched by itself");
        assert!(
            client.get_conversation().uuid(other).send().await.is_err(),
            "{id:?} matches {other:?}"
        );
        assert_eq!(mock.calls(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn a_query_parameter_is_text_too() -> Outcome {
    let server = MockServer::start_async().await;
    let page = serde_json::from_str(r#"{"data":[],"next_cursor":null,"prev_cursor":null}"#)?;
    let mock = server.list_conversations(|when, then| {
        when.customer_phone("+49 (155) 5.1")
            .per_page(std::num::NonZeroU32::new(5));
        then.ok(&page);
    });
    let list = client(&base_url(&server))?;
    let list = list.list_conversations().per_page(5);
    assert!(
        list.clone()
            .customer_phone("+49 (155) 5.1")
            .send()
            .await
            .is_ok()
    );
    assert!(list.customer_phone("+49 (155) 5x1").send().await.is_err());
    assert_eq!(mock.calls(), 1);
    Ok(())
}

#[tokio::test]
async fn each_documented_refusal_of_generate_reply_can_be_mocked_and_is_decoded() -> Outcome {
    let refusal: ApiError = serde_json::from_str(
        r#"{"success":false,"error":"No.","error_code":"NEW_ONE","errors":{"a":["b"]},"retry_after":60,"odd":1}"#,
    )?;
    for status in [401, 402, 403, 404, 422, 429, 418] {
        let server = MockServer::start_async().await;
        let mock = server.generate_reply(|_, then| {
            drop(match status {
                401 => then.unauthorized(&refusal),
                402 => then.payment_required(&refusal),
                403 => then.forbidden(&refusal),
                404 => then.not_found(&refusal),
                422 => then.unprocessable_entity(&refusal),
                429 => then.too_many_requests(&refusal),
                // Any other refusal that the documentation does not name.
                other => then.client_error(other, &refusal),
            });
        });
        let result = client(&base_url(&server))?
            .generate_reply()
            .body(request()?)
            .send()
            .await;
        let failure = result
            .err()
            .map(Failure::from)
            .ok_or("a refusal is no success")?;
        assert_eq!(failure.kind(), FailureKind::Refused);
        assert_eq!(failure.status().map(|s| s.as_u16()), Some(status));
        let kept: ApiError = serde_json::from_slice(failure.body())?;
        assert_eq!(
            serde_json::to_value(&kept)?,
            serde_json::to_value(&refusal)?
        );
        assert_eq!(mock.calls(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn each_documented_refusal_of_a_conversation_can_be_mocked_and_is_decoded() -> Outcome {
    let refusal: ApiError = serde_json::from_str(r#"{"status":false,"error":"No."}"#)?;
    for status in [400, 404, 422, 429] {
        let server = MockServer::start_async().await;
        let mock = server.send_message(|when, then| {
            when.uuid("c1");
            drop(match status {
                400 => then.bad_request(&refusal),
                404 => then.not_found(&refusal),
                422 => then.unprocessable_entity(&refusal),
                _ => then.too_many_requests(&refusal),
            });
        });
        let message: SendMessageRequest = serde_json::from_str(r#"{"message":"Hi"}"#)?;
        let result = client(&base_url(&server))?
            .send_message()
            .uuid("c1")
            .body(message)
            .send()
            .await;
        let failure = result
            .err()
            .map(Failure::from)
            .ok_or("a refusal is no success")?;
        assert_eq!(failure.to_string(), format!("refused with {status}: No."));
        assert_eq!(mock.calls(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn a_body_of_the_servers_own_hand_can_be_mocked() -> Outcome {
    let server = MockServer::start_async().await;
    server.get_conversation(|_, then| {
        then.into_inner()
            .status(200)
            .header("content-type", "application/json")
            .body(r#"{"status":true,"history":[{"role":"tool"}],"variables":[]}"#);
    });
    let chat = client(&base_url(&server))?
        .get_conversation()
        .uuid("c1")
        .send()
        .await
        .map_err(Failure::from)?;
    assert_eq!(chat.history.as_ref().map(Vec::len), Some(1));
    Ok(())
}

#[tokio::test]
async fn a_request_that_no_mock_takes_looks_like_an_error_of_the_api() -> Outcome {
    // What the crate's documentation warns of: it must stay true, or the warning go.
    let server = MockServer::start_async().await;
    let mock = server.get_conversation(|when, _| {
        when.uuid("another");
    });
    let result = client(&base_url(&server))?
        .get_conversation()
        .uuid("c1")
        .send()
        .await;
    let failure = result.err().map(Failure::from).ok_or("no mock took it")?;
    assert_eq!(failure.kind(), FailureKind::Refused);
    assert_eq!(failure.status().map(|s| s.as_u16()), Some(404));
    assert_eq!(mock.calls(), 0);
    Ok(())
}

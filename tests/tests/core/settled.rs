//! A later failure does not hide what an earlier attempt may have done.

use famulor_core::{Delivery, ErrorKind, OnUnknown};
use famulor_tests::sdk::{ASSISTANT, REPLY, builder, customer, ms};
use famulor_tests::wire::{Script, Then, Wire};

use crate::calls::Op;

#[tokio::test]
async fn a_repetition_that_is_refused_leaves_the_first_message_open() {
    for refusal in [
        Then::json(422, r#"{"message":"no"}"#),
        Then::json(402, r#"{"error":"Insufficient balance"}"#),
        Then::answer(429, &[("Retry-After", "600")], "{}"),
    ] {
        let script = Script::new().on(REPLY, [Then::close(), refusal]);
        let wire = Wire::start(script).await;
        let client = builder(&wire.base_url()).build().expect("a client");
        let call = client.reply(ASSISTANT, customer("crm-1"), "Hello");
        let error = call.with_on_unknown(OnUnknown::Resend).await;
        let error = error.expect_err("refused");
        assert_eq!(error.delivery(), Delivery::Unknown, "{error:?}");
        assert_eq!(error.kind(), ErrorKind::UnknownOutcome);
        assert_eq!(error.attempts(), 2);
        assert_eq!(wire.count(REPLY), 2);
        assert_eq!(client.usage().billed_messages, 1);
        assert!(client.verify(&error).await.is_ok(), "it can be verified");
    }
}

#[tokio::test]
async fn a_repetition_that_is_not_sent_leaves_the_first_message_open() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let base_url = format!("http://{}/api", listener.local_addr().expect("an address"));
    // The only connection takes the message, and then nobody listens any more.
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        drop(listener);
        tokio::time::sleep(ms(100)).await;
        drop(stream);
    });
    let client = builder(&base_url).with_max_retries(1).build().expect("one");
    let call = client.reply(ASSISTANT, customer("crm-1"), "Hello");
    let error = call.with_on_unknown(OnUnknown::Resend).await;
    let error = error.expect_err("nobody listens");
    assert_eq!(error.delivery(), Delivery::Unknown, "{error:?}");
    assert_eq!(error.kind(), ErrorKind::UnknownOutcome);
    server.await.expect("a server");
}

#[tokio::test]
async fn a_setting_whose_repetition_is_refused_may_have_been_made() {
    let route = Op::Set.route();
    let missing = Then::json(404, r#"{"status":false,"error":"Conversation not found"}"#);
    for (then, kind) in [
        (missing, ErrorKind::NotFound),
        (
            Then::answer(429, &[("Retry-After", "600")], "{}"),
            ErrorKind::UnknownOutcome,
        ),
    ] {
        let wire = Wire::start(Script::new().on(route, [Then::close(), then])).await;
        let client = builder(&wire.base_url()).build().expect("a client");
        let error = Op::Set.call(&client).await.expect_err("refused");
        assert_eq!(error.delivery(), Delivery::Unknown, "{error:?}");
        assert_eq!(error.kind(), kind, "{error:?}");
        assert_eq!(error.attempts(), 2);
    }
}

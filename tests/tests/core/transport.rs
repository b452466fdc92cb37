//! Connections: proxies, user agents, what is kept.

use famulor_core::{Client, Delivery};
use famulor_tests::sdk::{KEY, REPLY, REPLY_BODY, builder};
use famulor_tests::wire::{Script, Then, Wire};

use crate::calls::Op;

/// A server that answers every reply, whatever form the request's target has.
async fn replies() -> Wire {
    Wire::start(Script::new().on("*", [Then::json(200, REPLY_BODY)])).await
}

#[tokio::test]
async fn a_proxy_gets_every_request_and_the_server_none() {
    let (proxy, server) = (replies().await, replies().await);
    let client = builder(&server.base_url())
        .with_proxy(&format!("http://{}", proxy.address()))
        .build()
        .expect("a client");
    Op::Reply.call(&client).await.expect("a reply");
    let wanted = format!("POST {}/ai/generate-reply HTTP/1.1", server.base_url());
    let requests = proxy.requests();
    assert!(
        requests.iter().any(|seen| seen.line == wanted),
        "{requests:?}"
    );
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn without_proxy_overrules_a_proxy() {
    let (proxy, server) = (replies().await, replies().await);
    let client = builder(&server.base_url())
        .with_proxy(&format!("http://{}", proxy.address()))
        .without_proxy()
        .build()
        .expect("a client");
    Op::Reply.call(&client).await.expect("a reply");
    assert_eq!((proxy.connections(), server.count(REPLY)), (0, 1));
}

#[tokio::test]
async fn a_proxy_that_refuses_a_tunnel_got_no_key_and_no_message() {
    for status in [403, 407, 502] {
        let refusal = Then::answer(status, &[], "");
        let proxy = Wire::start(Script::new().on("*", [refusal])).await;
        let client = builder("https://127.0.0.1:9/api")
            .with_proxy(&format!("http://{}", proxy.address()))
            .with_max_retries(1)
            .build()
            .expect("a client");
        let error = Op::Create.call(&client).await.expect_err("no tunnel");
        assert_eq!(error.delivery(), Delivery::NotSent, "{status}: {error:?}");
        assert_eq!(error.attempts(), 2);
        for seen in proxy.requests() {
            assert!(
                seen.line.starts_with("CONNECT 127.0.0.1:9 "),
                "{}",
                seen.line
            );
            assert!(seen.body.is_empty());
            let shown = format!("{:?}", seen.headers);
            assert!(!shown.contains(KEY), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_user_agent_and_a_reply_path_of_ones_own_are_sent() {
    let wire = replies().await;
    let client = builder(&format!("{}/", wire.base_url()))
        .with_user_agent("crm/7")
        .with_reply_path("/user/ai/generate-reply")
        .build()
        .expect("a client");
    Op::Reply.call(&client).await.expect("a reply");
    let requests = wire.requests();
    let seen = requests.last().expect("a request");
    assert_eq!(seen.route(), "POST /api/user/ai/generate-reply");
    assert_eq!(seen.header("user-agent"), Some("crm/7"));
}

#[tokio::test]
async fn calls_share_a_connection_and_a_client_without_a_key_sends_none() {
    let wire = Wire::start(Script::new().on("*", [Then::json(200, Op::Send.success())])).await;
    let client = Client::builder()
        .with_base_url(&wire.base_url())
        .without_proxy()
        .build()
        .expect("a client");
    for _ in 0..3 {
        Op::Send.call(&client).await.expect("an answer");
    }
    assert!(
        Op::Reply.call(&client).await.is_err(),
        "a reply needs a key"
    );
    assert_eq!(wire.connections(), 1);
    for seen in wire.requests() {
        assert_eq!(seen.header("authorization"), None);
    }
    assert_eq!(wire.count(REPLY), 0);
}

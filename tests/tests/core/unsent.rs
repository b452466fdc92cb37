//! Failures before the server can have anything: every call may be made again.

use famulor_core::{Delivery, Error, ErrorKind};
use famulor_tests::sdk::{builder, ms};
use famulor_tests::tls::Secure;
use famulor_tests::wire::{Script, Then, Wire, nobody};
use tokio::io::AsyncWriteExt;

use crate::calls::Op;

#[track_caller]
fn assert_unsent(op: Op, error: &Error, attempts: u32) {
    assert_eq!(error.kind(), ErrorKind::Network, "{op:?}: {error:?}");
    assert_eq!(error.delivery(), Delivery::NotSent, "{op:?}: {error:?}");
    assert_eq!(error.attempts(), attempts, "{op:?}: {error:?}");
    assert_eq!(error.status(), None);
    assert_eq!(error.is_read_only(), op == Op::Read);
}

#[tokio::test]
async fn a_refused_connection_is_tried_again_and_then_says_so() {
    let base_url = nobody().await;
    for op in Op::ALL {
        let client = builder(&base_url).with_max_retries(1).build().expect("one");
        let error = op.call(&client).await.expect_err("nobody is there");
        assert_unsent(op, &error, 2);
        assert_eq!(error.message(), "the server refuses connections");
        assert_eq!(client.usage().billed_messages, 0);
    }
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_tried_again_and_then_says_so() {
    let client = builder("http://name.invalid/api")
        .with_plain_http_allowed(true)
        .with_max_retries(1)
        .build()
        .expect("a client");
    for op in [Op::Reply, Op::Create, Op::Read] {
        let error = op.call(&client).await.expect_err("no such host");
        assert_unsent(op, &error, 2);
        assert_eq!(error.message(), "the server's name cannot be resolved");
    }
}

#[tokio::test]
async fn tls_that_fails_sends_nothing() {
    // What a plain server makes of a TLS greeting.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let plain = Wire::on(
        listener.expect("a port"),
        Script::new(),
        |mut stream| async move {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            None::<tokio::net::TcpStream>
        },
    );
    let secure = Secure::start(Script::new()).await;
    let to_plain = format!("https://127.0.0.1:{}/api", plain.address().port());
    for (base_url, text) in [
        (to_plain, "no connection to the server"),
        (secure.base_url(), "the server's certificate is not trusted"),
    ] {
        for op in [Op::Reply, Op::Send, Op::Read] {
            let client = builder(&base_url).with_max_retries(1).build().expect("one");
            let error = op.call(&client).await.expect_err("no TLS");
            assert_unsent(op, &error, 2);
            assert_eq!(error.message(), text, "{base_url}");
        }
    }
    assert!(plain.requests().is_empty() && secure.wire.requests().is_empty());
}

#[tokio::test]
async fn a_certificate_that_the_client_was_given_is_trusted() {
    let script = Script::new().on(Op::Reply.route(), [Then::json(200, Op::Reply.success())]);
    let secure = Secure::start(script).await;
    let client = builder(&secure.base_url())
        .with_ca_certificate(secure.certificate.clone().into_bytes())
        .build()
        .expect("a client");
    Op::Reply.call(&client).await.expect("a reply");
    assert_eq!(secure.wire.count(Op::Reply.route()), 1);
}

#[tokio::test]
async fn a_server_that_comes_up_late_gets_the_message_once() {
    for op in Op::ADD {
        // Reserves a port, and listens there a little later.
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket
            .bind("127.0.0.1:0".parse().expect("an address"))
            .expect("a port");
        let address = socket.local_addr().expect("an address");
        let script = Script::new().on(op.route(), [Then::json(200, op.success())]);
        let late = tokio::spawn(async move {
            tokio::time::sleep(ms(80)).await;
            let listener = socket.listen(16).expect("a listener");
            Wire::on(listener, script, |stream| async { Some(stream) })
        });
        let client = builder(&format!("http://{address}/api"))
            .with_max_retries(20)
            .build()
            .expect("a client");
        let outcome = op.call(&client).await;
        assert!(outcome.is_ok(), "{op:?}: {outcome:?}");
        assert_eq!(late.await.expect("a server").count(op.route()), 1);
    }
}

#[tokio::test]
async fn a_pooled_connection_that_died_while_idle_costs_nothing() {
    for op in Op::ALL {
        let ok = Then::json(200, op.success());
        // Each answer is followed by an end of the connection that its headers do not announce.
        let dying = ok.clone().and(Then::wait(ms(30))).and(Then::reset());
        let wire = Wire::start(Script::new().on(op.route(), [dying])).await;
        let client = famulor_tests::sdk::client(&wire.base_url());
        for turn in 1..=3 {
            let outcome = op.call(&client).await;
            assert!(outcome.is_ok(), "{op:?}, turn {turn}: {outcome:?}");
            assert_eq!(wire.count(op.route()), turn, "{op:?}");
            tokio::time::sleep(ms(60)).await;
        }
    }
}

#[tokio::test]
async fn a_handshake_that_never_comes_is_given_up_unsent() {
    // Accepts connections and never says a word of TLS.
    let silent = Wire::start(Script::new()).await;
    let base_url = format!("https://{}/api", silent.address());
    for op in [Op::Reply, Op::Send, Op::Create, Op::Read] {
        let client = builder(&base_url)
            .with_connect_timeout(ms(60))
            .with_max_retries(0)
            .build()
            .expect("a client");
        let began = std::time::Instant::now();
        let error = op.call(&client).await.expect_err("no handshake");
        assert_unsent(op, &error, 1);
        assert_eq!(error.message(), "no connection in time");
        assert!(began.elapsed() < ms(2000), "{:?}", began.elapsed());
    }
}

//! Which certificates are trusted, in processes of their own: a process reads the system's once.

use std::path::Path;
use std::process::{Output, Stdio};

use famulor_core::{Delivery, ErrorKind};
use famulor_tests::sdk::builder;
use famulor_tests::tls::Secure;
use famulor_tests::wire::{Script, Then, Wire};

use crate::calls::Op;

const BASE_URL: &str = "FAMULOR_TEST_BASE_URL";

fn base_url() -> String {
    std::env::var(BASE_URL).expect("the address that the test gave")
}

/// What a process below runs; does nothing by itself.
#[tokio::test]
#[ignore = "run by the other tests of this file, with certificates"]
async fn gets_a_reply_twice() {
    for _ in 0..2 {
        let client = builder(&base_url()).build().expect("a client");
        Op::Reply.call(&client).await.expect("a reply");
        // The second client makes a connection of its own, with what was read for the first.
        let _ = std::fs::remove_file(std::env::var("SSL_CERT_FILE").expect("a file"));
    }
}

/// What a process below runs; does nothing by itself.
#[tokio::test]
#[ignore = "run by the other tests of this file, without certificates"]
async fn is_told_that_the_system_has_none() {
    let client = builder(&base_url()).build().expect("a client");
    for op in [Op::Reply, Op::Read] {
        let error = op.call(&client).await.expect_err("nothing to trust");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(
            (error.delivery(), error.attempts()),
            (Delivery::NotSent, 0),
            "{error}"
        );
        assert!(error.to_string().contains("ca-certificates"), "{error}");
    }
    assert!(client.raw().get_me().send().await.is_err());
}

/// Runs a test in a process whose system trusts what is in `certificates`, and nothing else.
async fn run(test: &str, base_url: &str, certificates: &Path) -> Output {
    let nowhere = certificates.with_file_name("no-certificates");
    let child = tokio::process::Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", test, "--ignored"])
        .env("SSL_CERT_FILE", certificates)
        .env("SSL_CERT_DIR", nowhere)
        .env(BASE_URL, base_url)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output();
    child.await.expect("a process")
}

#[track_caller]
fn assert_passed(output: &Output) {
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("1 passed"), "{shown}");
}

#[tokio::test]
#[cfg_attr(
    not(target_os = "linux"),
    ignore = "elsewhere the system keeps certificates in no file"
)]
async fn a_certificate_that_the_system_has_is_trusted() {
    let script = Script::new().on("*", [Then::json(200, Op::Reply.success())]);
    let secure = Secure::start(script).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, &secure.certificate).expect("a file");
    let output = run("trust::gets_a_reply_twice", &secure.base_url(), &file).await;
    assert_passed(&output);
    assert_eq!(secure.wire.count(Op::Reply.route()), 2);
}

#[tokio::test]
#[cfg_attr(
    not(target_os = "linux"),
    ignore = "elsewhere the system keeps certificates in no file"
)]
async fn a_system_without_certificates_is_said_before_anything_is_sent() {
    let secure = Secure::start(Script::new()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("none.pem");
    std::fs::write(&file, "").expect("a file");
    let test = "trust::is_told_that_the_system_has_none";
    assert_passed(&run(test, &secure.base_url(), &file).await);
    assert!(secure.wire.requests().is_empty());
}

#[tokio::test]
#[cfg_attr(
    not(target_os = "linux"),
    ignore = "elsewhere the system keeps certificates in no file"
)]
async fn plain_http_needs_no_certificates() {
    let script = Script::new().on("*", [Then::json(200, Op::Reply.success())]);
    let wire = Wire::start(script).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("none.pem");
    std::fs::write(&file, "").expect("a file");
    let output = run("trust::gets_a_reply_twice", &wire.base_url(), &file).await;
    assert_passed(&output);
    assert_eq!(wire.count(Op::Reply.route()), 2);
}

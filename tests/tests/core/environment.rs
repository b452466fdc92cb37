//! A client as the environment describes it, in a process of its own: a process has one environment.

use std::process::Stdio;

use famulor_core::Client;
use famulor_tests::sdk::KEY;
use famulor_tests::wire::{Script, Then, Wire};

/// What the processes below run; does nothing by itself.
#[tokio::test]
#[ignore = "run by the other tests of this file, with an environment"]
async fn asks_whom_the_key_belongs_to() {
    let client = Client::from_env().expect("a client");
    let account = client.account().await.expect("an account");
    assert_eq!(account.name(), Some("Ada"));
}

async fn runs_with(environment: &[(&str, &str)]) {
    let mut command = tokio::process::Command::new(std::env::current_exe().expect("a path"));
    command
        .args([
            "--exact",
            "environment::asks_whom_the_key_belongs_to",
            "--ignored",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .env("FAMULOR_API_KEY", KEY);
    for name in [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
        "NO_PROXY",
        "no_proxy",
        "REQUEST_METHOD",
    ] {
        command.env_remove(name);
    }
    let output = command.envs(environment.iter().copied()).output().await;
    let output = output.expect("a process");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("1 passed"), "{shown}");
    assert!(!shown.contains(KEY), "{shown}");
}

async fn ada() -> Wire {
    Wire::start(Script::new().on("*", [Then::json(200, r#"{"name":"Ada"}"#)])).await
}

#[tokio::test]
async fn the_environments_proxy_is_used_and_no_proxy_spares_it() {
    let (proxy, server) = (ada().await, ada().await);
    let through = format!("http://{}", proxy.address());
    let base_url = server.base_url();
    runs_with(&[("FAMULOR_BASE_URL", &base_url)]).await;
    assert_eq!((proxy.connections(), server.connections()), (0, 1));
    runs_with(&[("FAMULOR_BASE_URL", &base_url), ("HTTP_PROXY", &through)]).await;
    assert_eq!((proxy.connections(), server.connections()), (1, 1));
    let spared = [
        ("FAMULOR_BASE_URL", base_url.as_str()),
        ("HTTP_PROXY", &through),
        ("NO_PROXY", "127.0.0.1"),
    ];
    runs_with(&spared).await;
    assert_eq!((proxy.connections(), server.connections()), (1, 2));
}

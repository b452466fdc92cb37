//! The page for people, in a browser that has no window.

mod probe;

use std::process::Stdio;
use std::time::Duration;

use famulor_emulator::{After, Emulator, Fault, Operation};
use probe::Probe;
use reqwest::Method;
use tokio::process::Command;

/// Chromium's name, or one line that says why the test is skipped.
async fn chromium() -> Option<&'static str> {
    for name in ["chromium", "chromium-browser", "google-chrome"] {
        let version = Command::new(name)
            .arg("--version")
            .stdout(Stdio::null())
            .status()
            .await;
        if version.is_ok_and(|status| status.success()) {
            return Some(name);
        }
    }
    let is_required = std::env::var_os("FAMULOR_REQUIRE_TOOLS").is_some_and(|value| value == "1");
    assert!(
        !is_required,
        "Chromium is not installed, and FAMULOR_REQUIRE_TOOLS=1 asks for it"
    );
    eprintln!("skipped: Chromium is not installed");
    None
}

/// The page's document after its script has run for a while.
async fn rendered(chromium: &str, emulator: &Emulator, width: u32) -> String {
    let profile = tempfile::tempdir().expect("a directory");
    let output = Command::new(chromium)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--virtual-time-budget=3000",
            "--dump-dom",
        ])
        .arg(format!("--window-size={width},900"))
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("http://{}/__emulator/", emulator.addr()))
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(60), output)
        .await
        .expect("a browser that ends")
        .expect("a browser that starts");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn a_browser_shows_requests_limits_faults_and_conversations_and_runs_nothing_of_them() {
    let Some(chromium) = chromium().await else {
        return;
    };
    let probe = Probe::start().await;
    let attack = "<img src=x onerror=\"document.title='broken into'\">";
    probe
        .reply(attack, "<script>document.title='broken into'</script>")
        .await;
    let lost = Fault::after(After::Close)
        .on(Operation::SendMessage)
        .forever();
    probe.emulator.inject(lost);
    for width in [1280, 380] {
        let page = rendered(chromium, &probe.emulator, width).await;
        for shown in [
            "<title>Famulor emulator</title>",
            "POST /ai/generate-reply</button>",
            "&lt;img src=x onerror=",
            "1 of 5 in 60 s",
            "aria-label=\"replies, token ",
            "\"operation\":\"sendMessage\"",
            "aria-label=\"Switch off fault 1\"",
            "api · Sales Assistant · 2 messages",
            "1× real time",
        ] {
            assert!(
                page.contains(shown),
                "{shown:?} is not at {width} px in {page}"
            );
        }
        assert!(
            !page.contains("<img src=x"),
            "text of a request became HTML: {page}"
        );
    }
}

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere_and_allows_nothing_inline() {
    let probe = Probe::start().await;
    for path in ["/", "/page.css", "/page.js"] {
        let file = probe.control(Method::GET, path, None).await;
        assert_eq!(file.status, 200, "{path}");
        let policy = file.header("content-security-policy").unwrap_or_default();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
        assert!(
            !file.text.contains("http://") && !file.text.contains("https://"),
            "{path}"
        );
        assert!(!file.text.contains("innerHTML"), "{path}");
    }
    assert!(
        probe.emulator.journal().is_empty(),
        "looking leaves no trace"
    );
}

#[tokio::test]
async fn one_request_is_shown_with_what_was_asked_and_answered() {
    let probe = Probe::start().await;
    probe.reply("anna", "Hello").await;
    let whole = probe.control(Method::GET, "/requests/1", None).await;
    assert_eq!(whole.body["asked"]["message"], "Hello");
    assert_eq!(whole.body["answered"]["success"], true);
    assert_eq!(whole.body["billed"], 0.01);
    probe.emulator.inject(Fault::after(After::Cut(10)));
    let _ = probe
        .request(Method::GET, "/user/me")
        .send()
        .await
        .expect("a head")
        .text()
        .await;
    let cut = probe.control(Method::GET, "/requests/2", None).await;
    assert_eq!(cut.body["fault"], "after:cut");
    assert_eq!(
        cut.body["answered"].as_str().map(str::len),
        Some(10),
        "{}",
        cut.text
    );
    assert_eq!(
        probe.control(Method::GET, "/requests/9", None).await.status,
        404
    );
}

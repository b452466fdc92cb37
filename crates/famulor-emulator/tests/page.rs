//! The page for people, in a browser that has no window.

#[path = "probe/browser.rs"]
mod browser;
mod probe;

use std::time::Duration;

use browser::{Browser, chromium};
use famulor_emulator::{After, Before, CannedAnswer, Emulator, Fault, Operation};
use famulor_test_judge::emulator;
use probe::{Probe, until};
use reqwest::Method;
use tokio::process::Command;

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

/// What has the focus, and whether one can see that it has.
const FOCUSED: &str = "(() => {
    const at = document.activeElement, style = getComputedStyle(at);
    const seen = at.matches(':focus-visible') && style.outlineStyle !== 'none'
        && parseFloat(style.outlineWidth) >= 2;
    const box = at.getBoundingClientRect();
    const within = box.width > 0 && box.left >= 0 && box.right <= innerWidth;
    return [at.name || at.id || at.dataset.key || at.className || at.textContent.trim(), seen && within];
})()";

/// What the next presses of Tab lead to, each of which has to show that it has the focus.
async fn tabs(page: &mut Browser, presses: usize) -> Vec<String> {
    let mut reached = Vec::new();
    for _ in 0..presses {
        page.press("Tab").await;
        let focused = page.evaluate(FOCUSED).await;
        let name = focused[0].as_str().unwrap_or_default().to_owned();
        assert_eq!(focused[1], true, "the focus on {name:?} cannot be seen");
        reached.push(name);
    }
    reached
}

async fn open(chromium: &str, probe: &Probe, width: u32) -> Browser {
    let url = format!("http://{}/__emulator/", probe.emulator.addr());
    let mut page = Browser::open(chromium, &url, width).await;
    page.until("document.querySelector('#conversations li') !== null")
        .await;
    page
}

#[tokio::test]
async fn all_of_the_page_is_reached_and_used_by_keyboard() {
    let Some(chromium) = chromium().await else {
        return;
    };
    let probe = Probe::start().await;
    probe.reply("anna", "Hello").await;
    let mut page = open(chromium, &probe, 1280).await;
    page.until("document.querySelectorAll('#requests button').length === 1")
        .await;

    // In the order in which it is read.
    let head = ["skip", "+10 s", "+1 min", "+30 min", "reset"];
    assert_eq!(tabs(&mut page, 5).await, head);
    let form = ["effect", "operation", "customer", "times", "on"];
    assert_eq!(tabs(&mut page, 1).await, form[..1]);

    // Another fault than the first one, chosen and switched on without a mouse.
    page.press("ArrowDown").await;
    let chosen = page.evaluate("document.activeElement.value").await;
    assert_eq!(chosen, "answer cut after 20 bytes");
    assert_eq!(tabs(&mut page, 4).await, form[1..]);
    page.press("Enter").await;
    page.until("document.querySelectorAll('#faults button').length === 1")
        .await;
    let faults = probe.emulator.faults();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].fault.effect, After::Cut(20).into());
    assert_eq!(faults[0].fault.times, Some(1));

    // And off again; the focus is not lost with the button that had it.
    assert_eq!(tabs(&mut page, 1).await, ["f1"]);
    page.press(" ").await;
    page.until("document.querySelectorAll('#faults button').length === 0")
        .await;
    assert!(probe.emulator.faults().is_empty());
    page.until("document.activeElement.name === 'on'").await;

    // One request, looked at and closed: the focus is where it was.
    assert_eq!(tabs(&mut page, 2).await, ["scroll", "r1"]);
    page.press("Enter").await;
    page.until("document.getElementById('detail').open").await;
    let shown = page
        .evaluate("document.getElementById('detail').textContent")
        .await;
    assert!(shown.as_str().is_some_and(|text| text.contains("anna")));
    page.press("Escape").await;
    page.until("!document.getElementById('detail').open").await;
    assert_eq!(page.evaluate(FOCUSED).await[0], "r1");

    // The clock.
    let before = probe.emulator.now();
    page.evaluate("document.querySelector('[data-advance=\"30m\"]').focus()")
        .await;
    page.press("Enter").await;
    let moved = || {
        probe
            .emulator
            .now()
            .duration_since(before)
            .unwrap_or_default()
    };
    until(|| moved() >= Duration::from_secs(1800)).await;
}

#[tokio::test]
async fn nothing_sticks_out_of_a_narrow_window_nor_of_a_wide_one() {
    let Some(chromium) = chromium().await else {
        return;
    };
    let probe = Probe::on(emulator().without_limits()).await;
    let endless = "x".repeat(200);
    probe.reply(&endless, &"w".repeat(500)).await;
    probe
        .get(&format!("/conversations/{}", "y".repeat(120)))
        .await;
    probe.emulator.inject(
        Fault::before(Before::Answer(CannedAnswer::text(503, "z".repeat(300))))
            .on(Operation::CreateConversation)
            .forever(),
    );
    for width in [380, 1280] {
        let mut page = open(chromium, &probe, width).await;
        page.until("document.querySelectorAll('#requests button').length === 2")
            .await;
        page.until("document.querySelectorAll('#faults button').length === 1")
            .await;
        let sticks_out = "[...document.querySelectorAll('body *')]
            .filter((e) => e.getClientRects().length && !e.closest('thead, .skip')
                && (e.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5
                    || e.getBoundingClientRect().left < -0.5))
            .map((e) => e.tagName + ' ' + (e.id || e.className || e.textContent.slice(0, 20)))";
        for look in ["page", "request", "conversation"] {
            let open = match look {
                "request" => "document.querySelector('[data-key=r1]').click()",
                "conversation" => {
                    "document.getElementById('detail').close(); \
                     document.querySelector('#conversations button').click()"
                }
                _ => "0",
            };
            page.evaluate(open).await;
            if look != "page" {
                page.until("document.getElementById('detail').open").await;
            }
            page.picture(&format!("emulator-{look}-{width}")).await;
            // A scroll bar at the side takes its part of the width.
            let scrolls = "document.documentElement.scrollWidth \
                           > document.documentElement.clientWidth";
            let scrolls = page.evaluate(scrolls).await;
            assert_eq!(scrolls, false, "{look} at {width} px scrolls sideways");
            let within = "document.getElementById('detail').scrollWidth <= \
                          document.getElementById('detail').clientWidth";
            assert_eq!(page.evaluate(within).await, true, "{look} at {width} px");
            let out = page.evaluate(sticks_out).await;
            assert_eq!(out, serde_json::json!([]), "{look} at {width} px");
        }
    }
}

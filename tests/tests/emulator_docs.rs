//! What `docs/emulator.md` shows is run here, as it stands; its GitHub workflow where the `famulor` program is:
//! `crates/famulor-cli/tests/cli/workflow.rs`.

use std::process::Stdio;

use famulor_emulator::Script;
use famulor_test_judge::emulator;
use tokio::process::Command;

const DOCS: &str = include_str!("../../docs/emulator.md");

/// The code block under `<!-- test: name -->`.
fn snippet(name: &str) -> String {
    let mark = format!("<!-- test: {name} -->\n```");
    let (_, after) = DOCS.split_once(&mark).expect("the mark");
    let (_, code) = after.split_once('\n').expect("a block");
    let (code, _) = code.split_once("\n```").expect("the block's end");
    code.to_owned()
}

#[tokio::test]
async fn the_python_snippet_runs_with_requests() {
    let python = std::env::var("FAMULOR_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let can = Command::new(&python)
        .args(["-c", "import requests"])
        .stderr(Stdio::null())
        .status()
        .await;
    if !can.is_ok_and(|status| status.success()) {
        let required = std::env::var_os("FAMULOR_REQUIRE_TOOLS").is_some_and(|value| value == "1");
        assert!(
            !required,
            "{python} has no requests, and FAMULOR_REQUIRE_TOOLS=1 asks for it"
        );
        eprintln!("skipped: {python} has no requests");
        return;
    }
    let emulator = emulator().start().await.expect("a free port");
    let output = Command::new(&python)
        .args(["-c", &snippet("python")])
        .env("FAMULOR_BASE_URL", emulator.base_url())
        .output()
        .await
        .expect("python runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(emulator.stats().billed_messages, 2);
}

#[tokio::test]
async fn the_script_snippet_is_a_script() {
    let script = Script::parse("docs/emulator.md", &snippet("script"));
    let script = script.unwrap_or_else(|error| panic!("{error}"));
    let emulator = emulator()
        .script(script)
        .start()
        .await
        .expect("a free port");
    assert_eq!(emulator.balance("empty-purse"), 0.0);
}

#[tokio::test]
async fn a_thousand_emulators_in_one_process_have_a_port_each() {
    let mut running = Vec::new();
    for _ in 0..250 {
        // Four at a time: what clashes, clashes when started at once.
        let start = || emulator().start();
        let (a, b, c, d) = tokio::join!(start(), start(), start(), start());
        running.extend([a, b, c, d].map(|started| started.expect("a free port")));
        // Files are few in some shells; ports are what this is about.
        if running.len() == 500 {
            let mut ports: Vec<_> = running
                .iter()
                .map(|emulator| emulator.addr().port())
                .collect();
            ports.sort_unstable();
            ports.dedup();
            assert_eq!(ports.len(), running.len());
            running.clear();
        }
    }
}

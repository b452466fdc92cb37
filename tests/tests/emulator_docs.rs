//! What `docs/emulator.md` shows is run here, as it stands.

use std::path::Path;
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

/// The `run` steps of the workflow, with the runner's own part played here: the
/// program on the path, and one environment from step to step.
#[tokio::test]
async fn the_actions_snippet_starts_the_emulator_and_reaches_it() {
    let workflow: serde_yaml_ng::Value =
        serde_yaml_ng::from_str(&snippet("actions")).expect("YAML");
    let steps = workflow["jobs"]["test"]["steps"]
        .as_sequence()
        .expect("steps");
    let commands: Vec<&str> = steps
        .iter()
        .filter_map(|step| step["run"].as_str())
        .filter(|run| !run.starts_with("cargo install"))
        .collect();
    assert_eq!(commands.len(), 2);
    let place = tempfile::tempdir().expect("a directory");
    // Stands in for `famulor emulator serve`: the same flags, an emulator of this process.
    let emulator = emulator().start().await.expect("a free port");
    let bin = place.path().join("bin");
    std::fs::create_dir(&bin).expect("a directory");
    let program = format!(
        "#!/bin/sh\n[ \"$*\" = 'emulator serve --listen 127.0.0.1:0 --ready-file ready.url' ] || exit 2\n\
         printf %s '{}' > ready.url\n",
        emulator.base_url()
    );
    write_program(&bin.join("famulor"), &program);
    let path = format!(
        "{}:{}",
        bin.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let environment = place.path().join("environment");
    for command in commands {
        let set = std::fs::read_to_string(&environment).unwrap_or_default();
        let known = set.lines().filter_map(|line| line.split_once('='));
        let output = Command::new("bash")
            // As GitHub's runners call it.
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", command])
            .env("PATH", &path)
            .env("GITHUB_ENV", &environment)
            .envs(known)
            .current_dir(place.path())
            .output()
            .await
            .expect("bash runs");
        assert!(
            output.status.success(),
            "{command}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let journal = emulator.journal();
    assert_eq!(journal.last().and_then(|entry| entry.status), Some(200));
}

fn write_program(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).expect("written");
    let runs = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(path, runs).expect("runs");
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

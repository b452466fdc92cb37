//! What an example's first lines promise.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

use crate::program::{PATIENCE, example, finish, folder};
use crate::telemetry::collector;

/// Every example, and where its first lines are.
fn examples() -> Vec<(String, String)> {
    let manifest = std::fs::read_to_string(folder().join("Cargo.toml")).expect("a manifest");
    let entries = manifest.split("[[example]]").skip(1);
    let value = |entry: &str, key: &str| {
        let line = entry.lines().find_map(|line| line.strip_prefix(key));
        line.expect("a name and a path")
            .trim_matches([' ', '=', '"'])
            .to_owned()
    };
    let examples = entries.map(|entry| {
        let path = folder().join(value(entry, "path"));
        let source = std::fs::read_to_string(path).expect("a source");
        (value(entry, "name"), source)
    });
    examples.collect()
}

#[test]
fn each_example_gives_its_command_in_its_first_lines_and_stands_in_the_table() {
    let table = std::fs::read_to_string(folder().join("src/lib.rs")).expect("a library");
    let examples = examples();
    assert!(examples.len() >= 6, "{}", examples.len());
    for (name, source) in examples {
        let head: Vec<&str> = source
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .collect();
        let run = format!("cargo run -p famulor-examples --example {name} -- --emulator");
        assert!(
            head.join("\n").contains(&run),
            "{name}: its first lines lack `{run}`"
        );
        assert!(
            table.contains(&format!("| `{name}` |")),
            "{name} is not in src/lib.rs"
        );
    }
}

#[tokio::test]
async fn without_a_key_and_without_being_told_to_use_the_emulator_an_example_sends_nothing() {
    for (name, _) in examples() {
        // Its tests are what it shows: built as tests, it is no program to run here.
        if name == "mocking" {
            continue;
        }
        let finished = finish(&mut example(&name)).await;
        assert_eq!(finished.code, Some(1), "{name}: {finished:?}");
        for word in ["FAMULOR_API_KEY", "nothing was sent", "--emulator"] {
            assert!(
                finished.err.contains(word),
                "{name}: {word} is not in {finished:?}"
            );
        }
        assert_eq!(finished.out, "", "{name}");
    }
}

#[tokio::test]
async fn the_environments_key_does_not_show() {
    let mut command = example("minimal");
    command
        .env("FAMULOR_API_KEY", "1|very-secret")
        .env("FAMULOR_ASSISTANT_ID", "123")
        .env("FAMULOR_BASE_URL", "http://127.0.0.1:1/api")
        .env("FAMULOR_MAX_RETRIES", "0");
    let finished = finish(&mut command).await;
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(
        !format!("{finished:?}").contains("very-secret"),
        "{finished:?}"
    );
    assert!(finished.err.starts_with("error: "), "{finished:?}");
}

/// The arguments of the command that an example's first lines give.
fn arguments(name: &str, source: &str) -> Vec<String> {
    let command = format!("cargo run -p famulor-examples --example {name} -- ");
    let line = source
        .lines()
        .take_while(|line| line.starts_with("//!"))
        .find_map(|line| line.split_once(&command))
        .map(|(_, arguments)| arguments);
    let arguments = line
        .expect("a command in the first lines")
        .split_whitespace();
    arguments.map(str::to_owned).collect()
}

#[tokio::test]
async fn each_example_runs_with_the_command_of_its_first_lines() {
    // They serve until they are interrupted; on this port others may be.
    const SERVERS: [&str; 2] = ["channel_bridge", "web_chat"];
    let (endpoint, _received) = collector().await;
    for (name, source) in examples() {
        // Built as tests, it is no program to run here; its own tests are what its first lines tell to run.
        if name == "mocking" {
            continue;
        }
        let place = tempfile::tempdir().expect("a folder");
        let mut command = example(&name);
        command
            .args(arguments(&name, &source))
            .current_dir(place.path());
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint);
        if !SERVERS.contains(&name.as_str()) {
            let finished = finish(&mut command).await;
            assert_eq!(finished.code, Some(0), "{name}: {finished:?}");
            continue;
        }
        command
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped());
        let mut server = command.spawn().expect("an example that starts");
        let said = BufReader::new(server.stdout.take().expect("its output"));
        let line = timeout(PATIENCE, said.lines().next_line()).await;
        let line = line
            .expect("a line in time")
            .expect("text")
            .unwrap_or_default();
        assert!(line.contains("http://127.0.0.1:"), "{name}: {line}");
        server.kill().await.expect("a process to end");
    }
}

//! What the documentation tells people to type is typed here. Every block of commands in it has a way to be run, so that
//! no new one goes unnoticed.

use std::fs::Permissions;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use famulor_emulator::{Before, Fault, Operation};
use famulor_test_stores::PostgresServer;
use serde_json::json;

use crate::documents::{Block, blocks, documents, mentions};
use crate::fixture::{Fixture, Ran, Running, wait_until};

/// How a block of commands is run.
enum Way {
    /// As it stands, by `sh`. A server in it is stopped once it listens.
    Script,
    /// The README's tour: its server runs on, and is stopped by it.
    Tour,
    /// A worker on PostgreSQL: the documentation's server is another one here, and the key is one.
    Worker,
    /// Held by `sessions.rs`, on a terminal.
    Session,
}

/// Every block, by its document and how it begins.
const WAYS: [(&str, &str, Way); 8] = [
    ("README.md", "cargo famulor demo", Way::Script),
    ("README.md", "famulor emulator serve --quiet", Way::Tour),
    ("README.md", "$ famulor chat", Way::Session),
    ("README.md", "$ famulor batch run", Way::Session),
    ("CONTRIBUTING.md", "cargo famulor demo", Way::Script),
    ("docs/emulator.md", "famulor emulator serve", Way::Script),
    ("docs/emulator.md", "famulor emulator check", Way::Script),
    ("docs/outbox.md", "export FAMULOR_API_KEY=…", Way::Worker),
];

fn way(block: &Block) -> Option<&'static Way> {
    let mut ways = WAYS.iter();
    let found = ways.find(|(document, begins, _)| {
        *document == block.document && block.text.starts_with(begins)
    });
    found.map(|(.., way)| way)
}

#[test]
fn every_block_of_commands_has_a_way_to_be_run() {
    let blocks = blocks();
    if documents().is_empty() {
        // The packaged crate has no documentation of the repository.
        return;
    }
    for block in &blocks {
        assert!(
            way(block).is_some(),
            "{}: no test runs the commands\n{}\nsay in documentation.rs how",
            block.document,
            block.text
        );
    }
    for (document, begins, _) in &WAYS {
        let there = |block: &&Block| block.document == *document && block.text.starts_with(begins);
        assert!(
            blocks.iter().any(|block| there(&block)),
            "{document} has no block that begins with {begins}"
        );
    }
}

/// What stands between a document and `sh`: a home, and programs under the names that the document uses.
struct Place {
    world: Fixture,
}

/// `famulor` on the path: this build. A server is stopped once it listens, unless it is to run on, and takes a free port
/// where the document leaves the default, which may be taken.
const FAMULOR: &str = r#"#!/bin/sh
case " $* " in
*" emulator serve "*) ;;
*) exec "$BUILT" "$@" ;;
esac
case " $* " in
*" --listen "*) ;;
*) set -- "$@" --listen 127.0.0.1:0 ;;
esac
[ -z "$SERVERS_RUN_ON" ] || exec "$BUILT" "$@"
"$BUILT" "$@" > server.log 2>&1 &
server=$!
trap 'kill $server 2>/dev/null' EXIT
tries=0
until grep -q 'listens on http' server.log; do
    tries=$((tries + 1))
    [ $tries -lt 200 ] || { cat server.log >&2; exit 1; }
    sleep 0.05
done
kill -TERM $server
wait $server
[ $? = 143 ]
"#;

/// `cargo` on the path: `cargo famulor` is this build, and a task of `cargo xtask` is one that there is. Running them
/// here would build inside a test, or run this test inside itself.
const CARGO: &str = r#"#!/bin/sh
case "$1" in
famulor) shift; exec famulor "$@" ;;
xtask) grep -q "cargo xtask $2" "$REPOSITORY/xtask/src/main.rs" ;;
*) exit 2 ;;
esac
"#;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

impl Place {
    fn new(world: Fixture) -> Self {
        for (name, text) in [("bin/famulor", FAMULOR), ("bin/cargo", CARGO)] {
            let path = world.file(name, text);
            std::fs::set_permissions(path, Permissions::from_mode(0o755)).expect("it can be run");
        }
        Self { world }
    }

    fn command(&self, script: &str) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("sh");
        command
            .args(["-euc", script])
            .env_clear()
            .env(
                "PATH",
                format!("{}:{path}", self.world.path("bin").display()),
            )
            .env("HOME", self.world.path(""))
            .envs([self.world.witness.variable()])
            .env("BUILT", env!("CARGO_BIN_EXE_famulor"))
            .env("REPOSITORY", repository())
            .env("SERVERS_RUN_ON", "")
            .current_dir(self.world.path(""))
            .stdin(Stdio::null());
        command
    }

    #[track_caller]
    fn run(&self, script: &str) -> Ran {
        Ran::of(self.command(script).output().expect("sh runs")).exits(0)
    }
}

#[test]
fn blocks_of_commands_run_as_they_stand() {
    let blocks = blocks();
    for block in blocks
        .iter()
        .filter(|block| matches!(way(block), Some(Way::Script)))
    {
        let place = Place::new(Fixture::new());
        if let Some(script) = block.script_of_the_emulator() {
            place.world.file("desk.yaml", &script);
        }
        let ran = place.run(&block.text);
        let said = !ran.stdout.is_empty() || place.world.path("server.log").exists();
        assert!(said, "{}: {ran:?}", block.document);
    }
}

#[test]
fn the_tour_of_the_readme_works() {
    let blocks = blocks();
    let Some(tour) = blocks
        .iter()
        .find(|block| matches!(way(block), Some(Way::Tour)))
    else {
        return;
    };
    let place = Place::new(Fixture::new());
    // Job control is for terminals.
    let script = tour
        .text
        .replace("kill %1", "kill $!; wait $! || [ $? = 143 ]");
    assert_ne!(script, tour.text);
    // Whatever line fails, no emulator outlives the test.
    let script = format!("SERVERS_RUN_ON=1\ntrap 'kill $! 2>/dev/null || :' EXIT\n{script}");
    let ran = place.run(&script);
    for words in [
        "example@example.com",
        "I've booked Friday at 10 AM",
        "[redacted]",
        "+49155551234",
    ] {
        assert!(ran.stdout.contains(words), "no {words} in {ran:?}");
    }
}

#[test]
fn the_worker_of_the_outbox_guide_works() {
    let blocks = blocks();
    let Some(worker) = blocks
        .iter()
        .find(|block| matches!(way(block), Some(Way::Worker)))
    else {
        return;
    };
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let url = server.place();
    let world = Fixture::with(|emulator| emulator.without_limits());
    let place = Place::new(world);
    // What a run that was stopped has left in the store.
    let messages: Vec<String> = (1..=4)
        .map(|number| {
            json!({"assistant_id": 123, "customer_identifier": format!("crm-{number}"), "message": "Hi"})
                .to_string()
        })
        .collect();
    place.world.file("guide.jsonl", &messages.join("\n"));
    let slow = Fault::before(Before::Delay(Duration::from_millis(300)));
    place
        .world
        .emulator
        .inject(slow.on(Operation::GenerateReply).forever());
    let run = [
        "batch",
        "run",
        "guide.jsonl",
        "--store",
        &url,
        "--concurrency",
        "1",
    ];
    let mut run = place.world.famulor(run).start();
    wait_until("one is sent", || !place.world.posts().is_empty());
    run.signal("-TERM");
    run.end().exits(143);
    place.world.emulator.clear_faults();

    let script = worker
        .text
        .replace("FAMULOR_API_KEY=…", "FAMULOR_API_KEY=any-key-will-do")
        .replace("postgres://replies:…@db.internal/replies", &url);
    assert!(!script.contains('…') && script.contains(&url), "{script}");
    // A URL of the test's server has characters that a shell obeys.
    let script = script.replace(&url, &format!("'{url}'"));
    // The worker takes the shell's place, so that it is the one to be stopped.
    let script = script.replace("\nfamulor ", "\nexec famulor ");
    let child = place
        .command(&script)
        .env("FAMULOR_BASE_URL", place.world.emulator.base_url())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut working = Running::of(child.expect("sh runs"));
    wait_until("all are sent", || {
        let ended = working.child().try_wait().expect("it can be asked");
        assert!(ended.is_none(), "{}", said(working.child()));
        place.world.emulator.stats().billed_messages == 4
    });
    working.signal("-TERM");
    working.end().exits(143);
}

/// What a process that has ended said.
fn said(child: &mut Child) -> String {
    let mut said = String::new();
    if let Some(stderr) = &mut child.stderr {
        stderr.read_to_string(&mut said).expect("UTF-8");
    }
    said
}

#[test]
fn every_command_that_the_documentation_names_is_there() {
    let world = Fixture::new();
    let tasks = std::fs::read_to_string(repository().join("xtask/src/main.rs"));
    let tasks = tasks.unwrap_or_default();
    let mut named = 0;
    for (document, words) in mentions() {
        let mut words = words.split_whitespace();
        match (words.next(), words.next()) {
            (Some("cargo"), Some("xtask")) => {
                let Some(task) = words.next() else { continue };
                let known = tasks.contains(&format!("cargo xtask {task}"));
                assert!(known, "{document}: there is no cargo xtask {task}");
            }
            (Some("famulor"), Some(command)) => is_there(&world, &document, command, words),
            _ => continue,
        }
        named += 1;
    }
    assert!(named > 15 || documents().is_empty(), "{named}");
}

/// The commands of these words, and their flags, are in the help.
#[track_caller]
fn is_there<'w>(
    world: &Fixture,
    document: &str,
    command: &'w str,
    rest: impl Iterator<Item = &'w str>,
) {
    let rest: Vec<&str> = rest.collect();
    let help = |words: &[&str]| world.bare(words).arg("--help").run();
    let mut words = Vec::new();
    if command.starts_with(|c: char| c.is_ascii_lowercase()) {
        words.push(command);
        assert_eq!(
            help(&words).code,
            0,
            "{document}: famulor {command} {rest:?}"
        );
        let plain = |word: &&&str| word.chars().all(|c| c.is_ascii_lowercase());
        if let Some(second) = rest.first().filter(plain)
            && help(&[command, second]).code == 0
        {
            words.push(second);
        }
    }
    let help = help(&words).stdout;
    for word in rest.iter().chain([&command]) {
        let flag = word
            .trim_end_matches([',', '.', ';', ']'])
            .split('=')
            .next();
        let flag = flag.filter(|flag| flag.starts_with("--") && flag.len() > 2);
        assert!(
            flag.is_none_or(|flag| help.contains(flag)),
            "{document}: famulor {words:?} has no {word}"
        );
    }
}

//! `famulor emulator serve --script` and `famulor emulator check`

use serde_json::json;

use crate::fixture::{Fixture, Running, read, reply, wait_until};

const DESK: &str = "\
seed: 42
latency: 10ms
limits: { algorithm: sliding, replies: 1/60s }
tokens:
  night|desk: { balance: 3, replies: 2/60s }
assistants:
  - id: 7
    name: Night Desk
    rules:
      - when: { regex: 'room (?<room>\\d+)' }
        reply: Room {{room}} is free.
";

/// Two mistakes that only a look at the whole finds.
const TWO_MISTAKES: &str = "balance: -1\nrules:\n  - when: { turn: 0 }\n    reply: x\n";

fn serve(world: &Fixture, flags: &[&str]) -> (Running, String) {
    let ready = world.path("ready");
    let _ = std::fs::remove_file(&ready);
    let listen = ["--listen", "127.0.0.1:0", "--ready-file", "ready"];
    let running = world
        .bare(["emulator", "serve"])
        .args(&listen)
        .args(flags)
        .start();
    wait_until("it is ready", || ready.exists());
    (running, read(&ready))
}

#[test]
fn a_script_shapes_the_served_emulator() {
    let world = Fixture::new();
    world.file("desk.yaml", DESK);
    let (mut server, url) = serve(&world, &["--script", "desk.yaml"]);
    let ask = |key: &str| {
        world
            .bare(["reply", "--assistant-id", "7", "--customer", "crm-42"])
            .args(&[
                "--max-wait",
                "0s",
                "--rate-limit",
                "off",
                "Is room 12 free?",
            ])
            .env("FAMULOR_BASE_URL", &url)
            .env("FAMULOR_API_KEY", key)
            .run()
    };
    assert_eq!(ask("any").exits(0).stdout, "Room 12 is free.\n");
    ask("any").exits(7);
    ask("night|desk").exits(0);
    ask("night|desk").exits(0);
    ask("night|desk").exits(7);
    let who = world
        .bare(["whoami", "--json"])
        .env("FAMULOR_BASE_URL", &url)
        .env("FAMULOR_API_KEY", "night|desk")
        .run()
        .exits(0)
        .json();
    assert_eq!(who["total_balance"], 2.98, "{who}");
    server.signal("-TERM");
    server.end().exits(143).says("any token");
}

#[test]
fn a_flag_wins_over_the_script_and_no_flag_does_not() {
    let world = Fixture::new();
    let script = "limits: { replies: 1/60s }\nlatency: 30s\nonly_these_tokens: true\n\
                  tokens:\n  scripted: { replies: 1/60s }\n";
    world.file("slow.yaml", script);
    let flags = ["--script", "slow.yaml", "--rate-limit", "off"];
    let (mut server, url) = serve(
        &world,
        &[&flags[..], &["--latency", "0s", "--token", "flag"]].concat(),
    );
    let ask = |key: &str| {
        world
            .bare(reply(&["--rate-limit", "off", "--timeout", "20s", "Hello"]))
            .env("FAMULOR_BASE_URL", &url)
            .env("FAMULOR_API_KEY", key)
            .run()
    };
    for _ in 0..3 {
        ask("flag").exits(0);
    }
    ask("scripted").exits(4);
    server.signal("-TERM");
    server.end().says("the token you gave");

    // Without flags it is as the script says: its token alone, and no answer for half a minute.
    let (mut server, url) = serve(&world, &["--script", "slow.yaml"]);
    let who = |key: &str| {
        world
            .bare(["whoami", "--timeout", "300ms", "--max-retries", "0"])
            .env("FAMULOR_BASE_URL", &url)
            .env("FAMULOR_API_KEY", key)
            .run()
    };
    who("scripted").exits(8);
    server.signal("-TERM");
    server.signal("-TERM");
    server.end().says("the tokens of the script");
}

#[test]
fn a_wrong_script_is_not_served() {
    let world = Fixture::new();
    world.file("desk.yaml", "assistents: []\n");
    let flags = [
        "--script",
        "desk.yaml",
        "--listen",
        "127.0.0.1:0",
        "--ready-file",
        "ready",
    ];
    world
        .bare(["emulator", "serve"])
        .args(&flags)
        .run()
        .exits(2)
        .says("desk.yaml:1:1: assistents: unknown key; did you mean `assistants`?");
    assert!(!world.path("ready").exists());
    world
        .bare(["emulator", "serve", "--script", "missing.yaml"])
        .run()
        .exits(2)
        .says("missing.yaml: cannot be read");
}

#[test]
fn check_finds_no_mistake_in_a_right_script() {
    let world = Fixture::new();
    world.file("desk.yaml", DESK);
    let ran = world
        .bare(["emulator", "check", "desk.yaml"])
        .run()
        .exits(0);
    assert_eq!(ran.stdout, "desk.yaml: no mistakes\n");
    assert_eq!(ran.stderr, "");
    let ran = world
        .bare(["emulator", "check", "desk.yaml", "--json"])
        .run()
        .exits(0);
    assert_eq!(ran.json(), json!({"file": "desk.yaml", "problems": []}));
}

#[test]
fn check_tells_every_mistake_with_its_place_and_what_would_be_right() {
    let world = Fixture::new();
    world.file("desk.yaml", TWO_MISTAKES);
    let ran = world
        .bare(["emulator", "check", "desk.yaml"])
        .run()
        .exits(2)
        .says("desk.yaml:1:1: balance: is below zero; write zero or more\n")
        .says(
            "desk.yaml:3:13: rules[0].when.turn: turns count from 1; the first message is turn 1\n",
        )
        .says("famulor schema emulator-script");
    assert_eq!(ran.stdout, "");
    assert!(!ran.stderr.contains("sent"), "{ran:?}");
}

#[test]
fn check_gives_programs_the_mistakes_as_data() {
    let world = Fixture::new();
    world.file("desk.yaml", TWO_MISTAKES);
    let ran = world
        .bare(["emulator", "check", "desk.yaml", "--json"])
        .run()
        .exits(2);
    assert_eq!(
        ran.json()["problems"][0],
        json!({
            "line": 1,
            "column": 1,
            "path": "balance",
            "message": "is below zero",
            "help": "write zero or more",
        })
    );
    assert_eq!(ran.json()["problems"].as_array().map(Vec::len), Some(2));
    assert_eq!(ran.error()["kind"], "config");

    let missing = world
        .bare(["emulator", "check", "nowhere.yaml", "--json"])
        .run()
        .exits(2);
    assert_eq!(missing.json()["problems"][0]["line"], json!(null));
}

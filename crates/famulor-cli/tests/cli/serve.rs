//! `famulor emulator serve`

use crate::fixture::{Fixture, Ran, Running, UUID, read, reply, wait_until};

/// A served emulator of its own, and its base URL.
fn serve(world: &Fixture, flags: &[&str]) -> (Running, String) {
    let ready = world.path("ready");
    // Left by a server that the same test has stopped.
    let _ = std::fs::remove_file(&ready);
    let running = world
        .bare([
            "emulator",
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--ready-file",
            "ready",
        ])
        .args(flags)
        .start();
    wait_until("it is ready", || ready.exists());
    let url = read(&ready);
    assert!(
        url.starts_with("http://127.0.0.1:") && url.ends_with("/api"),
        "{url:?}"
    );
    (running, url)
}

fn stop(mut running: Running, name: &str) -> Ran {
    running.signal(name);
    running.end()
}

#[test]
fn it_serves_and_shows_each_request_until_it_is_stopped() {
    let world = Fixture::new();
    let (server, url) = serve(&world, &[]);
    let ran = world
        .bare(reply(&["Hello"]))
        .env("FAMULOR_BASE_URL", &url)
        .env("FAMULOR_API_KEY", "test")
        .run()
        .exits(0);
    assert_eq!(ran.stdout, "Hello! How can I help you today?\n");
    world
        .bare(["conversation", "get", "nobody", "--base-url", &url])
        .run()
        .exits(5);
    let ran = stop(server, "-INT")
        .exits(130)
        .says(&url)
        .says("curl")
        .says("stopped");
    let lines: Vec<&str> = ran.stdout.lines().collect();
    // Before a first message, the client looks whether the customer is known.
    assert_eq!(lines[0], "200 GET  /api/user/conversations", "{ran:?}");
    assert!(
        lines[1].starts_with("200 POST /api/ai/generate-reply crm-42, billed"),
        "{ran:?}"
    );
    assert_eq!(lines[2], "404 GET  /api/conversations/nobody");
}

#[test]
fn sigterm_stops_it_too() {
    let world = Fixture::new();
    let (server, url) = serve(&world, &["--quiet"]);
    world
        .bare(["conversation", "get", "nobody", "--base-url", &url])
        .run()
        .exits(5);
    let ran = stop(server, "-TERM").exits(143);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
}

#[test]
fn requests_can_be_shown_as_json_lines() {
    let world = Fixture::new();
    let (server, url) = serve(&world, &["-o", "jsonl"]);
    world
        .bare(["conversation", "get", "nobody", "--base-url", &url])
        .run()
        .exits(5);
    let entry = stop(server, "-TERM").json();
    assert_eq!(entry["operation"], "getConversation");
    assert_eq!(entry["status"], 404);
}

#[test]
fn its_flags_shape_the_server() {
    let world = Fixture::new();
    let (server, url) = serve(
        &world,
        &[
            "--token",
            "only|this",
            "--rate-limit",
            "1/60s",
            "--seed",
            "7",
        ],
    );
    let run = |key: &str, rest: &[&str]| {
        world
            .bare(reply(rest))
            .env("FAMULOR_BASE_URL", &url)
            .env("FAMULOR_API_KEY", key)
            .run()
    };
    run("another", &["Hello"]).exits(4);
    run("only|this", &["Hello"]).exits(0);
    run("only|this", &["--max-wait", "0s", "Hello"]).exits(7);
    stop(server, "-TERM").exits(143);
}

#[test]
fn the_same_seed_gives_the_same_conversation() {
    let world = Fixture::new();
    let id = |seed: &str| {
        let (server, url) = serve(&world, &["--seed", seed, "--rate-limit", "off"]);
        let create = [
            "conversation",
            "create",
            "--type",
            "test",
            "--assistant-uuid",
            UUID,
        ];
        let ran = world
            .bare(create)
            .args(&["--base-url", &url])
            .run()
            .exits(0);
        stop(server, "-TERM").exits(143);
        ran.stdout
    };
    assert_eq!(id("42"), id("42"));
    assert_ne!(id("42"), id("43"));
}

#[test]
fn what_cannot_work_is_refused() {
    let world = Fixture::new();
    let taken = world.emulator.addr().to_string();
    let serve = |flags: &[&str]| world.bare(["emulator", "serve"]).args(flags).run().exits(2);
    serve(&["--listen", &taken]).says("cannot listen");
    serve(&["--listen", "nowhere"]);
    serve(&["--rate-limit", "5"]);
    serve(&["--limit-algorithm", "none"]);
    serve(&["--latency", "slow"]);
    serve(&["--listen", "127.0.0.1:0", "--time-scale", "-1"]).says("time scale");
    serve(&["--listen", "127.0.0.1:0", "--token", ""]);
    serve(&[
        "--listen",
        "127.0.0.1:0",
        "--ready-file",
        "no/such/folder/ready",
    ]);
    serve(&["--dry-run"]);
}

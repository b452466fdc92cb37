//! `famulor emulator serve`

use std::time::{Duration, Instant};

use crate::fixture::{Fixture, UUID, reply};
use crate::served::serve;

#[test]
fn it_serves_and_shows_each_request_until_it_is_stopped() {
    let world = Fixture::new();
    let server = serve(&world, &[]);
    let ran = world
        .bare(reply(&["Hello"]))
        .env("FAMULOR_BASE_URL", &server.url)
        .env("FAMULOR_API_KEY", "test")
        .run()
        .exits(0);
    assert_eq!(ran.stdout, "Hello! How can I help you today?\n");
    world
        .bare(["conversation", "get", "nobody", "--base-url", &server.url])
        .run()
        .exits(5);
    let url = server.url.clone();
    let ran = server
        .stop("-INT")
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
    let server = serve(&world, &["--quiet"]);
    world
        .bare(["conversation", "get", "nobody", "--base-url", &server.url])
        .run()
        .exits(5);
    let ran = server.stop("-TERM").exits(143);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
}

#[test]
fn requests_can_be_shown_as_json_lines() {
    let world = Fixture::new();
    let server = serve(&world, &["-o", "jsonl"]);
    world
        .bare(["conversation", "get", "nobody", "--base-url", &server.url])
        .run()
        .exits(5);
    let entry = server.stop("-TERM").json();
    assert_eq!(entry["operation"], "getConversation");
    assert_eq!(entry["status"], 404);
}

#[test]
fn its_flags_shape_the_server() {
    let world = Fixture::new();
    let server = serve(
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
            .env("FAMULOR_BASE_URL", &server.url)
            .env("FAMULOR_API_KEY", key)
            .run()
    };
    run("another", &["Hello"]).exits(4);
    run("only|this", &["Hello"]).exits(0);
    run("only|this", &["--max-wait", "0s", "Hello"]).exits(7);
    server.stop("-TERM").exits(143);
}

/// Two a minute, by a clock that only we move: which of two more calls come through, after 31 and after 61 seconds.
#[test]
fn each_way_to_count_is_another_server() {
    let world = Fixture::new();
    let let_through = |algorithm: &str| {
        let flags = ["--limit-algorithm", algorithm, "--rate-limit", "2/60s"];
        let server = serve(&world, &[&flags[..], &["--time-scale", "0"]].concat());
        let reply = || {
            let call = world.bare(reply(&[
                "--quota-store",
                "memory",
                "--max-wait",
                "0s",
                "Hi",
            ]));
            let call = call.env("FAMULOR_BASE_URL", &server.url);
            let ran = call.env("FAMULOR_API_KEY", "test").run();
            assert!(matches!(ran.code, 0 | 7), "{ran:?}");
            ran.code == 0
        };
        assert!(reply());
        server.advance("29s");
        assert!(reply());
        server.advance("2s");
        let early = reply();
        server.advance("30s");
        let late = [reply(), reply()];
        server.stop("-TERM").exits(143);
        (early, late)
    };
    // A window that ends takes all of its calls along, a log lets go of them one by one, a bucket fills all the time.
    assert_eq!(let_through("fixed"), (false, [true, true]));
    assert_eq!(let_through("sliding"), (false, [true, false]));
    assert_eq!(let_through("token-bucket"), (true, [true, false]));
}

#[test]
fn answers_take_their_latency_and_time_can_run_faster() {
    let world = Fixture::new();
    let took = |flags: &[&str]| {
        let server = serve(&world, flags);
        let start = Instant::now();
        let call = world.bare(["conversation", "get", "nobody", "--base-url", &server.url]);
        call.run().exits(5);
        let took = start.elapsed();
        server.stop_now(&["-TERM"]).exits(143);
        took
    };
    assert!(took(&["--latency", "2s"]) >= Duration::from_secs(2));
    // A minute in a sixtieth of a second.
    let fast = took(&["--latency", "60s", "--time-scale", "3600"]);
    assert!(fast < Duration::from_secs(30), "{fast:?}");
}

#[test]
fn the_same_seed_gives_the_same_conversation() {
    let world = Fixture::new();
    let id = |seed: &str| {
        let server = serve(&world, &["--seed", seed, "--rate-limit", "off"]);
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
            .args(&["--base-url", &server.url])
            .run()
            .exits(0);
        server.stop("-TERM").exits(143);
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

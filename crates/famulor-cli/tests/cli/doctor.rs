//! `doctor`: what it finds, and that it bills nothing.

use famulor_emulator::{Before, CannedAnswer, Fault};
use serde_json::Value;

use crate::fixture::{Fixture, Ran};

fn check(ran: &Ran, name: &str) -> Value {
    let findings = ran.json();
    let checks = findings["checks"].as_array().expect("checks");
    let found = checks.iter().find(|check| check["name"] == name);
    found
        .unwrap_or_else(|| panic!("no {name} in {ran:?}"))
        .clone()
}

#[test]
fn a_healthy_machine_is_0_and_nothing_is_billed() {
    let world = Fixture::new();
    let ran = world.famulor(["doctor", "--json"]).run().exits(0);
    assert_eq!(ran.json()["healthy"], true);
    for name in [
        "config", "settings", "key", "proxy", "API", "clock", "state", "quota",
    ] {
        assert_eq!(check(&ran, name)["state"], "ok", "{ran:?}");
    }
    assert_eq!(world.paths(), ["/api/user/me"]);
    assert_eq!(world.emulator.stats().billed_messages, 0);
    let text = world.famulor(["doctor"]).run().exits(0).stdout;
    assert_eq!(text.lines().count(), 8, "{text}");
    assert!(text.contains("the next reply can go now; 5/60s"), "{text}");
}

#[test]
fn it_looks_at_an_emulator_of_its_own_too() {
    let world = Fixture::new();
    let ran = world
        .bare(["doctor", "--emulator", "--json"])
        .run()
        .exits(0);
    assert_eq!(check(&ran, "API")["state"], "ok");
    world.assert_untouched();
}

#[test]
fn a_missing_key_is_1_and_says_what_to_do() {
    let world = Fixture::new();
    let ran = world.famulor(["doctor"]).without("FAMULOR_API_KEY").run();
    ran.matches_golden(&world, "doctor-without-a-key").exits(1);
    world.assert_untouched();
}

#[test]
fn a_refused_key_a_dead_address_and_a_broken_file_are_1_each() {
    let world = Fixture::with(|emulator| emulator.token("another"));
    let ran = world.famulor(["doctor", "--json"]).run().exits(1);
    assert_eq!(check(&ran, "API")["state"], "failed");
    assert_eq!(ran.stderr, "", "what is wrong is said once");

    // A port that nobody listens on.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/api", listener.local_addr().expect("its address"));
    drop(listener);
    let ran = world
        .famulor(["doctor", "--json", "--base-url", &url, "--max-retries", "0"])
        .run()
        .exits(1);
    assert_eq!(check(&ran, "API")["state"], "failed");
    assert_eq!(check(&ran, "quota")["state"], "ok");

    world.file("config/famulor/config.toml", "[profiles.default]\nx = 1\n");
    let ran = world.famulor(["doctor"]).run();
    ran.matches_golden(&world, "doctor-with-a-broken-file")
        .exits(1);
}

#[test]
fn a_clock_that_is_wrong_is_found() {
    let world = Fixture::new();
    let answer = CannedAnswer::json(200, serde_json::json!({"name": "x"}))
        .header("Date", "Sun, 06 Nov 1994 08:49:37 GMT");
    world
        .emulator
        .inject(Fault::before(Before::Answer(answer)).forever());
    let ran = world.famulor(["doctor", "--json"]).run().exits(1);
    let clock = check(&ran, "clock");
    assert_eq!(clock["state"], "failed", "{ran:?}");
    assert!(
        clock["message"]
            .as_str()
            .is_some_and(|text| text.contains("ahead of"))
    );
}

#[test]
fn a_proxy_is_named_without_its_password() {
    let world = Fixture::new();
    let ran = world
        .famulor(["doctor", "--json"])
        .env("HTTP_PROXY", "http://me:qV7secret@proxy.example:3128")
        .env("NO_PROXY", "127.0.0.1")
        .run()
        .exits(0);
    assert_eq!(
        check(&ran, "proxy")["message"],
        "http://me:***@proxy.example:3128 (from HTTP_PROXY), except to 127.0.0.1"
    );
}

#[test]
fn a_state_directory_that_cannot_be_written_is_found() {
    let world = Fixture::new();
    let file = world.file("a-file", "");
    let ran = world
        .famulor(["doctor", "--json"])
        .env("FAMULOR_STATE_DIR", file.join("below"))
        .run()
        .exits(1);
    assert_eq!(check(&ran, "state")["state"], "failed");
    assert_eq!(check(&ran, "quota")["state"], "failed");
}

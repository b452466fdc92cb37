//! `famulor api`: any endpoint.

use famulor_emulator::Operation;
use serde_json::json;

use crate::fixture::{CONVERSATION, Fixture};

#[test]
fn any_endpoint_answers_in_its_own_json() {
    let world = Fixture::with(|emulator| emulator.balance(5.0));
    let text = world.famulor(["api", "GET", "/user/me"]).run().exits(0);
    assert_eq!(text.json()["total_balance"], 5.0);
    let path = "/user/conversations?type=widget&per_page=1";
    let ran = world
        .famulor(["api", "get", path, "-o", "jsonl"])
        .run()
        .exits(0);
    assert_eq!(ran.stdout.lines().count(), 1);
    assert_eq!(ran.json()["data"][0]["id"], CONVERSATION);
}

#[test]
fn data_comes_from_the_argument_a_file_or_standard_input() {
    let world = Fixture::new();
    let body = json!({"assistant_id": 123, "customer_identifier": "c", "message": "Hello"});
    let file = world
        .file("body.json", &body.to_string())
        .display()
        .to_string();
    let post = ["api", "POST", "/ai/generate-reply", "-d"];
    for (data, input) in [
        (body.to_string(), String::new()),
        (format!("@{file}"), String::new()),
        ("-".to_owned(), body.to_string()),
    ] {
        let ran = world.famulor(post).arg(&data).input(input).run().exits(0);
        assert_eq!(ran.json()["success"], true);
    }
    assert_eq!(world.said("c", "user").len(), 3);
    world
        .famulor(post)
        .arg("{not json")
        .run()
        .exits(2)
        .says("line 1");
    world.famulor(post).arg("@nothing").run().exits(2);
    assert_eq!(world.paths().len(), 3);
}

#[test]
fn a_path_stays_below_the_base_url() {
    let world = Fixture::new();
    for path in [
        "https://elsewhere.example/api/user/me",
        "//elsewhere.example/user/me",
        "/../user/me",
        "/user/../../x",
        "/user/..",
        "..",
        "/%2e%2e/x",
        "",
    ] {
        let ran = world.famulor(["api", "GET", path, "--json"]).run().exits(2);
        assert_eq!(ran.error()["delivery"], "not_sent", "{path}");
    }
    world.famulor(["api", "GE T", "/user/me"]).run().exits(2);
    world.assert_untouched();
}

#[test]
fn errors_are_those_of_every_other_command() {
    let world = Fixture::with(|emulator| emulator.token("another"));
    world.famulor(["api", "GET", "/user/me"]).run().exits(4);
    let ran = world
        .famulor(["api", "GET", "/conversations/nobody", "--json"])
        .run()
        .exits(5);
    assert_eq!(ran.error()["kind"], "not_found");
}

#[test]
fn replies_through_it_keep_the_limit() {
    let world = Fixture::new();
    let ran = world
        .famulor([
            "api",
            "POST",
            "/ai/generate-reply",
            "--dry-run",
            "--json",
            "-d",
            "{}",
        ])
        .run()
        .exits(0);
    assert_eq!(ran.json()["headers"]["authorization"], "Bearer [redacted]");
    let entries = world.emulator.journal();
    assert!(
        entries
            .iter()
            .all(|entry| entry.operation != Some(Operation::GenerateReply))
    );
}

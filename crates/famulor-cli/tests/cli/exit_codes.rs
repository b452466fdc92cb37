//! Each exit code, with what stands behind it and what the JSON error says of it.

use std::net::TcpListener;

use famulor_emulator::{After, AsAnswer, Before, CannedAnswer, Fault, Operation, RateLimit};
use serde_json::{Value, json};

use crate::fixture::{CONVERSATION, Fixture, KEY, UUID, fields, reply};

/// A reply that is to fail, with its JSON error.
fn failing_reply(world: &Fixture, rest: &[&str], code: i32) -> Value {
    world
        .famulor(reply(rest))
        .arg("--json")
        .run()
        .exits(code)
        .error()
}

#[test]
fn errors_in_json_have_the_fields_of_the_contract() {
    let world = Fixture::new();
    let error = failing_reply(&world, &["--assistant-id", "999", "Hello"], 2);
    let mut names = fields(&error);
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "attempts",
            "code",
            "delivery",
            "exit",
            "http_status",
            "kind",
            "message",
            "retry_after_s"
        ]
    );
}

#[test]
fn two_is_a_wrong_command_line_in_text_and_in_json() {
    let world = Fixture::new();
    for arguments in [
        vec!["no-such-command"],
        vec!["reply"],
        vec!["reply", "--no-such-flag"],
    ] {
        let ran = world.famulor(&arguments).run().exits(2);
        assert!(ran.stderr.starts_with("error: "), "{ran:?}");
        let error = world
            .famulor(&arguments)
            .arg("--json")
            .run()
            .exits(2)
            .error();
        assert_eq!(error["kind"], "invalid_request");
        assert_eq!(error["delivery"], "not_sent");
        assert_eq!(error["code"], Value::Null);
        world
            .famulor(&arguments)
            .env("FAMULOR_OUTPUT", "jsonl")
            .run()
            .exits(2)
            .error();
    }
    world.assert_untouched();
}

#[test]
fn three_is_a_refusal() {
    let world = Fixture::new();
    world
        .emulator
        .inject(Fault::answer(AsAnswer::UnknownErrorCode).on(Operation::GenerateReply));
    let error = failing_reply(&world, &["Hello"], 3);
    assert_eq!(error["kind"], "refused");
    assert_eq!(error["delivery"], "refused");
    assert_eq!(error["http_status"], 422);
    assert!(error["code"].is_string());

    world
        .emulator
        .inject(Fault::answer(AsAnswer::RefusalInSuccess).on(Operation::GenerateReply));
    assert_eq!(failing_reply(&world, &["Hello"], 3)["http_status"], 200);

    let elsewhere =
        CannedAnswer::text(302, "").header("Location", "https://elsewhere.example/api/");
    world
        .emulator
        .inject(Fault::before(Before::Answer(elsewhere)).on(Operation::GenerateReply));
    assert_eq!(failing_reply(&world, &["Hello"], 3)["http_status"], 302);
}

#[test]
fn four_is_a_key_that_is_missing_or_refused() {
    let world = Fixture::with(|emulator| emulator.token("another"));
    let ran = world
        .famulor(reply(&["Hello"]))
        .run()
        .exits(4)
        .says("HTTP 401");
    assert_eq!(ran.stdout, "");
    let error = failing_reply(&world, &["Hello"], 4);
    assert_eq!(error["kind"], "auth");
    assert_eq!(error["delivery"], "refused");
    let before = world.paths().len();

    let ran = world.bare(reply(&["Hello"])).run().exits(4);
    let ran = ran
        .says("FAMULOR_API_KEY")
        .says("--emulator")
        .says("nothing was sent");
    assert_eq!(ran.stdout, "");
    let error = world
        .bare(reply(&["--json", "Hello"]))
        .run()
        .exits(4)
        .error();
    assert_eq!(
        (&error["kind"], &error["delivery"]),
        (&json!("auth"), &json!("not_sent"))
    );
    assert_eq!(world.paths().len(), before);
}

#[test]
fn four_is_a_403_too() {
    let world = Fixture::new();
    let forbidden = CannedAnswer::json(403, json!({"message": "This action is unauthorized."}));
    let forbidden = Fault::before(Before::Answer(forbidden));
    world
        .emulator
        .inject(forbidden.on(Operation::GenerateReply));
    let error = failing_reply(&world, &["Hello"], 4);
    assert_eq!(
        (&error["kind"], &error["http_status"]),
        (&json!("auth"), &json!(403))
    );
}

#[test]
fn four_is_a_redirect_to_a_login_page_too() {
    let world = Fixture::new();
    world
        .emulator
        .inject(Fault::answer(AsAnswer::LoginRedirect).forever());
    assert_eq!(failing_reply(&world, &["Hello"], 4)["kind"], "auth");
    world.famulor(["whoami"]).run().exits(4);
}

#[test]
fn five_is_something_that_is_not_there() {
    let world = Fixture::new();
    let ran = world
        .famulor([
            "reply",
            "--assistant-id",
            "999",
            "--customer",
            "crm-42",
            "--json",
            "Hello",
        ])
        .run()
        .exits(5);
    let error = ran.error();
    assert_eq!(error["kind"], "not_found");
    assert_eq!(error["code"], "ASSISTANT_NOT_FOUND");
    assert_eq!(error["http_status"], 404);
    for arguments in [
        vec!["conversation", "get", "nobody"],
        vec!["conversation", "send", "nobody", "Hello"],
        vec!["conversation", "ai", "on", "nobody"],
        vec!["chat", "--resume", "nobody"],
    ] {
        let error = world
            .famulor(arguments)
            .arg("--json")
            .run()
            .exits(5)
            .error();
        assert_eq!(error["code"], Value::Null);
    }
}

#[test]
fn six_is_a_balance_that_is_too_low_whatever_the_status() {
    let world = Fixture::with(|emulator| emulator.balance(0.0));
    let error = failing_reply(&world, &["Hello"], 6);
    assert_eq!(error["kind"], "balance");
    assert_eq!(error["http_status"], 402);
    assert_eq!(error["code"], "INSUFFICIENT_BALANCE");
    let ran = world
        .famulor([
            "conversation",
            "create",
            "--type",
            "widget",
            "--assistant-uuid",
            UUID,
        ])
        .run()
        .exits(6);
    ran.says("HTTP 400").says("not billed");
    // The code counts, not the status that came with it.
    let body = json!({"success": false, "message": "Top up", "error_code": "INSUFFICIENT_BALANCE"});
    let refused = Fault::before(Before::Answer(CannedAnswer::json(422, body)));
    world.emulator.inject(refused.on(Operation::GenerateReply));
    assert_eq!(failing_reply(&world, &["Hello"], 6)["http_status"], 422);
}

#[test]
fn seven_is_a_limit_that_cannot_be_waited_for() {
    let limit = RateLimit::parse("1/60s").expect("a limit");
    let world = Fixture::with(|emulator| emulator.rate_limit(limit));
    world.famulor(reply(&["Hello"])).run().exits(0);
    // With a quota of its own a command knows nothing of the slot that the first one took.
    let alone = ["--quota-store", "memory", "--max-wait", "1s", "Hello"];
    let error = failing_reply(&world, &alone, 7);
    assert_eq!(error["kind"], "rate_limited");
    assert_eq!(error["delivery"], "refused");
    assert_eq!(error["http_status"], 429);
    assert!(
        error["retry_after_s"]
            .as_f64()
            .is_some_and(|wait| wait > 50.0),
        "{error}"
    );
    for (variable, value) in [("FAMULOR_DEADLINE", "2s"), ("FAMULOR_MAX_WAIT", "0s")] {
        let call = world.famulor(reply(&["--quota-store", "memory", "Hello"]));
        let ran = call.env(variable, value).run();
        ran.exits(7).says("not billed");
    }
}

#[test]
fn eight_is_a_server_that_is_not_there() {
    let world = Fixture::new();
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/api", nobody.local_addr().expect("an address"));
    drop(nobody);
    let ran = world
        .famulor(reply(&["--base-url", &url, "--max-retries", "0", "Hello"]))
        .run();
    ran.exits(8).says("nothing was sent");
    let error = world
        .famulor(reply(&["--base-url", &url, "--json", "Hello"]))
        .env("FAMULOR_MAX_RETRIES", "1")
        .run()
        .exits(8)
        .error();
    assert_eq!(error["kind"], "network");
    assert_eq!(error["delivery"], "not_sent");
    assert_eq!(error["attempts"], 2);
    assert_eq!(error["http_status"], Value::Null);
}

#[test]
fn eight_is_any_failure_of_a_call_that_only_reads() {
    let world = Fixture::new();
    for fault in [
        Fault::answer(AsAnswer::BadGateway),
        Fault::before(Before::Close),
        Fault::after(After::Cut(10)),
        Fault::before(Before::Answer(CannedAnswer::html(
            200,
            "<html>maintenance</html>",
        ))),
    ] {
        world.emulator.inject(fault);
        let ran = world
            .famulor(["conversation", "get", CONVERSATION, "--max-retries", "0"])
            .run()
            .exits(8);
        assert!(!ran.stderr.contains("sent?"), "{ran:?}");
    }
}

#[test]
fn nine_is_an_outcome_that_nobody_knows() {
    let world = Fixture::new();
    let busy = CannedAnswer::text(503, "busy").header("Retry-After", "1");
    let page = CannedAnswer::html(200, "<html>hello</html>");
    for (fault, status) in [
        (Fault::after(After::Close), Value::Null),
        (Fault::before(Before::Answer(busy)), json!(503)),
        (Fault::before(Before::Answer(page)), json!(200)),
    ] {
        world.emulator.inject(fault.on(Operation::GenerateReply));
        let before = world.posts().len();
        let error = failing_reply(&world, &["--on-unknown", "fail", "Hello"], 9);
        assert_eq!(error["kind"], "unknown_outcome");
        assert_eq!(error["delivery"], "unknown");
        assert_eq!(error["http_status"], status);
        assert_eq!(error["attempts"], 1);
        assert_eq!(world.posts().len(), before + 1, "sent once");
    }
    world
        .emulator
        .inject(Fault::after(After::Close).on(Operation::GenerateReply));
    let ran = world
        .famulor(reply(&["--on-unknown", "fail", "Hello"]))
        .run()
        .exits(9);
    ran.says("whether it was processed, and billed, is not known")
        .says("next:");
}

#[test]
fn nine_is_an_answer_that_cannot_be_read() {
    let world = Fixture::new();
    world
        .emulator
        .inject(Fault::after(After::Cut(10)).on(Operation::GenerateReply));
    let error = failing_reply(&world, &["--on-unknown", "fail", "Hello"], 9);
    assert_eq!(error["kind"], "unreadable");
    assert_eq!(error["delivery"], "processed");
}

#[test]
fn a_lost_answer_is_read_back_and_that_is_success() {
    let world = Fixture::new();
    world
        .famulor(["conversation", "get", CONVERSATION])
        .run()
        .exits(0);
    world
        .emulator
        .inject(Fault::after(After::Close).on(Operation::SendMessage));
    let ran = world
        .famulor(["conversation", "send", CONVERSATION, "Thank you!"])
        .run()
        .exits(0);
    assert!(ran.stdout.starts_with("You're very welcome"), "{ran:?}");
    ran.says("read back");
    let sends = world
        .paths()
        .into_iter()
        .filter(|path| path.ends_with("/messages"))
        .count();
    assert_eq!(sends, 1);
}

#[test]
fn one_time_out_is_for_one_attempt() {
    let world = Fixture::with(|emulator| emulator.latency(std::time::Duration::from_secs(5)));
    let ran = world
        .famulor(reply(&["--json", "--on-unknown", "fail", "Hello"]))
        .env("FAMULOR_TIMEOUT", "150ms")
        .run()
        .exits(9);
    assert_eq!(ran.error()["delivery"], "unknown");
    // An answer takes five seconds: without the flag, this would be a success.
    let error = world
        .famulor([
            "whoami",
            "--json",
            "--timeout",
            "100ms",
            "--max-retries",
            "1",
        ])
        .run()
        .exits(8)
        .error();
    assert_eq!(error["attempts"], 2);
}

#[test]
fn the_key_of_a_failing_call_is_nowhere() {
    // The fixture looks for it in every output; here it is at its most tempting.
    let world = Fixture::new();
    let echo = CannedAnswer::json(
        422,
        json!({"message": format!("bad key {KEY}"), "errors": {}}),
    );
    world
        .emulator
        .inject(Fault::before(Before::Answer(echo)).forever());
    world.famulor(reply(&["-vvv", "Hello"])).run().exits(3);
    world
        .famulor(reply(&["--json", "Hello"]))
        .env("FAMULOR_LOG", "trace")
        .run()
        .exits(3);
}

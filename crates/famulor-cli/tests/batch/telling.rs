//! What is said while it runs, off a terminal.

use crate::{assert_order, batch, input, run, to_customers, world};

#[test]
fn off_a_terminal_there_are_plain_lines() {
    let world = world();
    input(&world, &to_customers(3));
    let ran = run(&world, &["--out", "o.jsonl"]).run().exits(0);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert!(
        lines[0].starts_with("job job: 0 done, 0 failed, 0 in doubt, 3 waiting"),
        "{ran:?}"
    );
    assert_eq!(
        lines.last(),
        Some(&"job job: 3 done, 0 failed, 0 in doubt, 0 waiting")
    );
    assert!(
        !ran.stderr.contains('\u{1b}') && !ran.stderr.contains('\r'),
        "{ran:?}"
    );
    assert_eq!(ran.stdout, "");
}

#[test]
fn the_first_line_says_when_it_ends_by_the_limit() {
    let world = world();
    input(&world, &to_customers(6));
    let ran = batch(&world, &["run", "job.jsonl"])
        .env("FAMULOR_RATE_LIMIT", "5/1s")
        .run()
        .exits(0);
    let first = ran.stderr.lines().next().unwrap_or_default();
    assert!(
        first.contains("6 waiting, until ") && first.contains("(1s)"),
        "{ran:?}"
    );
}

#[test]
fn quiet_says_nothing_but_errors() {
    let world = world();
    input(&world, &to_customers(3));
    let ran = run(&world, &["-q", "--out", "o.jsonl"]).run().exits(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
}

#[test]
fn an_unfinished_batch_is_one_json_error_with_code_10() {
    let world = world();
    let mut messages = to_customers(2);
    messages[0]["assistant_id"] = serde_json::json!(404);
    input(&world, &messages);
    let ran = run(&world, &["--json"]).run().exits(10);
    let order = [
        "error",
        "kind",
        "code",
        "message",
        "http_status",
        "retry_after_s",
        "delivery",
        "attempts",
        "exit",
    ];
    assert_order(ran.stderr.lines().last().unwrap_or_default(), &order);
    let error = ran.error();
    assert_eq!(error["kind"], "refused");
    assert_eq!(error["message"], "of 2 messages: 1 failed");
}

#[test]
fn nobodys_words_and_numbers_are_in_the_log() {
    let world = world();
    let mut messages = to_customers(2);
    messages[0]["message"] = "Confidential words".into();
    messages[1]["customer_identifier"] = "+4915555123499".into();
    input(&world, &messages);
    let ran = run(&world, &["-vvv", "--out", "o.jsonl"]).run().exits(0);
    for private in ["Confidential", "4915555123499"] {
        assert!(!ran.stderr.contains(private), "{private}");
    }
}

#[test]
fn every_batch_command_shows_examples_first() {
    let world = world();
    for verb in ["run", "status", "export", "retry", "cancel", "work"] {
        let ran = world.bare(["batch", verb, "--help"]).run().exits(0);
        let heading = ran.stdout.lines().find(|line| line.ends_with(':'));
        assert_eq!(heading, Some("Examples:"), "{ran:?}");
    }
}

//! `batch retry` and `batch cancel`: what a person decides.

use std::time::Duration;

use famulor_emulator::{After, Assistant, Before, CannedAnswer, Fault, Operation};
use serde_json::json;

use crate::fixture::{Fixture, wait_until};
use crate::{batch, column, exported, input, message, run, sent, to_customers, world};

/// Two rows that failed, because there is no such assistant, and one that did not.
fn two_failed() -> Fixture {
    let world = world();
    let mut messages = to_customers(3);
    messages[0]["assistant_id"] = json!(7);
    messages[2]["assistant_id"] = json!(7);
    input(&world, &messages);
    run(&world, &[]).run().exits(10);
    assert_eq!(
        column(&exported(&world), "state"),
        ["failed", "done", "failed"]
    );
    world.emulator.add_assistant(Assistant {
        id: 7,
        ..Assistant::default()
    });
    world
}

#[test]
fn retry_sends_what_failed_once_more_and_nothing_else() {
    let world = two_failed();
    let retried = batch(&world, &["retry", "--job", "job", "--json"])
        .run()
        .exits(0);
    assert_eq!(retried.json(), json!({"job": "job", "changed": 2}));
    run(&world, &[]).run().exits(0);
    assert_eq!(column(&exported(&world), "state"), ["done"; 3]);
    assert_eq!(sent(&world).len(), 5);
}

#[test]
fn retry_of_a_line_leaves_the_others() {
    let world = two_failed();
    batch(&world, &["retry", "--line", "3"]).run().exits(0);
    run(&world, &[]).run().exits(10);
    assert_eq!(
        column(&exported(&world), "state"),
        ["failed", "done", "done"]
    );
    for line in ["2", "99"] {
        batch(&world, &["retry", "--line", line])
            .run()
            .exits(2)
            .says("line");
    }
}

#[test]
fn cancel_takes_back_what_waits_and_retry_brings_it_again() {
    let world = world();
    input(&world, &to_customers(5));
    let slow = Fault::before(Before::Delay(Duration::from_millis(300)));
    world.emulator.inject(slow.on(Operation::GenerateReply));
    let mut first = run(&world, &["--concurrency", "1"]).start();
    wait_until("one is sent", || !sent(&world).is_empty());
    first.signal("-INT");
    first.end().exits(130);
    let cancelled = batch(&world, &["cancel", "--job", "job"]).run().exits(0);
    assert_eq!(cancelled.stdout, "4 messages not to be sent\n");
    run(&world, &[]).run().exits(0);
    assert_eq!(sent(&world).len(), 1);
    let states = exported(&world);
    assert_eq!(
        column(&states, "state"),
        ["done", "cancelled", "cancelled", "cancelled", "cancelled"]
    );
    batch(&world, &["retry", "--line", "2", "--line", "4"])
        .run()
        .exits(0);
    run(&world, &[]).run().exits(0);
    assert_eq!(sent(&world).len(), 3);
}

/// A row that a person has to look at: a customer's first message, answered with an error after it was processed, on
/// an account that cannot list its conversations.
fn one_to_review() -> Fixture {
    let world = world();
    let error = || CannedAnswer::json(403, json!({"message": "no"}));
    let refused = Fault::before(Before::Answer(error()));
    world
        .emulator
        .inject(refused.on(Operation::ListConversations).forever());
    let lost = Fault::after(After::Answer(CannedAnswer::server_error()));
    world.emulator.inject(lost.on(Operation::GenerateReply));
    input(&world, &[message("crm-1", "Hi")]);
    let ran = run(&world, &[]).run().exits(10);
    assert!(ran.stderr.contains("1 to review by a person"), "{ran:?}");
    let rows = exported(&world);
    assert_eq!(rows[0]["state"], "needs_review");
    assert_ne!(rows[0]["error"]["message"], "");
    assert_eq!(rows[0]["error"]["delivery"], "unknown");
    world.emulator.clear_faults();
    world
}

#[test]
fn a_row_in_review_is_sent_again_only_when_somebody_says_so() {
    let world = one_to_review();
    let plain = batch(&world, &["retry", "--json"]).run().exits(0);
    assert_eq!(plain.json()["changed"], 0);
    batch(&world, &["retry", "--line", "1"]).run().exits(2);
    run(&world, &[]).run().exits(10);
    assert_eq!(sent(&world).len(), 1);
    let explicit = ["retry", "--line", "1", "--state", "needs_review", "--json"];
    assert_eq!(batch(&world, &explicit).run().exits(0).json()["changed"], 1);
    run(&world, &[]).run().exits(0);
    assert_eq!(sent(&world).len(), 2);
    assert_eq!(exported(&world)[0]["state"], "done");
}

#[test]
fn a_row_in_review_can_be_given_up() {
    let world = one_to_review();
    let ran = batch(
        &world,
        &["cancel", "--line", "1", "--state", "needs_review"],
    )
    .run();
    ran.exits(0);
    assert_eq!(exported(&world)[0]["state"], "failed");
    run(&world, &[]).run().exits(10);
    assert_eq!(sent(&world).len(), 1);
}

#[test]
fn a_job_that_is_not_there_or_not_clear_is_an_error_that_names_those_that_are() {
    let world = world();
    for verb in ["status", "export", "retry", "cancel"] {
        batch(&world, &[verb])
            .run()
            .exits(2)
            .says("there is no store");
    }
    input(&world, &to_customers(1));
    run(&world, &[]).run().exits(0);
    run(&world, &["--job", "second"]).run().exits(0);
    for verb in ["export", "retry", "cancel"] {
        let unclear = batch(&world, &[verb]).run().exits(2);
        unclear.says("which job?").says("job, second").says("--job");
    }
    for verb in ["status", "export", "retry", "cancel"] {
        let unknown = batch(&world, &[verb, "--job", "third"]).run().exits(2);
        unknown.says("there is no job third");
    }
    assert_eq!(
        batch(&world, &["status", "--json"])
            .run()
            .json()
            .as_array()
            .map(Vec::len),
        Some(2)
    );
}

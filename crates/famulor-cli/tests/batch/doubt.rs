//! Outcomes that nobody knows at first, under each policy.

use std::time::{Duration, Instant};

use famulor_emulator::{After, Before, CannedAnswer, Fault, Operation};
use serde_json::json;

use crate::fixture::Fixture;
use crate::{batch, column, customers, input, message, rows, run, sent, world};

/// The second message is not answered, and was not processed either.
fn swallow_the_second(world: &Fixture) {
    let close = Fault::before(Before::Close);
    world
        .emulator
        .inject(close.on(Operation::GenerateReply).nth(2));
}

/// The first reply is processed, and answered with an error.
fn fail_one_after_processing(world: &Fixture) {
    let error = After::Answer(CannedAnswer::server_error());
    world
        .emulator
        .inject(Fault::after(error).on(Operation::GenerateReply));
}

#[test]
fn verify_sends_again_what_is_proven_not_to_have_arrived() {
    let world = world();
    swallow_the_second(&world);
    input(&world, &[message("crm-1", "Hi"), message("crm-1", "Bye")]);
    let began = Instant::now();
    let ran = run(&world, &["--out", "-"]).run().exits(0);
    assert!(
        began.elapsed() >= Duration::from_millis(200),
        "the quiet time was kept"
    );
    let rows = rows(&ran);
    assert_eq!(column(&rows, "state"), ["done", "done"]);
    assert_eq!(column(&rows, "attempts"), [1, 2]);
    assert_eq!(world.said("crm-1", "user"), ["Hi", "Bye"]);
}

#[test]
fn what_cannot_be_proven_goes_to_a_person_with_the_reason() {
    let world = world();
    // The very first message of an account that has shown nobody's conversations yet.
    let close = Fault::before(Before::Close);
    world.emulator.inject(close.on(Operation::GenerateReply));
    input(&world, &[message("crm-1", "Hi"), message("crm-1", "Bye")]);
    let ran = run(&world, &["--out", "-"]).run().exits(10);
    assert!(
        ran.stderr.contains("batch retry --state needs_review"),
        "{ran:?}"
    );
    let rows = rows(&ran);
    assert_eq!(column(&rows, "state"), ["needs_review", "done"]);
    assert_ne!(rows[0]["error"]["message"], "");
}

#[test]
fn verify_never_sends_again_what_arrived() {
    let world = world();
    fail_one_after_processing(&world);
    input(&world, &[message("crm-1", "Hi"), message("crm-1", "Bye")]);
    let ran = run(&world, &["--out", "-"]).run().exits(0);
    assert_eq!(column(&rows(&ran), "state"), ["done", "done"]);
    assert_eq!(world.said("crm-1", "user"), ["Hi", "Bye"]);
    assert_eq!(sent(&world).len(), 2);
}

#[test]
fn under_fail_a_doubt_is_final_and_later_rows_go_on() {
    let world = world();
    fail_one_after_processing(&world);
    input(&world, &[message("crm-1", "Hi"), message("crm-1", "Bye")]);
    let ran = run(&world, &["--on-unknown", "fail", "--out", "-"])
        .run()
        .exits(10);
    assert!(ran.stderr.contains("1 in doubt"), "{ran:?}");
    let rows = rows(&ran);
    assert_eq!(column(&rows, "state"), ["in_doubt", "done"]);
    assert_eq!(rows[0]["error"]["kind"], "unknown_outcome");
    assert_eq!(rows[0]["error"]["delivery"], "unknown");
    assert_eq!(rows[0]["error"]["exit"], 9);
    assert_eq!(rows[0]["reply"], json!(null));
    // The same command again leaves it so.
    run(&world, &["--on-unknown", "fail"]).run().exits(10);
    assert_eq!(sent(&world).len(), 2);
}

#[test]
fn under_resend_it_is_sent_again_at_once() {
    let world = world();
    fail_one_after_processing(&world);
    input(&world, &[message("crm-1", "Hi")]);
    let ran = run(&world, &["--on-unknown", "resend", "--out", "-"])
        .run()
        .exits(0);
    assert_eq!(rows(&ran)[0]["attempts"], 2);
    assert_eq!(
        world.said("crm-1", "user"),
        ["Hi", "Hi"],
        "that is what resend means"
    );
}

#[test]
fn a_doubt_holds_back_its_own_customer_and_nobody_else() {
    let world = world();
    let swallowed = Fault::before(Before::Close).on(Operation::GenerateReply);
    world.emulator.inject(swallowed.for_customer("crm-1"));
    let mut messages = vec![message("crm-1", "First"), message("crm-1", "Second")];
    messages.extend((2..=9).map(|number| message(&format!("crm-{number}"), "Hi")));
    input(&world, &messages);
    batch(&world, &["run", "job.jsonl"])
        .env("FAMULOR_DOUBT_WAIT", "4s")
        .args(&["--concurrency", "2"])
        .run()
        .exits(0);
    assert_eq!(world.said("crm-1", "user"), ["First", "Second"]);
    let order = customers(&world);
    // Two are sent at a time: which of the first two arrives first is nobody's promise.
    let of_its_own = |(place, customer): (usize, &String)| (customer == "crm-1").then_some(place);
    let places: Vec<usize> = order.iter().enumerate().filter_map(of_its_own).collect();
    assert!(matches!(places[..], [0 | 1, 9, 10]), "{order:?}");
}

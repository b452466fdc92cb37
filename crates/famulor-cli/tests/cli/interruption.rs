//! Signals, and readers that go away.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use famulor_emulator::{Before, Fault, Operation, RateLimit};

use serde_json::Value;

use crate::fixture::{CONVERSATION, Fixture, Ran, reply, wait_until};

/// Runs it until the emulator has seen a request, then signals.
fn interrupted(world: &Fixture, arguments: &[String], name: &str) -> Ran {
    let mut running = world.famulor(arguments).start();
    wait_until("its request arrives", || {
        let slowed = [
            Some(Operation::GenerateReply),
            Some(Operation::GetConversation),
        ];
        world
            .emulator
            .journal()
            .iter()
            .any(|entry| slowed.contains(&entry.operation))
    });
    running.signal(name);
    running.end()
}

fn slow() -> Fixture {
    let world = Fixture::new();
    for operation in [Operation::GenerateReply, Operation::GetConversation] {
        let slow = Fault::before(Before::Delay(Duration::from_secs(30)));
        world.emulator.inject(slow.on(operation));
    }
    world
}

#[test]
fn an_interruption_says_that_the_message_was_under_way() {
    let ran = interrupted(&slow(), &reply(&["Hello"]), "-INT").exits(130);
    ran.says("interrupted")
        .says("while the message was under way")
        .says("whether it was processed, and billed, is not known")
        .says("conversation get");
    let ran = interrupted(&slow(), &reply(&["Hello", "--json"]), "-TERM").exits(143);
    let error = ran.error();
    assert_eq!(error["kind"], "unknown_outcome");
    assert_eq!(error["delivery"], "unknown");
}

#[test]
fn an_interruption_of_a_call_that_only_reads_says_that_nothing_was_under_way() {
    let arguments = ["conversation", "get", CONVERSATION].map(str::to_owned);
    let ran = interrupted(&slow(), &arguments, "-INT").exits(130);
    ran.says("no message was under way");
}

#[test]
fn an_interruption_of_a_wait_for_the_limit_knows_that_nothing_was_processed() {
    let limit = RateLimit::parse("1/60s").expect("a limit");
    let world = Fixture::with(|emulator| emulator.rate_limit(limit));
    world.famulor(reply(&["Hello"])).run().exits(0);
    let mut running = world.famulor(reply(&["Hello again", "--json"])).start();
    // The note comes once the refusal has reached the client.
    let stderr = running.child().stderr.take().expect("it is piped");
    let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("waiting ")));
    running.signal("-INT");
    let error = lines.last().expect("it says why");
    assert_eq!(running.end().code, 130);
    let error: Value = serde_json::from_str(&error).expect("it is JSON");
    assert_eq!(error["error"]["kind"], "rate_limited");
    assert_eq!(error["error"]["delivery"], "refused");
    assert_eq!(error["error"]["exit"], 130);
}

#[test]
fn an_interruption_before_the_message_left_says_so() {
    let world = Fixture::new();
    // The client looks first whether the customer is known.
    let slow = Fault::before(Before::Delay(Duration::from_secs(30)));
    world.emulator.inject(slow.on(Operation::ListConversations));
    let mut running = world.famulor(reply(&["Hello"])).start();
    wait_until("it looks", || !world.emulator.journal().is_empty());
    running.signal("-TERM");
    let ran = running.end().exits(143);
    ran.says("before the message was sent")
        .says("nothing was sent");
}

#[test]
fn waiting_for_standard_input_can_be_interrupted() {
    let world = Fixture::new();
    let mut running = world.famulor(reply(&[])).input("").start();
    // Nothing is written and the pipe stays open: it waits for a message.
    let pipe = running.child().stdin.take();
    wait_until("it hears signals", || running.hears_interrupts());
    running.signal("-INT");
    let ran = running.end().exits(130);
    drop(pipe);
    ran.says("no message was under way");
    world.assert_untouched();
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let world = Fixture::new();
    for arguments in [
        vec!["conversation", "get", CONVERSATION],
        vec!["conversation", "get", CONVERSATION, "--json"],
        vec!["conversation", "list", "--all", "-o", "jsonl"],
        vec!["completions", "bash"],
        vec!["version"],
        vec!["demo"],
    ] {
        let mut running = world.famulor(&arguments).start();
        drop(running.child().stdout.take());
        let ran = running.end().exits(0);
        assert_eq!(ran.stderr, "", "{arguments:?}");
    }
}

#[test]
fn an_answer_that_cannot_be_written_was_billed_all_the_same() {
    // A device that is always full; only Linux has it.
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let world = Fixture::new();
    let run = |rest: &[&str]| {
        world
            .famulor(reply(rest))
            .output_to("/dev/full")
            .run()
            .exits(1)
    };
    run(&["Hello"])
        .says("cannot write the output")
        .says("it was done");
    let error = run(&["Hello", "--json"]).error();
    assert_eq!(error["kind"], "internal");
    assert_eq!(error["delivery"], "processed");
}

//! `famulor batch`: the built program, a real store, an emulator in the test's own process.

#[path = "../cli/fixture.rs"]
#[allow(dead_code)]
mod fixture;
#[path = "../cli/golden.rs"]
mod golden;
#[cfg(unix)]
#[path = "../cli/terminal.rs"]
#[allow(dead_code)]
mod terminal;

mod again;
#[cfg(unix)]
mod bad_places;
mod decisions;
mod doubt;
#[cfg(unix)]
mod export_killed;
mod input;
mod order;
mod output;
mod places;
mod stopping;
mod telling;
#[cfg(unix)]
mod terminal_bar;

use std::fmt::Write as _;

use famulor_emulator::{JournalEntry, Operation};
use serde_json::{Value, json};

use crate::fixture::{Fixture, Invocation, Ran};

/// An emulator without limits: no test here is about the minute.
fn world() -> Fixture {
    Fixture::with(|emulator| emulator.without_limits())
}

/// One line of an input.
fn message(customer: &str, text: &str) -> Value {
    json!({"assistant_id": 123, "customer_identifier": customer, "message": text})
}

/// `job.jsonl`, of which the job is called `job`.
fn input(world: &Fixture, messages: &[Value]) {
    let mut lines = String::new();
    for message in messages {
        let _ = writeln!(lines, "{message}");
    }
    world.file("job.jsonl", &lines);
}

/// Messages to so many customers, one each.
fn to_customers(count: usize) -> Vec<Value> {
    (1..=count)
        .map(|number| message(&format!("crm-{number}"), &format!("Hello {number}")))
        .collect()
}

/// `famulor batch …`, without a limit on its side, and quick to believe that something did not arrive.
fn batch(world: &Fixture, arguments: &[&str]) -> Invocation {
    world
        .famulor(["batch"].iter().chain(arguments))
        .env("FAMULOR_RATE_LIMIT", "off")
        .env("FAMULOR_DOUBT_WAIT", "200ms")
        .env("FAMULOR_TIMEOUT", "5s")
}

fn run(world: &Fixture, more: &[&str]) -> Invocation {
    batch(world, &["run", "job.jsonl"]).args(more)
}

/// The rows that a job has come to.
#[track_caller]
fn exported(world: &Fixture) -> Vec<Value> {
    rows(&batch(world, &["export"]).run().exits(0))
}

/// JSON lines on standard output.
#[track_caller]
fn rows(ran: &Ran) -> Vec<Value> {
    ran.stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {ran:?}")))
        .collect()
}

fn column<'r>(rows: &'r [Value], name: &str) -> Vec<&'r Value> {
    rows.iter().map(|row| &row[name]).collect()
}

/// Every message that the server was sent, whatever came of it.
fn sent(world: &Fixture) -> Vec<JournalEntry> {
    let mut entries = world.emulator.journal();
    entries.retain(|entry| entry.operation == Some(Operation::GenerateReply));
    entries
}

/// The customers whose messages were sent, in order.
fn customers(world: &Fixture) -> Vec<String> {
    let entries = sent(world).into_iter();
    entries.filter_map(|entry| entry.customer).collect()
}

/// These fields and no others, in this order, as they are written. (A parsed object forgets their order.)
#[track_caller]
fn assert_order(line: &str, names: &[&str]) {
    let mut rest = line;
    for name in names {
        let field = format!("\"{name}\":");
        let at = rest
            .find(&field)
            .unwrap_or_else(|| panic!("no {name} in its place in {line}"));
        rest = &rest[at + field.len()..];
    }
    let parsed: Value = serde_json::from_str(line).expect("JSON");
    let object = parsed.as_object().expect("an object");
    let inner = object.get("error").filter(|_| names[0] == "error");
    let count = inner
        .and_then(Value::as_object)
        .map_or(object.len(), |inner| inner.len() + 1);
    assert_eq!(count, names.len(), "{line}");
}

//! The crash test in short: `cargo xtask bench crash` is the long one.
#![cfg(unix)]

use std::time::Duration;

use famulor_crash_test::{Outage, Outcome, Plan, run, run_through};
use famulor_test_stores::{Durability, PostgresServer};

fn plan() -> Plan {
    Plan {
        messages: 360,
        customers: 60,
        kills: 15,
        patience: Duration::from_secs(120),
        ..Plan::new(env!("CARGO_BIN_EXE_famulor").into())
    }
}

#[track_caller]
fn no_promise_is_broken(plan: &Plan, outcome: &Outcome) {
    let broken = outcome.broken_promises();
    assert!(broken.is_empty(), "{broken:?}\n{outcome}");
    assert!(
        outcome.faults > 0,
        "the server did not misbehave: {outcome}"
    );
    assert!(outcome.done > plan.messages / 2, "{outcome}");
}

#[track_caller]
fn keeps_its_promises(plan: &Plan) {
    let outcome = run(plan).unwrap_or_else(|error| panic!("{error}"));
    no_promise_is_broken(plan, &outcome);
    assert!(outcome.killed() >= plan.kills, "{outcome}");
    let missed = outcome.points_missed();
    assert!(missed.is_empty(), "nobody was killed {missed:?}\n{outcome}");
}

#[test]
fn killed_workers_on_sqlite_lose_nothing_and_bill_nothing_twice() {
    keeps_its_promises(&plan());
}

#[test]
fn killed_workers_on_postgresql_lose_nothing_and_bill_nothing_twice() {
    let Some(server) = PostgresServer::start(Durability::Fast) else {
        return;
    };
    keeps_its_promises(&Plan {
        store: Some(server.place()),
        ..plan()
    });
}

/// A test that cannot fail shows nothing: without intents it has to.
#[test]
fn without_intents_the_same_kills_bill_messages_twice() {
    let plan = Plan {
        intents: false,
        ..plan()
    };
    let outcome = run(&plan).unwrap_or_else(|error| panic!("{error}"));
    assert!(outcome.billed_twice + outcome.lost > 0, "{outcome}");
}

/// Longer than a lease and shorter than the minute of `cargo xtask bench crash --phase outage`.
fn survives(away: impl Fn(&PostgresServer), back: impl Fn(&PostgresServer)) {
    let Some(server) = PostgresServer::start(Durability::Fast) else {
        return;
    };
    let plan = Plan {
        store: Some(server.place()),
        latency: Duration::from_millis(150),
        ..plan()
    };
    let outage = Outage {
        lasts: Duration::from_millis(2500),
        away: &|| away(&server),
        back: &|| back(&server),
    };
    let outcome = run_through(&plan, &outage).unwrap_or_else(|error| panic!("{error}"));
    no_promise_is_broken(&plan, &outcome);
    let absence = outcome.outage.expect("it was away");
    assert!(absence.lasted >= outage.lasts, "{outcome}");
    assert!(absence.billed_before < plan.messages, "{outcome}");
    assert!(
        absence.resumed_after < Duration::from_secs(10),
        "it took too long to go on: {outcome}"
    );
}

#[test]
fn workers_go_on_when_a_database_that_was_killed_is_back() {
    survives(PostgresServer::kill, PostgresServer::restart);
}

#[test]
fn workers_go_on_when_a_database_that_answered_nothing_answers_again() {
    survives(PostgresServer::freeze, PostgresServer::thaw);
}

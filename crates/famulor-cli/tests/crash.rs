//! The crash test in short: `cargo xtask bench crash` is the long one.
#![cfg(unix)]

use std::time::Duration;

use famulor_crash_test::{Plan, run};
use famulor_test_stores::{Durability, PostgresServer};

fn plan() -> Plan {
    Plan {
        messages: 240,
        customers: 60,
        kills: 15,
        patience: Duration::from_secs(120),
        ..Plan::new(env!("CARGO_BIN_EXE_famulor").into())
    }
}

#[track_caller]
fn keeps_its_promises(plan: &Plan) {
    let outcome = run(plan).unwrap_or_else(|error| panic!("{error}"));
    let broken = outcome.broken_promises();
    assert!(broken.is_empty(), "{broken:?}\n{outcome}");
    assert!(outcome.killed() >= plan.kills, "{outcome}");
    assert!(
        outcome.faults > 0,
        "the server did not misbehave: {outcome}"
    );
    assert!(outcome.done > plan.messages / 2, "{outcome}");
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

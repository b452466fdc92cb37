//! `cargo xtask bench crash`: what killing workers costs, on both stores, and beside it what it costs without intents.

use std::path::PathBuf;
use std::process::Command;

use famulor_crash_test::{Outcome, Plan, run as carry_out};
use famulor_test_stores::{Durability, PostgresServer};

use crate::figure::Figure;
use crate::section::Section;

const USAGE: &str =
    "usage: cargo xtask bench crash [--kills N] [--workers N] [--seed S] [--messages N]";

const METHOD: &str = "\
Workers of the built `famulor` are killed (SIGKILL) at named points and at random while they send a batch, and the \
server, a process of its own, closes connections after it has processed a call, stalls, and answers 500 to what it has \
done. Then every message is looked for in the store's account and in the server's conversations. Beside it, the same \
without the intents that a worker writes before it sends: that has to bill twice or lose, or the test proves nothing.";

pub(crate) fn run(arguments: &[&str]) -> Result<Section, String> {
    let mut plan = Plan::new(program()?);
    for pair in arguments.chunks(2) {
        let [name, value] = pair else {
            return Err(USAGE.to_owned());
        };
        let number: u64 = value
            .parse()
            .map_err(|_| format!("{value} is no number\n{USAGE}"))?;
        match *name {
            "--kills" => plan.kills = number,
            "--workers" => plan.workers = usize::try_from(number).unwrap_or(usize::MAX).max(1),
            "--seed" => plan.seed = number,
            "--messages" => plan.messages = number,
            _ => return Err(USAGE.to_owned()),
        }
    }
    // Enough that there is something left to send when the last of them is killed.
    if !arguments.contains(&"--messages") {
        plan.messages = plan.kills * MESSAGES_A_KILL;
        plan.customers = plan.messages / 10;
    }
    plan.customers = plan.customers.clamp(1, plan.messages);
    let command = ["cargo xtask bench crash", &arguments.join(" ")].join(" ");
    let mut section = Section::new("Crashes", command.trim_end(), METHOD);
    println!(
        "{} messages to {} customers, {} workers, {} kills, seed {}; the emulator is a process of its own\n",
        plan.messages, plan.customers, plan.workers, plan.kills, plan.seed
    );
    let mut outcomes = vec![("SQLite".to_owned(), carry_out(&plan)?)];
    match PostgresServer::start(Durability::Disk) {
        Some(server) => {
            let on_postgres = Plan {
                store: Some(server.place()),
                ..plan.clone()
            };
            outcomes.push(("PostgreSQL".to_owned(), carry_out(&on_postgres)?));
        }
        None => section.note("PostgreSQL is not installed here, and was not measured."),
    }
    let limited = Plan {
        limit: Some(LIMIT),
        kills: LIMITED_KILLS,
        messages: LIMITED_MESSAGES,
        customers: LIMITED_MESSAGES / 4,
        ..plan.clone()
    };
    let (requests, seconds) = LIMIT;
    let under_a_limit = format!("SQLite, a limit of {requests} in {seconds} s");
    outcomes.push((under_a_limit, carry_out(&limited)?));
    let control = Plan {
        intents: false,
        kills: plan.kills.min(30),
        messages: plan.messages.min(30 * MESSAGES_A_KILL),
        customers: plan.customers.min(3 * MESSAGES_A_KILL),
        ..plan
    };
    let control = carry_out(&control)?;
    for (store, outcome) in &outcomes {
        say(&mut section, store, outcome, &control);
    }
    println!("the control, on SQLite without intents: it has to bill twice or lose\n{control}");
    if control.billed_twice + control.lost == 0 {
        section.unseen("The control found nothing, so the test proves nothing.");
    }
    Ok(section)
}

const MESSAGES_A_KILL: u64 = 12;

/// Slow enough that the limits on all calls together are not what holds it up.
const LIMIT: (u32, u32) = (10, 10);
const LIMITED_MESSAGES: u64 = 60;
const LIMITED_KILLS: u64 = 4;

fn say(section: &mut Section, store: &str, outcome: &Outcome, control: &Outcome) {
    println!("{store}\n{outcome}");
    let without = format!(
        "without intents, {} messages and {} kills",
        control.messages,
        control.killed()
    );
    let mut count = |what: &str, count: u64, theirs: u64| {
        let what = format!(
            "{what}, {store}, {} messages and {} kills",
            outcome.messages,
            outcome.killed()
        );
        let figure = Figure::new(what, "", count as f64);
        section.add(
            figure
                .beside_with(&without, theirs as f64, None)
                .at_most(0.0),
        );
    };
    count("lost", outcome.lost, control.lost);
    count("billed twice", outcome.billed_twice, control.billed_twice);
    if outcome.quota_used.is_some() {
        count("refused", outcome.refusals, control.refusals);
    }
    // The rest of what must not be, if it is.
    for promise in outcome.broken_promises() {
        section.unseen(format!("{store}: {promise}"));
    }
}

/// The program as the tests have it: releases have no points to be killed at.
fn program() -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--package", "famulor-cli"])
        .status()
        .map_err(|error| format!("cargo build: {error}"))?;
    if !built.success() {
        return Err("cargo build --package famulor-cli failed".to_owned());
    }
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let target = own
        .ancestors()
        .nth(2)
        .ok_or("where is the target directory?")?;
    Ok(target.join("debug/famulor"))
}

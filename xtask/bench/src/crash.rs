//! `cargo xtask bench crash`: what killing workers costs, on both stores, and beside it what it costs without intents.

use std::path::PathBuf;
use std::process::Command;

use famulor_crash_test::{Outcome, Plan, run as carry_out};
use famulor_test_stores::{Durability, PostgresServer};

const USAGE: &str =
    "usage: cargo xtask bench crash [--kills N] [--workers N] [--seed S] [--messages N]";

pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
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
    println!(
        "{} messages to {} customers, {} workers, {} kills, seed {}; the emulator is a process of its own\n",
        plan.messages, plan.customers, plan.workers, plan.kills, plan.seed
    );
    let mut broken = Vec::new();
    let sqlite = carry_out(&plan)?;
    say("SQLite", &sqlite, &mut broken);
    match PostgresServer::start(Durability::Disk) {
        Some(server) => {
            let on_postgres = Plan {
                store: Some(server.place()),
                ..plan.clone()
            };
            say("PostgreSQL", &carry_out(&on_postgres)?, &mut broken);
        }
        None => println!("PostgreSQL: not measured, it is not here\n"),
    }
    let limited = Plan {
        limit: Some(LIMIT),
        kills: LIMITED_KILLS,
        messages: LIMITED_MESSAGES,
        customers: LIMITED_MESSAGES / 4,
        ..plan.clone()
    };
    let limited = carry_out(&limited)?;
    let (requests, seconds) = LIMIT;
    say(
        &format!("SQLite under a limit of {requests} in {seconds} s"),
        &limited,
        &mut broken,
    );
    if limited.refusals > 0 {
        broken.push(format!("{} refused by the limit", limited.refusals));
    }
    let control = Plan {
        intents: false,
        kills: plan.kills.min(30),
        messages: plan.messages.min(30 * MESSAGES_A_KILL),
        customers: plan.customers.min(3 * MESSAGES_A_KILL),
        ..plan
    };
    let control = carry_out(&control)?;
    println!("the control, on SQLite without intents: it has to bill twice or lose\n{control}");
    if control.billed_twice + control.lost == 0 {
        broken.push("the control found nothing, so the test proves nothing".to_owned());
    }
    if broken.is_empty() {
        return Ok(());
    }
    Err(broken.join("\n"))
}

const MESSAGES_A_KILL: u64 = 12;

/// Slow enough that the limits on all calls together are not what holds it up.
const LIMIT: (u32, u32) = (10, 10);
const LIMITED_MESSAGES: u64 = 60;
const LIMITED_KILLS: u64 = 4;

fn say(store: &str, outcome: &Outcome, broken: &mut Vec<String>) {
    println!("{store}\n{outcome}");
    let promises = outcome.broken_promises().into_iter();
    broken.extend(promises.map(|promise| format!("{store}: {promise}")));
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

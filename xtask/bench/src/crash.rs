//! `cargo xtask bench crash`: what killing workers costs, on both stores and under a limit; what it costs that the database
//! is away for a minute; and beside it what kills cost without intents.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use famulor_crash_test::{Outage, Outcome, Plan, run as carry_out, run_through};
use famulor_test_stores::{Durability, PostgresServer};

const USAGE: &str = "usage: cargo xtask bench crash [--phase sqlite|postgres|limited|outage|control]... [--kills N] [--workers N] \
    [--seed S] [--messages N] [--program FILE]\n\
    FILE: a famulor with debug assertions, instead of the one that is built";

/// What is measured, in this order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Sqlite,
    Postgres,
    Limited,
    Outage,
    Control,
}

const PHASES: [(&str, Phase); 5] = [
    ("sqlite", Phase::Sqlite),
    ("postgres", Phase::Postgres),
    ("limited", Phase::Limited),
    ("outage", Phase::Outage),
    ("control", Phase::Control),
];

pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let (plan, chosen) = understand(arguments)?;
    let mut broken = Vec::new();
    for (name, phase) in PHASES {
        if !chosen.is_empty() && !chosen.contains(&phase) {
            continue;
        }
        let result = match phase {
            Phase::Sqlite => on_sqlite(&plan, &mut broken),
            Phase::Postgres => on_postgres(&plan, &mut broken),
            Phase::Limited => under_a_limit(&plan, &mut broken),
            Phase::Outage => through_outages(&plan, &mut broken),
            Phase::Control => control(&plan, &mut broken),
        };
        // The others are worth having all the same.
        if let Err(cause) = result {
            println!("{name}: {cause}\n");
            broken.push(format!("{name}: {cause}"));
        }
    }
    if broken.is_empty() {
        return Ok(());
    }
    Err(broken.join("\n"))
}

fn understand(arguments: &[&str]) -> Result<(Plan, Vec<Phase>), String> {
    let mut chosen = Vec::new();
    let mut messages = None;
    let mut own_program = None;
    let mut plan = Plan::new(PathBuf::new());
    for pair in arguments.chunks(2) {
        let [name, value] = pair else {
            return Err(USAGE.to_owned());
        };
        let number = || {
            let number = value.parse::<u64>();
            number.map_err(|_| format!("{value} is no number\n{USAGE}"))
        };
        match *name {
            "--phase" => {
                let phase = PHASES.iter().find(|(name, _)| name == value);
                let (_, phase) = phase.ok_or_else(|| format!("no phase {value}\n{USAGE}"))?;
                chosen.push(*phase);
            }
            "--kills" => plan.kills = number()?,
            "--workers" => plan.workers = usize::try_from(number()?).unwrap_or(usize::MAX).max(1),
            "--seed" => plan.seed = number()?,
            "--messages" => messages = Some(number()?),
            "--program" => own_program = Some(PathBuf::from(value)),
            _ => return Err(USAGE.to_owned()),
        }
    }
    // Enough that there is something left to send when the last of them is killed.
    plan.messages = messages.unwrap_or(plan.kills * MESSAGES_A_KILL).max(1);
    plan.customers = (plan.messages / 10).max(1);
    plan.program = match own_program {
        Some(program) => program,
        None => built_program()?,
    };
    Ok((plan, chosen))
}

const MESSAGES_A_KILL: u64 = 12;

fn on_sqlite(plan: &Plan, broken: &mut Vec<String>) -> Result<(), String> {
    let outcome = carry_out(plan)?;
    say("SQLite", plan, &outcome, broken);
    Ok(())
}

fn on_postgres(plan: &Plan, broken: &mut Vec<String>) -> Result<(), String> {
    let Some(server) = PostgresServer::start(Durability::Disk) else {
        println!("PostgreSQL: not measured, it is not here\n");
        return Ok(());
    };
    let plan = Plan {
        store: Some(server.place()),
        ..plan.clone()
    };
    let outcome = carry_out(&plan)?;
    say("PostgreSQL", &plan, &outcome, broken);
    Ok(())
}

/// Slow enough that the limits on all calls together are not what holds it up: looks at conversations count in those.
const LIMIT: (u32, u32) = (10, 10);

/// Twice: what the kills cost of the quota alone, and together with calls that nobody answers. Such a call's slot is idle for
/// half a minute more, because nobody can know when it arrived.
fn under_a_limit(plan: &Plan, broken: &mut Vec<String>) -> Result<(), String> {
    let (requests, seconds) = LIMIT;
    for (faults, server) in [
        (false, "the server answers every call"),
        (true, "the server spoils calls"),
    ] {
        let plan = Plan {
            limit: Some(LIMIT),
            kills: 4,
            all_points: false,
            passes: 3,
            messages: 160,
            customers: 40,
            faults,
            ..plan.clone()
        };
        let outcome = carry_out(&plan)?;
        let what = format!("SQLite under a limit of {requests} in {seconds} s, {server}");
        say(&what, &plan, &outcome, broken);
        if outcome.refusals > 0 {
            broken.push(format!("{what}: {} refused", outcome.refusals));
        }
        let share = outcome.quota.and_then(|quota| quota.undisturbed);
        if !faults && share.is_none_or(|share| share < LEAST_SHARE) {
            broken.push(format!("{what}: too little of the quota was used"));
        }
    }
    Ok(())
}

/// Of the quota, while nothing but the limit holds it up. What a slot's return takes beside the window weighs six times as
/// much in ten seconds as in the minute that `bench quota` measures.
const LEAST_SHARE: f64 = 0.75;

/// The minute that a database may be away.
const AWAY: Duration = Duration::from_secs(60);

fn through_outages(plan: &Plan, broken: &mut Vec<String>) -> Result<(), String> {
    type Deed = fn(&PostgresServer);
    let ways: [(&str, Deed, Deed); 2] = [
        (
            "PostgreSQL killed, and started again",
            PostgresServer::kill,
            PostgresServer::restart,
        ),
        (
            "PostgreSQL frozen: it answers nothing",
            PostgresServer::freeze,
            PostgresServer::thaw,
        ),
    ];
    for (what, away, back) in ways {
        let Some(server) = PostgresServer::start(Durability::Disk) else {
            println!("{what}: not measured, it is not here\n");
            return Ok(());
        };
        let plan = Plan {
            store: Some(server.place()),
            messages: 1000,
            customers: 100,
            kills: 0,
            // So that there is something on its way when it goes.
            latency: Duration::from_millis(250),
            ..plan.clone()
        };
        let outage = Outage {
            lasts: AWAY,
            away: &|| away(&server),
            back: &|| back(&server),
        };
        let outcome = run_through(&plan, &outage)?;
        say(what, &plan, &outcome, broken);
    }
    Ok(())
}

fn control(plan: &Plan, broken: &mut Vec<String>) -> Result<(), String> {
    let kills = plan.kills.min(30);
    let plan = Plan {
        intents: false,
        all_points: false,
        kills,
        messages: kills * MESSAGES_A_KILL,
        customers: kills * MESSAGES_A_KILL / 10,
        ..plan.clone()
    };
    let outcome = carry_out(&plan)?;
    println!("the control, on SQLite without intents: it has to bill twice or lose\n{outcome}");
    if outcome.billed_twice + outcome.lost == 0 {
        broken.push("the control found nothing, so the test proves nothing".to_owned());
    }
    Ok(())
}

fn say(what: &str, plan: &Plan, outcome: &Outcome, broken: &mut Vec<String>) {
    println!(
        "{what}\n{} messages to {} customers, {} workers, seed {}; the emulator is a process of its own\n{outcome}",
        plan.messages, plan.customers, plan.workers, plan.seed
    );
    let promises = outcome.broken_promises().into_iter();
    broken.extend(promises.map(|promise| format!("{what}: {promise}")));
    if plan.kills > 0 && plan.all_points {
        let missed = outcome.points_missed().into_iter();
        broken.extend(missed.map(|point| format!("{what}: nobody was killed {point}")));
    }
}

/// The program as the tests have it: releases have no points to be killed at.
fn built_program() -> Result<PathBuf, String> {
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

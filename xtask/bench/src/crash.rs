//! `cargo xtask bench crash`: what killing workers costs, on both stores and under a limit; what it costs that the database
//! is away for a minute; and beside it what kills cost without intents.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use famulor_crash_test::{Outage, Outcome, Plan, run as carry_out, run_through};
use famulor_test_stores::{Durability, PostgresServer};

use crate::figure::Figure;
use crate::section::Section;

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

const METHOD: &str = "\
Workers of the built `famulor` are killed (SIGKILL) at every named point and at random while they send a batch, and the \
server, a process of its own, closes connections after it has processed a call, stalls, and answers 500 to what it has \
done. Then every message is looked for in the store's account and in the server's conversations. Beside it, the same \
without the intents that a worker writes before it sends: that has to bill twice or lose, or the test proves nothing.";

pub(crate) fn run(arguments: &[&str]) -> Result<Section, String> {
    let (plan, chosen) = understand(arguments)?;
    let command = ["cargo xtask bench crash", &arguments.join(" ")].join(" ");
    let mut section = Section::new("Crashes", command.trim_end(), METHOD);
    let mut outcomes = Vec::new();
    let mut without_intents = None;
    for (name, phase) in PHASES {
        if !chosen.is_empty() && !chosen.contains(&phase) {
            continue;
        }
        let result = match phase {
            Phase::Sqlite => on_sqlite(&plan, &mut outcomes),
            Phase::Postgres => on_postgres(&plan, &mut outcomes, &mut section),
            Phase::Limited => under_a_limit(&plan, &mut outcomes, &mut section),
            Phase::Outage => through_outages(&plan, &mut outcomes, &mut section),
            Phase::Control => control(&plan, &mut section).map(|outcome| {
                without_intents = Some(outcome);
            }),
        };
        // The others are worth having all the same.
        if let Err(cause) = result {
            section.unseen(format!("{name}: {cause}"));
        }
    }
    for (what, plan, outcome) in &outcomes {
        judge(&mut section, what, plan, outcome, without_intents.as_ref());
    }
    Ok(section)
}

/// What was done, and what came of it.
type Outcomes = Vec<(String, Plan, Outcome)>;

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

fn on_sqlite(plan: &Plan, outcomes: &mut Outcomes) -> Result<(), String> {
    carry(plan.clone(), "SQLite", outcomes, carry_out)
}

fn on_postgres(plan: &Plan, outcomes: &mut Outcomes, section: &mut Section) -> Result<(), String> {
    let Some(server) = PostgresServer::start(Durability::Disk) else {
        section.note("PostgreSQL is not installed here, and was not measured.");
        return Ok(());
    };
    let plan = Plan {
        store: Some(server.place()),
        ..plan.clone()
    };
    carry(plan, "PostgreSQL", outcomes, carry_out)
}

fn carry(
    plan: Plan,
    what: &str,
    outcomes: &mut Outcomes,
    how: impl FnOnce(&Plan) -> Result<Outcome, String>,
) -> Result<(), String> {
    let outcome = how(&plan)?;
    println!(
        "{what}\n{} messages to {} customers, {} workers, seed {}; the emulator is a process of its own\n{outcome}",
        plan.messages, plan.customers, plan.workers, plan.seed
    );
    outcomes.push((what.to_owned(), plan, outcome));
    Ok(())
}

/// Slow enough that the limits on all calls together are not what holds it up: looks at conversations count in those.
const LIMIT: (u32, u32) = (10, 10);

/// Twice: what the kills cost of the quota alone, and together with calls that nobody answers. Such a call's slot is idle for
/// half a minute more, because nobody can know when it arrived.
fn under_a_limit(
    plan: &Plan,
    outcomes: &mut Outcomes,
    section: &mut Section,
) -> Result<(), String> {
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
        let what = format!("SQLite under a limit of {requests} in {seconds} s, {server}");
        carry(plan, &what, outcomes, carry_out)?;
        let Some((.., outcome)) = outcomes.last() else {
            continue;
        };
        let refused = Figure::new(format!("refused, {what}"), "", outcome.refusals as f64);
        section.add(refused.at_most(0.0));
        if !faults {
            let quota = outcome.quota.as_ref();
            let share = quota
                .and_then(|quota| quota.undisturbed)
                .unwrap_or(f64::NAN);
            let used =
                format!("share of the quota used while nothing but the limit holds it up, {what}");
            section.add(Figure::new(used, "", share).at_least(LEAST_SHARE));
        }
    }
    Ok(())
}

/// Of the quota, while nothing but the limit holds it up. What a slot's return takes beside the window weighs six times as
/// much in ten seconds as in the minute that `bench quota` measures.
const LEAST_SHARE: f64 = 0.75;

/// The minute that a database may be away.
const AWAY: Duration = Duration::from_secs(60);

fn through_outages(
    plan: &Plan,
    outcomes: &mut Outcomes,
    section: &mut Section,
) -> Result<(), String> {
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
            section.note("PostgreSQL is not installed here, and was not taken away.");
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
        carry(plan, what, outcomes, |plan| run_through(plan, &outage))?;
    }
    Ok(())
}

fn control(plan: &Plan, section: &mut Section) -> Result<Outcome, String> {
    let kills = plan.kills.min(30);
    let plan = Plan {
        intents: false,
        all_points: false,
        kills,
        messages: kills * MESSAGES_A_KILL,
        customers: (kills * MESSAGES_A_KILL / 10).max(1),
        ..plan.clone()
    };
    let outcome = carry_out(&plan)?;
    println!("the control, on SQLite without intents: it has to bill twice or lose\n{outcome}");
    if outcome.billed_twice + outcome.lost == 0 {
        section.unseen("The control found nothing, so the test proves nothing.");
    }
    Ok(outcome)
}

/// What is promised, and beside it what the same costs without intents.
fn judge(
    section: &mut Section,
    what: &str,
    plan: &Plan,
    outcome: &Outcome,
    control: Option<&Outcome>,
) {
    type Count = fn(&Outcome) -> u64;
    let counts: [(&str, Count); 3] = [
        ("lost", |outcome| outcome.lost),
        ("billed twice", |outcome| outcome.billed_twice),
        ("out of order", |outcome| outcome.out_of_order),
    ];
    for (name, count) in counts {
        let (messages, kills) = (outcome.messages, outcome.killed());
        let name = format!("{name}, {what}, {messages} messages and {kills} kills");
        let mut figure = Figure::new(name, "", count(outcome) as f64);
        if let Some(control) = control {
            let (messages, kills) = (control.messages, control.killed());
            let without = format!("without intents, {messages} messages and {kills} kills");
            figure = figure.beside_with(without, count(control) as f64, None);
        }
        section.add(figure.at_most(0.0));
    }
    // The rest of what must not be, if it is.
    for promise in outcome.broken_promises() {
        section.unseen(format!("{what}: {promise}"));
    }
    if plan.kills > 0 && plan.all_points {
        for point in outcome.points_missed() {
            section.unseen(format!("{what}: nobody was killed {point}"));
        }
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

//! The documentation's example as whole programs: by the SDK, on bare reqwest, by Python's requests, by Node's fetch.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use famulor_emulator::Emulator;

use super::{clients, seed};
use crate::figure::Figure;
use crate::process::{self, Cost};
use crate::section::Section;
use crate::size::Size;
use crate::turns::median;

/// A program, and its three runs of each turn.
struct Program {
    name: &'static str,
    command: Box<dyn Fn() -> Result<Command, String>>,
    turns: Vec<[Cost; 3]>,
}

/// How many calls the runs make: one with its start, those in which a compiler warms up, and those that count.
#[derive(Clone, Copy)]
struct Calls {
    warm: u32,
    all: u32,
}

pub(super) fn measure(
    section: &mut Section,
    emulator: &Emulator,
    size: Size,
) -> Result<(), String> {
    let calls = size.pick((500, 2_500), (200, 1_000), (5, 20));
    let calls = Calls {
        warm: calls.0,
        all: calls.1,
    };
    let mut programs = programs(section, &emulator.base_url())?;
    let before = made(emulator);
    let turns = size.pick(9, 5, 1);
    for turn in 0..turns {
        for program in &mut programs {
            let run = |calls: u32| {
                let mut command = (program.command)()?;
                process::run(program.name, command.arg(calls.to_string()))
            };
            program
                .turns
                .push([run(1)?, run(calls.warm)?, run(calls.all)?]);
        }
        if turn % 2 == 0 {
            programs.reverse();
        }
    }
    let expected = turns * programs.len() as u64 * u64::from(1 + calls.warm + calls.all);
    let made = made(emulator) - before;
    if made != expected {
        return Err(format!(
            "{made} calls were answered, and {expected} were to be made"
        ));
    }
    say(section, &programs, calls);
    Ok(())
}

/// Conversations that were created.
fn made(emulator: &Emulator) -> u64 {
    let stats = emulator.stats();
    let answered: BTreeMap<u16, u64> = stats.statuses;
    answered.get(&200).copied().unwrap_or_default()
}

fn programs(section: &mut Section, url: &str) -> Result<Vec<Program>, String> {
    let host = url
        .strip_suffix("/api")
        .ok_or("a base URL ends with /api")?;
    let mut programs = Vec::new();
    for (name, client) in [
        ("the SDK", clients::SEED_SDK),
        ("bare reqwest", clients::SEED_BARE),
    ] {
        let url = url.to_owned();
        programs.push(program(name, move || {
            let mut command = process::own()?;
            command.args(["call-client", client, &url]);
            Ok(command)
        }));
    }
    match python_with_requests() {
        Some(python) => {
            for (name, text) in [
                ("Python requests", seed::python(host)?),
                (
                    "Python requests, a Session",
                    seed::python_with_session(host)?,
                ),
            ] {
                let python = python.clone();
                programs.push(program(name, move || Ok(script(&python, &["-c"], &text))));
            }
        }
        None => section.note("Python with requests is not installed here, and was not measured."),
    }
    match node_with_fetch() {
        true => {
            let text = seed::node(host)?;
            let how = ["--input-type=module", "-e"];
            programs.push(program("Node fetch", move || {
                Ok(script("node", &how, &text))
            }));
        }
        false => section.note("Node 18 or newer is not installed here, and was not measured."),
    }
    Ok(programs)
}

fn program(name: &'static str, command: impl Fn() -> Result<Command, String> + 'static) -> Program {
    Program {
        name,
        command: Box::new(command),
        turns: Vec::new(),
    }
}

fn script(program: &str, how: &[&str], text: &str) -> Command {
    let mut command = Command::new(program);
    command
        .args(how)
        .arg(text)
        // Whatever proxy this machine has, the emulator is not behind it.
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1");
    command
}

/// The interpreter itself, not a shim in front of it; `None` without it or without requests.
pub(crate) fn python_with_requests() -> Option<String> {
    process::version(
        "python3",
        &["-c", "import sys, requests; print(sys.executable)"],
    )
}

fn node_with_fetch() -> bool {
    let asks = "if (typeof fetch !== 'function') process.exit(1); console.log('here')";
    process::version("node", &["-e", asks]).is_some()
}

fn say(section: &mut Section, programs: &[Program], calls: Calls) {
    let of = |name: &str| programs.iter().find(|program| program.name == name);
    let Some(own) = of("the SDK") else { return };
    let counted = f64::from(calls.all - calls.warm);
    let cpu: fn(&Cost) -> Duration = |cost| cost.cpu;
    let wall: fn(&Cost) -> Duration = |cost| cost.wall;
    let of_a_call = move |turn: &[Cost; 3], which: fn(&Cost) -> Duration| {
        (which(&turn[2]).as_secs_f64() - which(&turn[1]).as_secs_f64()) * 1e6 / counted
    };
    let of_the_first =
        |turn: &[Cost; 3], which: fn(&Cost) -> Duration| which(&turn[0]).as_secs_f64() * 1e3;
    type Value<'a> = Box<dyn Fn(&[Cost; 3]) -> f64 + 'a>;
    let measures: [(&str, &'static str, Value<'_>); 4] = [
        (
            "a call, CPU",
            "µs",
            Box::new(move |turn| of_a_call(turn, cpu)),
        ),
        (
            "a call, time",
            "µs",
            Box::new(move |turn| of_a_call(turn, wall)),
        ),
        (
            "start and first call, CPU",
            "ms",
            Box::new(move |turn| of_the_first(turn, cpu)),
        ),
        (
            "start and first call, time",
            "ms",
            Box::new(move |turn| of_the_first(turn, wall)),
        ),
    ];
    let peers = [
        "bare reqwest",
        "Python requests",
        "Python requests, a Session",
        "Node fetch",
    ];
    for (what, unit, value) in &measures {
        for peer in peers.iter().filter_map(|name| of(name)) {
            let values = |program: &Program| median(program.turns.iter().map(value));
            let ratios = own.turns.iter().zip(&peer.turns);
            let ratio = median(ratios.map(|(own, other)| value(own) / value(other)));
            let figure = Figure::new(*what, unit, values(own));
            section.add(figure.beside_with(peer.name, values(peer), Some(ratio)));
        }
    }
}

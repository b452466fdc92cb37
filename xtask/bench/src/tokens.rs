//! `cargo xtask bench tokens`: one process that serves many tokens, from one to ten thousand.

mod callers;
mod slots;

use famulor_emulator::Emulator;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::figure::{Figure, number};
use crate::plot::{Axis, Lines, Plot, Scale, Series};
use crate::section::Section;
use crate::size::Size;

pub(crate) use callers::client;

const METHOD: &str = "\
One process that answers for many tokens, as a provider's backend does: a client for each token, all of them on one \
quota and one thread, each with its connection kept. Every token has made its first call before anything is counted; \
then replies go round the tokens, one after another, over loopback. CPU is the process's own, user and system. Beside \
it, bare reqwest with a client for each token, and with one client that has the tokens in its headers and keeps no \
books: processes of their own, by turns, medians. A slot is an acquire and its complete in the quota's store in memory, \
beside governor's keyed check.";

/// From one token to so many.
const TOKENS: [usize; 5] = [1, 10, 100, 1_000, 10_000];

/// What a process needs besides a connection a token.
const OTHER_FILES: u64 = 200;

/// So many tokens take so much memory that the system's pages can tell.
const ENOUGH: usize = 1_000;

pub(crate) fn run(size: Size) -> Result<Section, String> {
    let mut section = Section::new("Many tokens", "cargo xtask bench tokens", METHOD);
    let sizes = &TOKENS[..size.pick(5, 5, 3)];
    let room = open_files()?;
    let (sizes, too_many): (Vec<usize>, Vec<usize>) = sizes
        .iter()
        .partition(|tokens| **tokens as u64 + OTHER_FILES <= room);
    if !too_many.is_empty() {
        section.note(format!(
            "Calls of more than {} tokens were not measured: this system lets a process have {room} open files.",
            number(room.saturating_sub(OTHER_FILES) as f64)
        ));
    }
    let runtime = crate::call::runtime()?;
    let builder = Emulator::builder().without_limits().balance(1e9);
    let emulator = runtime
        .block_on(builder.start())
        .map_err(|e| format!("the emulator does not start: {e}"))?;
    let mut calls = Vec::new();
    for tokens in sizes {
        calls.push(callers::measure(&emulator.base_url(), tokens, size)?);
    }
    say(&mut section, &calls);
    let slots = slots::measure(size);
    slots::say(&mut section, &slots);
    section.plots = vec![plot_of_calls(&calls), slots::plot(&slots)];
    Ok(section)
}

/// As many files as a process may have open. The emulator has a connection a token, too.
fn open_files() -> Result<u64, String> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(|e| e.to_string())?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).map_err(|e| e.to_string())?;
    }
    Ok(hard)
}

fn say(section: &mut Section, calls: &[callers::Row]) {
    let title = |tokens: usize| match tokens {
        1 => "one token".to_owned(),
        _ => format!("{} tokens", number(tokens as f64)),
    };
    for row in calls {
        let what = format!("a reply, {}, CPU", title(row.tokens));
        let figure = || Figure::new(what.clone(), "µs", row.cpu_each.ours);
        section.add(figure().beside_with(
            "bare reqwest, a client a token",
            row.cpu_each.yardstick,
            Some(row.cpu_each.ratio),
        ));
        section.add(figure().beside_with(
            "bare reqwest, one client",
            row.cpu_one.yardstick,
            Some(row.cpu_one.ratio),
        ));
    }
    let (Some(one), Some(most)) = (calls.first(), calls.last()) else {
        return;
    };
    let what = format!("a reply, {}, CPU", title(most.tokens));
    let figure = Figure::new(what, "µs", most.cpu_each.ours);
    section.add(figure.beside("the same with one token", one.cpu_each.ours));
    for row in calls.iter().filter(|row| row.tokens >= ENOUGH) {
        let what = format!("memory of a token, {}", title(row.tokens));
        let figure = Figure::new(what, "kB", row.memory.0 / 1e3);
        section.add(figure.beside("bare reqwest, a client a token", row.memory.1 / 1e3));
    }
}

fn plot_of_calls(calls: &[callers::Row]) -> Plot {
    let of = |value: fn(&callers::Row) -> f64| {
        let points = calls.iter();
        points.map(|row| (row.tokens as f64, value(row))).collect()
    };
    let title = "A reply, by how many tokens one process serves";
    let lines = Lines {
        title,
        x: Axis {
            label: "tokens",
            scale: Scale::Powers,
        },
        y: Axis {
            label: "CPU of the process, µs a reply",
            scale: Scale::Linear,
        },
        series: vec![
            Series {
                name: "the SDK",
                points: of(|row| row.cpu_each.ours),
            },
            Series {
                name: "bare reqwest, a client a token",
                points: of(|row| row.cpu_each.yardstick),
            },
            Series {
                name: "bare reqwest, one client for all",
                points: of(|row| row.cpu_one.yardstick),
            },
        ],
    };
    Plot {
        file: "benchmarks/tokens-calls.svg",
        alt: format!("{title}: CPU of the SDK and of bare reqwest, from 1 to 10,000 tokens"),
        svg: lines.svg(),
    }
}

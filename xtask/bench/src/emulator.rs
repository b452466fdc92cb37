//! `cargo xtask bench emulator`: loopback throughput, memory and start of the emulator beside its yardsticks.
//!
//! Every server is a process of its own and answers the same request with the same body; one client drives them all,
//! over kept connections, writing bytes that were made beforehand. The yardsticks: a bare axum handler, wiremock with
//! one stub, and Prism serving the same spec. Each has all cores and is set up as its users set it up: the emulator as
//! `famulor emulator serve` does, axum on tokio's threads, wiremock on the one thread that it starts.

mod instructions;
mod load;
mod memory;
mod process;
mod rounds;
mod servers;

use std::time::Duration;

use crate::figure::Figure;
use crate::section::Section;
use crate::size::Size;
use process::Process;
use rounds::Rounds;

pub(crate) use servers::serve;

/// What is promised: at least so many times the yardstick's throughput.
const OVER_AXUM: f64 = 0.7;
const OVER_WIREMOCK: f64 = 2.0;
const OVER_PRISM: f64 = 20.0;

/// At most so many times the bare handler's time from its start to its first answer.
const START: f64 = 3.0;

/// Over which memory is watched, by itself.
pub(crate) const REQUESTS: u64 = 1_000_000;

const METHOD: &str = "\
generate-reply over loopback, without limits. Every server is a process of its own and answers the same request with the \
same body; one client drives them in turn over 64 kept connections, on the same cores; the median of each, and of the \
rounds' ratios. Beside the emulator: a bare axum handler that parses nothing, wiremock with one stub, and Prism serving \
the same spec. Memory is looked at while one emulator answers ever more requests.";

/// `requests` are those over which memory is watched.
pub(crate) fn run(size: Size, requests: u64) -> Result<Section, String> {
    let command = match requests {
        REQUESTS => "cargo xtask bench emulator".to_owned(),
        _ => format!("cargo xtask bench emulator {requests}"),
    };
    let mut section = Section::new("Emulator", command, METHOD);
    measure(&mut section, size, requests)?;
    Ok(section)
}

/// Drives a server that runs already.
pub(crate) fn drive(address: &str, requests: &str) -> Result<(), String> {
    let address = address
        .parse()
        .map_err(|_| format!("{address}: no address"))?;
    let requests = requests
        .parse()
        .map_err(|_| format!("{requests}: no number"))?;
    load::requests(address, &load::Request::reply(), requests)
}

fn measure(section: &mut Section, size: Size, requests: u64) -> Result<(), String> {
    let body = {
        let emulator = Process::start("emulator", "")?;
        load::body(emulator.address)?
    };
    throughput(section, size, &body)?;
    instructions::compare(section, size, &body)?;
    start(section, &body)?;
    memory::watch(section, requests)
}

fn throughput(section: &mut Section, size: Size, body: &str) -> Result<(), String> {
    let mut rounds = Rounds::of(&["emulator", "axum", "wiremock"], body)?;
    let prism = rounds.join("prism", body);
    rounds.run(size)?;
    let mut over = |yardstick: &str, name: &str, least: f64| {
        let (own, theirs) = (rounds.figures("emulator"), rounds.figures(yardstick));
        let (wall, cpu) = rounds.over("emulator", yardstick);
        let rate = Figure::new("requests a second", "", own.0);
        let rate = rate.beside_with(name, theirs.0, Some(wall));
        section.add(rate.ratio_at_least(least));
        let of_one = Figure::new("CPU of the server, a request", "µs", own.1);
        section.add(of_one.beside_with(name, theirs.1, Some(1.0 / cpu)));
    };
    over("axum", "bare axum", OVER_AXUM);
    over("wiremock", "wiremock", OVER_WIREMOCK);
    match prism {
        Ok(()) => over("prism", "Prism", OVER_PRISM),
        Err(why) => section.note(format!("Prism was not measured: {why}")),
    }
    Ok(())
}

fn start(section: &mut Section, body: &str) -> Result<(), String> {
    let bare = first_answer("axum", body)?;
    let own = first_answer("emulator", body)?;
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    let figure = Figure::new("start to first answer", "ms", millis(own));
    section.add(
        figure
            .beside("bare axum", millis(bare))
            .ratio_at_most(START),
    );
    Ok(())
}

/// The median of several starts, each with a process of its own.
fn first_answer(server: &str, body: &str) -> Result<Duration, String> {
    const STARTS: usize = 11;
    let mut took = Vec::new();
    for _ in 0..STARTS {
        took.push(Process::start(server, body)?.first_answer);
    }
    took.sort();
    Ok(took[STARTS / 2])
}

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

use process::Process;
use rounds::Rounds;

pub(crate) use servers::serve;

/// What is promised: at least so many times the yardstick's throughput.
const OVER_AXUM: f64 = 0.7;
const OVER_WIREMOCK: f64 = 2.0;
const OVER_PRISM: f64 = 20.0;

/// At most so many times the bare handler's time from its start to its first answer.
const START: f64 = 3.0;

/// What was promised and measured, line by line.
#[derive(Default)]
pub(crate) struct Verdicts {
    missed: Vec<String>,
}

impl Verdicts {
    fn check(&mut self, holds: bool, what: String) {
        println!("{} {what}", if holds { "ok  " } else { "MISS" });
        if !holds {
            self.missed.push(what);
        }
    }
}

pub(crate) fn run(requests: u64) -> Result<(), String> {
    measure(requests)
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

fn measure(requests: u64) -> Result<(), String> {
    let mut verdicts = Verdicts::default();
    let body = {
        let emulator = Process::start("emulator", "")?;
        load::body(emulator.address)?
    };
    throughput(&mut verdicts, &body)?;
    instructions::compare(&body)?;
    start(&mut verdicts, &body)?;
    memory::watch(&mut verdicts, requests)?;
    if verdicts.missed.is_empty() {
        return Ok(());
    }
    Err(format!("not held: {}", verdicts.missed.join("; ")))
}

fn throughput(verdicts: &mut Verdicts, body: &str) -> Result<(), String> {
    let mut rounds = Rounds::of(&["emulator", "axum", "wiremock"], body)?;
    let prism = rounds.join("prism", body);
    rounds.run()?;
    println!("generate-reply without limits, rounds in turn, the median of each:");
    println!("| server | requests a second | CPU µs a request |\n|---|---|---|");
    for (server, rate, cpu) in rounds.figures() {
        println!("| {server} | {rate:.0} | {cpu:.1} |");
    }
    let mut over = |yardstick: &str, name: &str, least: f64| {
        let (wall, cpu) = rounds.over("emulator", yardstick);
        verdicts.check(
            wall >= least,
            format!("{wall:.2}× {name}, at least {least} (by CPU time of the server: {cpu:.2}×)"),
        );
    };
    over("axum", "bare axum", OVER_AXUM);
    over("wiremock", "wiremock", OVER_WIREMOCK);
    match prism {
        Ok(()) => over("prism", "Prism", OVER_PRISM),
        Err(why) => println!("skip Prism: {why}"),
    }
    Ok(())
}

fn start(verdicts: &mut Verdicts, body: &str) -> Result<(), String> {
    let bare = first_answer("axum", body)?;
    let own = first_answer("emulator", body)?;
    let ratio = own.as_secs_f64() / bare.as_secs_f64();
    println!("start to first answer: axum {bare:.1?}, emulator {own:.1?}");
    verdicts.check(
        ratio <= START,
        format!("{ratio:.2}× bare axum's start, at most {START}"),
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

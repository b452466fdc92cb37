//! `cargo xtask bench emulator`: loopback throughput, memory and start of the emulator beside its yardsticks.
//!
//! Every server is a process of its own and answers the same request with the same body; one client drives them all,
//! over kept connections, writing bytes that were made beforehand. The yardsticks: a bare axum handler, wiremock with
//! one stub, and Prism serving the same spec.

mod load;
mod process;
mod servers;

use std::time::Duration;

use load::Request;
use process::Process;

pub(crate) use servers::serve;

/// How long each server is driven; twice, and the better run counts: what else the machine does only slows.
const RUN: Duration = Duration::from_secs(4);

/// What is promised: at least so many times the yardstick's throughput.
const OVER_AXUM: f64 = 0.7;
const OVER_WIREMOCK: f64 = 2.0;
const OVER_PRISM: f64 = 20.0;

/// At most so many times the bare handler's time from its start to its first answer.
const START: f64 = 3.0;

/// Memory is flat when the last nine tenths of the requests add less than this share.
const GROWTH: f64 = 1.1;

pub(crate) fn run(requests: u64) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?;
    runtime.block_on(measure(requests))
}

async fn measure(requests: u64) -> Result<(), String> {
    let mut failures = Vec::new();
    let mut check = |holds: bool, what: String| {
        println!("{} {what}", if holds { "ok  " } else { "MISS" });
        if !holds {
            failures.push(what);
        }
    };

    let axum = throughput("axum").await?;
    let emulator = throughput("emulator").await?;
    let wiremock = throughput("wiremock").await?;
    println!("generate-reply without limits, requests a second:");
    println!("  axum {axum:.0}, emulator {emulator:.0}, wiremock {wiremock:.0}");
    let ratio = emulator / axum;
    check(
        ratio >= OVER_AXUM,
        format!("{ratio:.2}× bare axum, at least {OVER_AXUM}"),
    );
    let ratio = emulator / wiremock;
    check(
        ratio >= OVER_WIREMOCK,
        format!("{ratio:.1}× wiremock, at least {OVER_WIREMOCK}"),
    );
    match throughput("prism").await {
        Ok(prism) => {
            let ratio = emulator / prism;
            println!("  prism {prism:.0}");
            check(
                ratio >= OVER_PRISM,
                format!("{ratio:.1}× Prism, at least {OVER_PRISM}"),
            );
        }
        Err(why) => println!("skip Prism: {why}"),
    }

    let bare = first_answer("axum").await?;
    let own = first_answer("emulator").await?;
    let ratio = own.as_secs_f64() / bare.as_secs_f64();
    println!("start to first answer: axum {bare:.1?}, emulator {own:.1?}");
    check(
        ratio <= START,
        format!("{ratio:.2}× bare axum's start, at most {START}"),
    );

    let process = Process::start("emulator").await?;
    let request = Request::reply();
    load::requests(process.address, &request, requests / 10).await?;
    let early = process.memory()?;
    load::requests(process.address, &request, requests - requests / 10).await?;
    let late = process.memory()?;
    let growth = late as f64 / early as f64;
    println!("memory: {early} kB after a tenth, {late} kB after {requests} requests");
    check(
        growth <= GROWTH,
        format!("{growth:.3}× over the last nine tenths, at most {GROWTH}"),
    );

    if failures.is_empty() {
        return Ok(());
    }
    Err(format!("not held: {}", failures.join("; ")))
}

async fn throughput(server: &str) -> Result<f64, String> {
    let process = Process::start(server).await?;
    let request = match server {
        "prism" => Request::at("/ai/generate-reply"),
        _ => Request::reply(),
    };
    load::during(process.address, &request, RUN / 4).await?;
    let first = load::during(process.address, &request, RUN).await?;
    let second = load::during(process.address, &request, RUN).await?;
    Ok(first.max(second))
}

/// The median of several starts, each with a process of its own.
async fn first_answer(server: &str) -> Result<Duration, String> {
    const STARTS: usize = 11;
    let mut took = Vec::new();
    for _ in 0..STARTS {
        took.push(Process::start(server).await?.first_answer);
    }
    took.sort();
    Ok(took[STARTS / 2])
}

//! Several processes on one token: together they send five a minute, and none of them is refused.
//!
//!     cargo run -p famulor-examples --example shared_quota -- --emulator
//!
//! It starts a Redis (or Valkey) of its own, or takes yours: `--store redis://…`, `postgres://…` or a path, which is a
//! SQLite file. Without `--emulator` it goes to your account (FAMULOR_API_KEY, FAMULOR_ASSISTANT_ID), takes two minutes,
//! and 12 messages are billed.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use famulor_core::{AssistantId, Client, CustomerId, Limit, Quota};
use famulor_examples::{Failure, Stage, Whereto, report};
use famulor_quota::open_store;
use famulor_test_stores::{Durability, RedisServer};
use tokio::process::Command;

const WORKERS: u32 = 3;
const MESSAGES: u32 = 4;

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    whereto: Whereto,
    /// Where the quota is kept: redis://…, postgres://…, or a path. Default: a Redis of its own.
    #[arg(long)]
    store: Option<String>,
    /// Be one of the processes, of this number.
    #[arg(long, hide = true)]
    worker: Option<u32>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    report(match (arguments.worker, &arguments.store) {
        (Some(number), Some(store)) => work(number, store).await,
        _ => lead(arguments).await,
    })
}

/// One of the processes: what your program does. Everything shared is behind `with_quota`.
async fn work(number: u32, store: &str) -> Result<(), Failure> {
    let mut builder = Client::builder()
        .with_api_key(std::env::var("FAMULOR_API_KEY")?)
        .with_base_url(&std::env::var("FAMULOR_BASE_URL")?)
        .with_deadline(Duration::from_secs(300))
        .with_quota(Quota::with_store(open_store(store).await?));
    if let Ok(limit) = std::env::var("FAMULOR_RATE_LIMIT") {
        builder = builder.with_rate_limit(limit.parse::<Limit>()?);
    }
    let client = builder.build()?;
    let assistant: AssistantId = std::env::var("FAMULOR_ASSISTANT_ID")?.parse()?;
    let customer = CustomerId::raw(format!("shared-{number}"))?;
    let began = Instant::now();
    for message in 1..=MESSAGES {
        let text = format!("Question {message} of process {number}");
        client
            .reply(assistant, customer.clone(), text)
            .send()
            .await?;
        println!(
            "process {number}: answer {message} after {:.1} s",
            began.elapsed().as_secs_f64()
        );
    }
    println!(
        "process {number}: refused {} times",
        client.usage().rate_limited
    );
    Ok(())
}

/// Starts the processes and waits for them.
async fn lead(arguments: Arguments) -> Result<(), Failure> {
    let stage = arguments.whereto.stage().await?;
    // Ends with us.
    let mut redis = None;
    let store = match arguments.store {
        Some(store) => store,
        None => {
            redis = RedisServer::start(Durability::Fast);
            let Some(redis) = &redis else {
                // That it is missing, and how to get it, has been said.
                eprintln!(
                    "nothing was sent; without Redis try `--store quota.db`, a file that processes of one machine share"
                );
                return Ok(());
            };
            redis.place()
        }
    };
    let client = stage.client()?;
    let mut workers = Vec::new();
    for number in 1..=WORKERS {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["--store", &store, "--worker", &number.to_string()])
            .env("FAMULOR_BASE_URL", client.base_url())
            .env("FAMULOR_ASSISTANT_ID", stage.assistant().to_string())
            .kill_on_drop(true);
        if stage.emulator().is_some() {
            command.env("FAMULOR_API_KEY", "any-key-will-do");
            command.env("FAMULOR_RATE_LIMIT", Stage::EMULATED_LIMIT);
        }
        workers.push(command.spawn()?);
    }
    for mut worker in workers {
        if !worker.wait().await?.success() {
            return Err("one of the processes failed: it says why above".into());
        }
    }
    if let Some(emulator) = stage.emulator() {
        let stats = emulator.stats();
        println!(
            "{} messages of {WORKERS} processes, {} refused",
            stats.billed_messages, stats.rate_limited
        );
    }
    drop(redis);
    Ok(())
}

//! Kills the command line while it sends a batch, and counts what that cost.
//!
//! The real `famulor`, a real store, and the emulator as a process of its own, which alone knows what arrived and what
//! was billed. Workers are killed with SIGKILL at named points and at random, while the server closes connections after
//! it has processed a call, stalls, and answers 500 to what it has done. At the end every message of the input is looked
//! for: in the store's own account, and in the conversations that the server has.
//!
//! ```no_run
//! # fn example() -> Result<(), String> {
//! use famulor_crash_test::{Plan, run};
//!
//! let outcome = run(&Plan::new("target/debug/famulor".into()))?;
//! println!("{outcome}");
//! assert_eq!((outcome.lost, outcome.billed_twice, outcome.out_of_order), (0, 0, 0));
//! # Ok(()) }
//! ```
//!
//! The program has to be built with debug assertions: no release has points to be killed at.
#![cfg(unix)]

mod books;
mod http;
mod outage;
mod points;
mod report;
mod server;
mod workers;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use server::Server;
use workers::Workers;

pub use outage::{Outage, run_through};
pub use report::{Absence, Exports, Outcome, QuotaUse};

/// What is done to whom.
#[derive(Clone, Debug)]
pub struct Plan {
    /// `famulor`, built with debug assertions.
    pub program: PathBuf,
    /// Where the messages are kept; `None`: an SQLite file of its own.
    pub store: Option<String>,
    /// How many messages are sent.
    pub messages: u64,
    /// To how many customers.
    pub customers: u64,
    /// How many workers are killed at least before they are let finish.
    pub kills: u64,
    /// Whether it goes on killing until at each named point somebody was.
    pub all_points: bool,
    /// How many of them there are at any time.
    pub workers: usize,
    /// How often a point is passed at most before a worker is killed at it. Under a limit it is passed seldom.
    pub passes: u32,
    /// How long the server takes for a call at least.
    pub latency: Duration,
    /// Decides what is killed where, and which calls the server fails.
    pub seed: u64,
    /// Whether workers write down what they are about to send. Without, the test has to find messages billed twice; when it
    /// has, after the kills, it ends there: what becomes of the rest is of no interest.
    pub intents: bool,
    /// Whether the server spoils some of the calls.
    pub faults: bool,
    /// The limit of replies on both sides, so many in so many seconds; `None`: no limit at all.
    pub limit: Option<(u32, u32)>,
    /// The longest that all of it may take.
    pub patience: Duration,
}

impl Plan {
    /// Two hundred kills among three workers, on SQLite.
    #[must_use]
    pub fn new(program: PathBuf) -> Self {
        Self {
            program,
            store: None,
            messages: 1500,
            customers: 150,
            kills: 200,
            all_points: true,
            workers: 3,
            passes: 12,
            latency: Duration::from_millis(40),
            seed: 1,
            intents: true,
            faults: true,
            limit: None,
            patience: Duration::from_secs(500),
        }
    }
}

/// The quiet time before "not there" is believed. More than the server needs for any call, at its slowest.
const DOUBT_WAIT: Duration = Duration::from_millis(1500);
/// How long a worker may be silent.
const LEASE: Duration = Duration::from_millis(1500);
/// How long a worker waits for an answer. The server stalls for longer.
const TIMEOUT: Duration = Duration::from_millis(1200);

/// Carries a plan out.
///
/// # Errors
/// When something does not start, or is not over in time; never because of what is counted.
pub fn run(plan: &Plan) -> Result<Outcome, String> {
    let folder = tempfile::tempdir().map_err(|error| format!("a folder: {error}"))?;
    let began = Instant::now();
    let server = Server::start(plan, folder.path())?;
    let mut workers = Workers::new(plan, folder.path(), &server)?;
    workers.kill_until_done(began + plan.patience)?;
    if !plan.intents {
        workers.kill_all()?;
        let mut found = books::billed_twice(plan, &server)?;
        if found.billed_twice > 0 {
            found.kills = workers.kills.clone();
            found.exports = workers.exports;
            found.took = began.elapsed();
            return Ok(found);
        }
    }
    workers.finish(began + plan.patience)?;
    close_the_books(plan, workers, &server, began)
}

/// Compares what the store says with what the server has.
fn close_the_books(
    plan: &Plan,
    mut workers: Workers<'_>,
    server: &Server,
    began: Instant,
) -> Result<Outcome, String> {
    let rows = workers.export()?;
    let mut outcome = books::compare(plan, &rows, server)?;
    outcome.kills = workers.kills.clone();
    outcome.exports = workers.exports;
    outcome.took = began.elapsed();
    let quota = plan
        .limit
        .map(|limit| server.quota_use(limit, workers.last_kill));
    outcome.quota = quota.transpose()?;
    Ok(outcome)
}

/// The text of a message: no two are alike.
fn text_of(line: u64) -> String {
    format!("message {line} of the batch")
}

/// Whose it is. One after the other, so that each customer has messages all over the input.
fn customer_of(plan: &Plan, line: u64) -> String {
    format!("customer-{}", line % plan.customers)
}

/// As the command line takes it.
fn limit_of(plan: &Plan) -> String {
    plan.limit.map_or_else(
        || "off".to_owned(),
        |(requests, seconds)| format!("{requests}/{seconds}s"),
    )
}

fn millis(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}

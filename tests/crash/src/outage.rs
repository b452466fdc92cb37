//! The store goes away in the middle of a batch, and comes back.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::report::Absence;
use crate::server::Server;
use crate::workers::Workers;
use crate::{Outcome, Plan, close_the_books};

/// How the store goes away.
pub struct Outage<'a> {
    /// For so long.
    pub lasts: Duration,
    /// Takes it away.
    pub away: &'a dyn Fn(),
    /// Brings it back; returns once it answers again.
    pub back: &'a dyn Fn(),
}

/// Runs a plan's workers, kills none of them, and takes the store away when a quarter of the messages has been sent.
///
/// Time passes for the workers as it does for us: processes know no other clock.
///
/// # Errors
/// As [`run`](crate::run); also when the store was not away while there was something to send.
pub fn run_through(plan: &Plan, outage: &Outage<'_>) -> Result<Outcome, String> {
    let folder = tempfile::tempdir().map_err(|error| format!("a folder: {error}"))?;
    let began = Instant::now();
    let latest = began + plan.patience;
    let server = Server::start(plan, folder.path())?;
    let mut workers = Workers::new(plan, folder.path(), &server)?;
    workers.start_all()?;
    let quarter = plan.messages / 4;
    wait_until(&server, latest, "the first quarter", |billed| {
        billed >= quarter
    })?;

    let billed_before = billed(&server)?;
    let gone = Instant::now();
    (outage.away)();
    sleep(outage.lasts.saturating_sub(gone.elapsed()));
    let billed_then = billed(&server)?;
    let lasted = gone.elapsed();
    (outage.back)();
    let returned = Instant::now();
    if billed_then >= plan.messages {
        return Err("all messages were sent before the store went away: give it more".to_owned());
    }
    wait_until(&server, latest, "the store's return", |billed| {
        billed > billed_then
    })?;
    let absence = Absence {
        lasted,
        billed_before,
        billed_during: billed_then - billed_before,
        resumed_after: returned.elapsed(),
    };

    workers.wait_for_end(latest)?;
    let mut outcome = close_the_books(plan, workers, &server, began)?;
    outcome.outage = Some(absence);
    Ok(outcome)
}

fn billed(server: &Server) -> Result<u64, String> {
    let stats = server.stats()?;
    Ok(stats["billed_messages"].as_u64().unwrap_or_default())
}

fn wait_until(
    server: &Server,
    latest: Instant,
    what: &str,
    is_so: impl Fn(u64) -> bool,
) -> Result<(), String> {
    loop {
        let billed = billed(server)?;
        if is_so(billed) {
            return Ok(());
        }
        if Instant::now() >= latest {
            return Err(format!("{what}: nothing after {billed} messages"));
        }
        sleep(Duration::from_millis(10));
    }
}

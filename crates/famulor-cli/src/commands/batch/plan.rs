//! `famulor batch run --dry-run`: what would be sent, and how long that takes.

use famulor_outbox::Filter;
use serde::Serialize;

use super::forecast::{Pace, until};

use super::store::{Store, StoreArgs};
use crate::failure::Failure;
use crate::run::Run;
use crate::visible::visible_line;

#[derive(Serialize)]
struct Plan {
    job: String,
    /// Lines that can be sent.
    messages: u64,
    /// Lines that cannot.
    invalid: u64,
    /// Those of an earlier run that nothing more happens to.
    settled: u64,
    /// Those that would be sent, or looked for.
    to_send: u64,
    /// When the last of them can go, with nothing else using the limit. `null`: there is no limit.
    seconds: Option<u64>,
}

pub(super) async fn show(
    run: &Run,
    store: &StoreArgs,
    job: String,
    messages: u64,
    invalid: u64,
) -> Result<(), Failure> {
    let mut settled = 0;
    if Store::is_there(store, run)? {
        let store = Store::open(store, run).await?;
        if store.has(&job).await? {
            let (counts, _) = store.counts(&Filter::all().with_job(&job)).await?;
            // The bad lines of an earlier run are among its failed ones.
            settled = counts.settled().saturating_sub(invalid).min(messages);
        }
    }
    let pace = Pace::of(&run.settings);
    let to_send = messages - settled;
    let time = pace.time_for(to_send);
    let plan = Plan {
        job,
        messages,
        invalid,
        settled,
        to_send,
        seconds: time.map(|time| time.as_secs()),
    };
    run.output.object(&plan, |out| {
        writeln!(
            out,
            "job {}: {} to send",
            visible_line(&plan.job),
            super::messages(plan.to_send)
        )?;
        if plan.settled > 0 {
            writeln!(out, "settled already: {}", plan.settled)?;
        }
        if plan.invalid > 0 {
            writeln!(
                out,
                "bad lines, which would be rows of state failed: {}",
                plan.invalid
            )?;
        }
        match (pace.describe(), time) {
            (Some(limit), Some(time)) if !time.is_zero() => {
                writeln!(out, "at {limit} the last one goes: {}", until(time))
            }
            (Some(limit), _) => writeln!(out, "at {limit} all of them can go at once"),
            (None, _) => writeln!(out, "no limit holds them back on this side"),
        }?;
        writeln!(out, "nothing was sent")
    })
}

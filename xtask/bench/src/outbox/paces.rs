//! Messages a second, from the store to the emulator and back.

use std::time::{Duration, Instant};

use famulor_outbox::{EndReason, Outbox};
use tokio_util::sync::CancellationToken;

use super::{client, emulator, message, runtime, yardstick};
use crate::size::Size;
use crate::turns::{Compared, Turn};

const CUSTOMERS: u64 = 200;
const CALLS: usize = 64;

/// Messages a second, and what half as many bare commits would be: an intent and an outcome are two commits a message.
pub(super) fn measure(location: &str, size: Size) -> Result<Compared, String> {
    let (rounds, messages) = size.pick((5, 2_000), (3, 2_000), (1, 200));
    let time = Duration::from_millis(size.pick(2_000, 1_000, 100));
    runtime()?.block_on(async {
        let mut turns = Vec::new();
        for _ in 0..rounds {
            turns.push(Turn {
                yardstick: yardstick::commits(location, time).await? / 2.0,
                ours: round(location, messages).await?,
            });
        }
        Ok(Compared::of(&turns))
    })
}

/// What the customers' first looks cost is in it; putting the messages in is not.
async fn round(location: &str, all: u64) -> Result<f64, String> {
    let emulator = emulator().await?;
    let outbox = Outbox::open(location).await.map_err(|e| e.to_string())?;
    let job = format!("round-{}", fastrand::u64(..));
    let messages = (0..all)
        .map(|number| Ok(message(number % CUSTOMERS, number)?.with_job(&job)))
        .collect::<Result<Vec<_>, String>>()?;
    outbox
        .enqueue_all(messages)
        .await
        .map_err(|e| e.to_string())?;
    let worker = outbox
        .worker()
        .with_account("default", client(&emulator)?)
        .with_job(&job)
        .with_concurrency(CALLS);
    let began = Instant::now();
    let end = worker
        .drain(CancellationToken::new())
        .await
        .map_err(|e| e.to_string())?;
    let took = began.elapsed();
    let billed = emulator.stats().billed_messages;
    if (end.reason, end.settled, billed) != (EndReason::Finished, all, all) {
        return Err(format!("{all} messages, {billed} billed, {end:?}"));
    }
    Ok(all as f64 / took.as_secs_f64())
}

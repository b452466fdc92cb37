//! Messages a second, from the store to the emulator and back.

use std::time::Instant;

use famulor_outbox::{EndReason, Outbox};
use tokio_util::sync::CancellationToken;

use super::{Rounds, client, emulator, message, runtime, yardstick};

const ROUNDS: usize = 5;
const MESSAGES: u64 = 2_000;
const CUSTOMERS: u64 = 200;
const CALLS: usize = 64;

pub(super) fn measure(location: &str) -> Result<Rounds, String> {
    runtime()?.block_on(async {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            // An intent and an outcome: two commits a message.
            let bare = yardstick::commits(location).await? / 2.0;
            rounds.push((bare, round(location).await?));
        }
        Ok(rounds)
    })
}

/// What the customers' first looks cost is in it; putting the messages in is not.
async fn round(location: &str) -> Result<f64, String> {
    let emulator = emulator().await?;
    let outbox = Outbox::open(location).await.map_err(|e| e.to_string())?;
    let job = format!("round-{}", fastrand::u64(..));
    let messages = (0..MESSAGES)
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
    if (end.reason, end.settled, billed) != (EndReason::Finished, MESSAGES, MESSAGES) {
        return Err(format!("{MESSAGES} messages, {billed} billed, {end:?}"));
    }
    Ok(MESSAGES as f64 / took.as_secs_f64())
}

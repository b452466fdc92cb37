//! One message: sent, answered, written down.

use std::time::Duration;

use famulor_core::{Client, Delivery, ErrorKind, Reply, ReplySlot, Result};
use tokio::time::{sleep, timeout};

use super::Checkpoint;
use super::shared::{Account, Shared};
use crate::row::RowError;
use crate::store::{Claimed, NextPosition, Outcome, Settle};

/// An answer that takes longer than this finds the checkpoint `sent` reached.
const ON_ITS_WAY: Duration = Duration::from_millis(20);

/// Sends a claimed message and writes down what came of it.
pub(super) async fn send(shared: &Shared, account: &Account, row: Claimed, slot: ReplySlot) {
    let checkpoint = shared.settings.checkpoint;
    let result = attempt(&account.client, &row, slot, checkpoint).await;
    checkpoint.reached("answered");
    let outcome = outcome(account, &row, result);
    let settle = Settle {
        id: row.id,
        attempt: row.attempt,
        outcome,
        checkpoint,
    };
    // However long it takes: an answer that is not written down was paid for in vain.
    let settled = shared.store.write_patiently(settle).await;
    shared.sending().remove(&row.id);
    match settled {
        Ok(state) => shared.came_to(state),
        Err(error) => shared.fail(error),
    }
}

async fn attempt(
    client: &Client,
    row: &Claimed,
    slot: ReplySlot,
    checkpoint: Checkpoint,
) -> Result<Reply> {
    let request = client
        .reply(row.assistant, row.customer.clone(), row.text.as_str())
        .set_variables(row.variables.clone());
    let mut sending = Box::pin(request.send_in(slot));
    if checkpoint.is_set() {
        match timeout(ON_ITS_WAY, &mut sending).await {
            Ok(result) => return result,
            Err(_) => checkpoint.reached("sent"),
        }
    }
    sending.await
}

fn outcome(account: &Account, row: &Claimed, result: Result<Reply>) -> Outcome {
    let error = match result {
        Ok(reply) => {
            account.pace.answered();
            return answered(row, &reply);
        }
        Err(error) => error,
    };
    let kept = RowError::of(&error);
    match error.delivery() {
        Delivery::NotSent => {
            match (error.kind(), error.attempts()) {
                (ErrorKind::InvalidRequest, _) => return Outcome::Failed(kept),
                // The slot had grown old, which says nothing of the server.
                (ErrorKind::RateLimited, 0) => return Outcome::Again(None),
                _ => account.pace.failed(),
            }
            Outcome::Again(Some(kept))
        }
        Delivery::Refused if error.kind() == ErrorKind::RateLimited => {
            account.pace.answered();
            // Where there are no limits the account waits here; else its quota is frozen, for everybody who shares it.
            if error.retry_after().is_some() {
                account.pace.pause(error.retry_after().unwrap_or_default());
            }
            Outcome::Again(Some(kept))
        }
        Delivery::Refused => {
            account.pace.answered();
            Outcome::Failed(kept)
        }
        delivery => Outcome::Unknown {
            error: kept,
            processed: delivery == Delivery::Processed,
        },
    }
}

fn answered(row: &Claimed, reply: &Reply) -> Outcome {
    let position = row.position.as_ref();
    let position = position.and_then(|position| position.behind(&row.text, reply));
    let position = position.and_then(|position| serde_json::to_string(&position).ok());
    answer(
        reply,
        position.map_or(NextPosition::Unknown, NextPosition::Known),
    )
}

/// What a reply comes to, sent or read back.
pub(super) fn answer(reply: &Reply, position: NextPosition) -> Outcome {
    Outcome::Answered {
        reply: reply.text().map(str::to_owned),
        conversation: reply.conversation_id().as_str().to_owned(),
        function_calls: reply.function_calls().to_vec(),
        ai_disabled: reply.ai_disabled(),
        position,
    }
}

/// Sleeps a little longer each time.
pub(super) async fn back_off(shared: &Shared, failures: u32) {
    let most = Duration::from_millis(250)
        .saturating_mul(1 << failures.min(7))
        .min(Duration::from_secs(30));
    tokio::select! {
        () = shared.halt.cancelled() => {}
        () = sleep(most.mul_f64(0.5 + fastrand::f64() / 2.0)) => {}
    }
}

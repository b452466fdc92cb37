//! How an attempt ended.

use famulor_core::{FunctionCall, OnUnknown};

use super::Step;
use super::enqueue::policy;
use crate::row::RowError;
use crate::sql::{Failure, Transaction, values};
use crate::worker::Checkpoint;
use crate::{RowId, State};

/// Writes down how an attempt ended, and lets its customer go on.
pub(crate) struct Settle {
    pub(crate) id: RowId,
    pub(crate) attempt: i64,
    pub(crate) outcome: Outcome,
    pub(crate) checkpoint: Checkpoint,
}

/// How an attempt ended.
#[derive(Clone)]
pub(crate) enum Outcome {
    Answered {
        reply: Option<String>,
        conversation: String,
        function_calls: Vec<FunctionCall>,
        ai_disabled: bool,
        position: NextPosition,
    },
    /// Refused for good.
    Failed(RowError),
    /// It is known not to have arrived: it waits for another turn, at the head of its customer's queue.
    Again(Option<RowError>),
    /// It was sent and no trustworthy answer came; with `processed` it is known to have arrived. What follows is for the
    /// row's policy to say.
    Unknown { error: RowError, processed: bool },
    /// A person has to decide.
    Review { reason: String },
}

/// Where the customer's conversation stands afterwards.
#[derive(Clone)]
pub(crate) enum NextPosition {
    Known(String),
    Unknown,
}

impl Step for Settle {
    /// The state it came to; `None` if somebody else has settled it before.
    type Output = Option<State>;

    fn checkpoint(&self, committed: bool) {
        if committed {
            self.checkpoint.reached("settled");
        }
    }

    async fn run(&self, tx: &mut Transaction<'_>) -> Result<Option<State>, Failure> {
        settle(tx, self.id, Some(self.attempt), &self.outcome).await
    }
}

/// What is known of a row that is in flight or in doubt.
struct Held {
    job: i64,
    account: i64,
    customer: i64,
    line: i64,
    state: State,
    on_unknown: OnUnknown,
    /// Whether its customer waits for it: not once it is left in doubt for good.
    holds: bool,
}

/// Settles a row that is in flight or in doubt, if it is still at this attempt.
pub(super) async fn settle(
    tx: &mut Transaction<'_>,
    id: RowId,
    attempt: Option<i64>,
    outcome: &Outcome,
) -> Result<Option<State>, Failure> {
    let Some(row) = held(tx, id, attempt).await? else {
        return Ok(None);
    };
    let (state, reason) = match (outcome, row.on_unknown) {
        (Outcome::Answered { .. }, _) => (State::Done, None),
        (Outcome::Failed(_), _) => (State::Failed, None),
        (Outcome::Again(_), _) => (State::Queued, None),
        (Outcome::Review { reason }, _) => (State::NeedsReview, Some(reason.as_str())),
        (
            Outcome::Unknown {
                processed: false, ..
            },
            OnUnknown::Resend,
        ) => (State::Queued, None),
        (Outcome::Unknown { .. }, _) => (State::InDoubt, None),
    };
    let read_back = state == State::InDoubt && row.on_unknown != OnUnknown::Fail;
    write(tx, id, &row, state, reason, outcome).await?;
    tx.moved(row.job, row.account, row.state, state);
    if row.holds {
        release(tx, id, &row, outcome, read_back).await?;
    }
    if state == State::Queued {
        queue(tx, row.line, id).await?;
    }
    tx.tell();
    Ok(Some(state))
}

async fn held(
    tx: &mut Transaction<'_>,
    id: RowId,
    attempt: Option<i64>,
) -> Result<Option<Held>, Failure> {
    let find =
        "SELECT l.customer FROM famulor_outbox_row r JOIN famulor_outbox_line l ON l.id = r.line
        WHERE r.id = $1 AND r.state IN (1, 2)";
    let Some(customer) = tx.sql.number(find, values![id.0]).await? else {
        return Ok(None);
    };
    lock_customer(tx, customer).await?;
    let lock = if tx.sql.is_postgres() {
        "FOR UPDATE OF r"
    } else {
        ""
    };
    let find = format!(
        "SELECT r.job, l.account, r.line, r.state, r.on_unknown, r.attempts,
            CASE WHEN r.state = 1 OR d.id IS NOT NULL THEN 1 ELSE 0 END
        FROM famulor_outbox_row r JOIN famulor_outbox_line l ON l.id = r.line
        LEFT JOIN famulor_outbox_doubt d ON d.id = r.id
        WHERE r.id = $1 AND r.state IN (1, 2) {lock}"
    );
    let Some(row) = tx.sql.row(find, values![id.0]).await? else {
        return Ok(None);
    };
    if attempt.is_some_and(|attempt| row.int(5).is_ok_and(|at| at != attempt)) {
        return Ok(None);
    }
    Ok(Some(Held {
        job: row.int(0)?,
        account: row.int(1)?,
        customer,
        line: row.int(2)?,
        state: State::from_number(row.int(3)?)?,
        on_unknown: policy(row.int(4)?),
        holds: row.int(6)? == 1,
    }))
}

/// Takes the customer's row: whoever changes its lines has it.
pub(super) async fn lock_customer(tx: &mut Transaction<'_>, customer: i64) -> Result<(), Failure> {
    if tx.sql.is_postgres() {
        let lock = "SELECT id FROM famulor_outbox_customer WHERE id = $1 FOR UPDATE";
        tx.sql.rows(lock, values![customer]).await?;
    }
    Ok(())
}

async fn write(
    tx: &mut Transaction<'_>,
    id: RowId,
    row: &Held,
    state: State,
    reason: Option<&str>,
    outcome: &Outcome,
) -> Result<(), Failure> {
    let is_final =
        state.is_final() || (state == State::InDoubt && row.on_unknown == OnUnknown::Fail);
    let settled = match is_final {
        true => Some(tx.settle_numbers(1).await?),
        false => None,
    };
    if let Outcome::Answered {
        reply,
        conversation,
        function_calls,
        ai_disabled,
        ..
    } = outcome
    {
        let calls = (!function_calls.is_empty()).then(|| serde_json::to_string(function_calls));
        let calls = calls.transpose().unwrap_or_default();
        let sql =
            "UPDATE famulor_outbox_row SET state = 3, owner = NULL, changed = $2, settled = $3,
            reply = $4, conversation = $5, function_calls = $6, ai_disabled = $7, error = NULL,
            reason = NULL WHERE id = $1";
        let values = values![
            id.0,
            tx.now,
            settled,
            reply.clone(),
            conversation.as_str(),
            calls,
            i64::from(*ai_disabled),
        ];
        tx.sql.execute(sql, values).await?;
        return Ok(());
    }
    let error = match outcome {
        Outcome::Failed(error) | Outcome::Unknown { error, .. } => Some(error.to_text()),
        Outcome::Again(error) => error.as_ref().map(RowError::to_text),
        // What it was in doubt for stays.
        _ => None,
    };
    let sql = "UPDATE famulor_outbox_row SET state = $2, owner = NULL, changed = $3, settled = $4,
        error = coalesce($5, error), reason = $6 WHERE id = $1";
    let reason = reason.map(str::to_owned);
    let values = values![id.0, state.number(), tx.now, settled, error, reason];
    tx.sql.execute(sql, values).await?;
    Ok(())
}

/// Lets the customer's next message go, or has the row read back first.
async fn release(
    tx: &mut Transaction<'_>,
    id: RowId,
    row: &Held,
    outcome: &Outcome,
    read_back: bool,
) -> Result<(), Failure> {
    if read_back {
        let processed = matches!(
            outcome,
            Outcome::Unknown {
                processed: true,
                ..
            }
        );
        let arrived = processed.then_some(tx.now);
        let doubt = "INSERT INTO famulor_outbox_doubt (id, job, account, since, arrived, looks, empty_looks,
            next_look) VALUES ($1, $2, $3, $4, $5, 0, 0, $4) ON CONFLICT (id) DO NOTHING";
        let values = values![id.0, row.job, row.account, tx.now, arrived];
        tx.sql.execute(doubt, values).await?;
        return Ok(());
    }
    if row.state == State::InDoubt {
        let over = "DELETE FROM famulor_outbox_doubt WHERE id = $1";
        tx.sql.execute(over, values![id.0]).await?;
    }
    // Known not to have arrived, the conversation stands where it stood.
    let position = match outcome {
        Outcome::Answered { position, .. } => Some(position.clone()),
        Outcome::Failed(_) | Outcome::Again(_) => None,
        Outcome::Unknown { .. } | Outcome::Review { .. } => Some(NextPosition::Unknown),
    };
    let mut gate = 2;
    if let Some(position) = position {
        let (text, known) = match position {
            NextPosition::Known(text) => (Some(text), true),
            NextPosition::Unknown => (None, false),
        };
        gate = if known { 2 } else { 1 };
        let sql = "UPDATE famulor_outbox_customer SET position = $2 WHERE id = $1";
        tx.sql.execute(sql, values![row.customer, text]).await?;
    }
    let open = "UPDATE famulor_outbox_line SET gate = $2 WHERE customer = $1";
    tx.sql.execute(open, values![row.customer, gate]).await?;
    Ok(())
}

/// Puts a row into its line's queue, in its old place.
pub(super) async fn queue(tx: &mut Transaction<'_>, line: i64, id: RowId) -> Result<(), Failure> {
    let wait = "INSERT INTO famulor_outbox_waiting (line, id) VALUES ($1, $2)";
    tx.sql.execute(wait, values![line, id.0]).await?;
    let head = "UPDATE famulor_outbox_line SET next = CASE WHEN next < $2 THEN next ELSE $2 END
        WHERE id = $1";
    tx.sql.execute(head, values![line, id.0]).await.map(drop)
}

//! Taking messages to be sent.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use famulor_core::{AssistantId, CustomerId, Position};
use serde_json::Map;

use super::Step;
use super::owners::is_registered;
use crate::sql::{Failure, Transaction, Value, list, values};
use crate::worker::Checkpoint;
use crate::{RowId, State};

/// Takes the oldest messages of the least recently served customers who have nothing in flight, and writes down that they
/// are about to be sent.
pub(crate) struct Claim {
    pub(crate) owner: i64,
    pub(crate) account: i64,
    pub(crate) job: Option<i64>,
    pub(crate) most: usize,
    pub(crate) checkpoint: Checkpoint,
    /// Whether it found any.
    pub(crate) found: AtomicBool,
}

/// A message that is ours to send, once.
pub(crate) struct Claimed {
    pub(crate) id: RowId,
    pub(crate) job: i64,
    pub(crate) attempt: i64,
    pub(crate) assistant: AssistantId,
    pub(crate) customer: CustomerId,
    /// Where the conversation stands before it: the watermark.
    pub(crate) position: Option<Position>,
    pub(crate) text: String,
    pub(crate) variables: Map<String, serde_json::Value>,
    customer_number: i64,
    line: i64,
}

impl Step for Claim {
    type Output = Vec<Claimed>;
    const REPEATABLE: bool = false;

    fn checkpoint(&self, committed: bool) {
        if self.found.load(Ordering::Relaxed) {
            self.checkpoint.reached(match committed {
                false => "claiming",
                true => "claimed",
            });
        }
    }

    async fn run(&self, tx: &mut Transaction<'_>) -> Result<Vec<Claimed>, Failure> {
        // Only who is known to be alive may take anything: a lease that ended has given everything away.
        if !is_registered(tx, self.owner).await? {
            return Ok(Vec::new());
        }
        let found = self.find(tx).await?;
        self.found.store(!found.is_empty(), Ordering::Relaxed);
        if found.is_empty() {
            return Ok(found);
        }
        let count = found.len();
        let rows: Vec<_> = found.iter().map(|row| row.id.0.into()).collect();
        let mut values = values![self.owner, tx.now];
        values.extend(rows);
        let intend = format!(
            "UPDATE famulor_outbox_row SET state = 1, owner = $1, changed = $2,
                attempts = attempts + 1 WHERE id IN ({})",
            list(3, count)
        );
        tx.sql.execute(intend, values).await?;
        let mut queued: Vec<Value> = found.iter().map(|row| row.line.into()).collect();
        queued.extend(found.iter().map(|row| Value::from(row.id.0)));
        tx.sql.execute(unqueue_sql(count), queued).await?;
        let mut values = values![tx.now];
        values.extend(found.iter().map(|row| row.customer_number.into()));
        let hold = hold_sql(count);
        tx.sql.execute(hold, values).await?;
        for row in &found {
            tx.moved(row.job, self.account, State::Queued, State::Sending);
            tx.attempted(row.job, self.account, 1);
        }
        Ok(found)
    }
}

/// The customers whose turn it is, and their oldest messages. `$1` is the account, `$2` how many, `$3` the job.
pub(super) fn turn_sql(of_job: bool, postgres: bool) -> String {
    let job = if of_job { "l.job = $3 AND " } else { "" };
    // The customer is locked too: another of its lines must not be taken at the same time.
    let lock = match postgres {
        true => "FOR UPDATE OF l, c SKIP LOCKED",
        false => "",
    };
    format!(
        "SELECT l.customer, r.id, r.job, r.attempts, c.assistant, c.customer, c.position, r.text, r.variables, l.id
        FROM famulor_outbox_line l JOIN famulor_outbox_customer c ON c.id = l.customer
        JOIN famulor_outbox_row r ON r.id = l.next
        WHERE {job}l.account = $1 AND l.gate = 2 AND l.next IS NOT NULL ORDER BY l.served LIMIT $2 {lock}"
    )
}

/// Takes rows out of their lines' queues: first the lines, then the rows, of which each is in one line alone. As pairs,
/// SQLite would look through all that a line has.
pub(super) fn unqueue_sql(rows: usize) -> String {
    format!(
        "DELETE FROM famulor_outbox_waiting WHERE line IN ({}) AND id IN ({})",
        list(1, rows),
        list(1 + rows, rows)
    )
}

/// Holds customers, and finds what is next for them.
pub(super) fn hold_sql(customers: usize) -> String {
    format!(
        "UPDATE famulor_outbox_line SET gate = 0, served = $1, next = (
            SELECT min(w.id) FROM famulor_outbox_waiting w WHERE w.line = famulor_outbox_line.id)
        WHERE customer IN ({})",
        list(2, customers)
    )
}

impl Claim {
    async fn find(&self, tx: &mut Transaction<'_>) -> Result<Vec<Claimed>, Failure> {
        let sql = turn_sql(self.job.is_some(), tx.sql.is_postgres());
        let most = i64::try_from(self.most).unwrap_or(i64::MAX);
        let mut values = values![self.account, most];
        values.extend(self.job.map(Into::into));
        let mut customers = HashSet::new();
        let mut found = Vec::new();
        for row in tx.sql.rows(sql, values).await? {
            let customer_number = row.int(0)?;
            // Of a customer with messages in several jobs, one.
            if !customers.insert(customer_number) {
                continue;
            }
            let customer = CustomerId::raw(row.text(5)?)
                .map_err(|_| Failure::damaged("a row has no customer"))?;
            let position = row.maybe_text(6)?;
            let variables = row.maybe_text(8)?;
            found.push(Claimed {
                id: RowId(row.int(1)?),
                job: row.int(2)?,
                attempt: row.int(3)? + 1,
                assistant: AssistantId::new(row.int(4)?),
                customer,
                position: position.and_then(|text| serde_json::from_str(&text).ok()),
                text: row.text(7)?,
                variables: variables
                    .and_then(|text| serde_json::from_str(&text).ok())
                    .unwrap_or_default(),
                customer_number,
                line: row.int(9)?,
            });
        }
        Ok(found)
    }
}

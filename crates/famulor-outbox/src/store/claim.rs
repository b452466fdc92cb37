//! Taking messages to be sent.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use famulor_core::{AssistantId, CustomerId, Position};
use famulor_quota::store::VisitError;
use famulor_quota::{AccountKey, Ask, SharedDatabase, StoreError, Taken};
use serde_json::Map;

use super::Step;
use super::owners::is_registered;
use crate::sql::{Failure, Transaction, Value, list, values};
use crate::worker::Checkpoint;
use crate::{RowId, State};

/// Takes the oldest messages of the least recently served customers who have nothing in flight, and writes down that they
/// are about to be sent; and, where the quota is kept in the same database, takes the slots that they are sent in, so that a
/// crash leaves both or neither.
///
/// The ledger is locked first and the messages then, without waiting for those that others have: see [`Step::ledger`].
pub(crate) struct Claim {
    pub(crate) owner: i64,
    pub(crate) account: i64,
    pub(crate) job: Option<i64>,
    pub(crate) most: usize,
    pub(crate) checkpoint: Checkpoint,
    /// Where to take slots for them in the same transaction, and what to ask for.
    pub(crate) quota: Option<(SharedDatabase, Ask)>,
    /// Whether it found any.
    pub(crate) found: AtomicBool,
}

/// What came of a claim.
pub(crate) enum Taking {
    /// These messages, perhaps none, and a slot of the quota for each if slots were to be taken.
    Took(Vec<Claimed>, Option<Box<Taken>>),
    /// The quota has no slot, and none before so long.
    NoSlot(Duration),
    /// The quota cannot be used.
    NoQuota(StoreError),
    /// The quota is not kept in this database.
    Elsewhere,
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
    type Output = Taking;
    const REPEATABLE: bool = false;

    fn ledger(&self) -> Option<AccountKey> {
        self.quota.as_ref().map(|(_, ask)| ask.account)
    }

    fn checkpoint(&self, committed: bool) {
        if self.found.load(Ordering::Relaxed) {
            self.checkpoint.reached(match committed {
                false => "claiming",
                true => "claimed",
            });
        }
    }

    async fn run(&self, tx: &mut Transaction<'_>) -> Result<Taking, Failure> {
        self.found.store(false, Ordering::Relaxed);
        // Only who is known to be alive may take anything: a lease that ended has given everything away.
        if !is_registered(tx, self.owner).await? {
            return Ok(Taking::Took(Vec::new(), None));
        }
        let (mut most, mut visit) = (self.most, None);
        if let Some((database, ask)) = &self.quota {
            let visiting = database.visit(&mut tx.host(), ask.clone()).await;
            let ledger = match visiting {
                Ok(ledger) => ledger,
                Err(error) => return no_visit(error),
            };
            most = match ledger.free(most) {
                Ok(free) => free,
                Err(ready_in) => return Ok(Taking::NoSlot(ready_in)),
            };
            visit = Some(ledger);
        }
        let found = self.find(tx, most).await?;
        if found.is_empty() {
            return Ok(Taking::Took(found, None));
        }
        let count = found.len();
        // First of all that is written: should it fail, nothing else is.
        let slots = match visit {
            None => None,
            Some(visit) => match visit.take(&mut tx.host(), count).await {
                Ok(slots) => Some(Box::new(slots)),
                Err(error) => return no_visit(error),
            },
        };
        self.found.store(true, Ordering::Relaxed);
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
        Ok(Taking::Took(found, slots))
    }
}

/// The transaction fails if its connection does; else it goes on without a claim.
fn no_visit(error: VisitError<Failure>) -> Result<Taking, Failure> {
    match error {
        VisitError::Host(failure) => Err(failure),
        VisitError::Store(error) => Ok(Taking::NoQuota(error)),
        _ => Ok(Taking::Elsewhere),
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
    async fn find(&self, tx: &mut Transaction<'_>, most: usize) -> Result<Vec<Claimed>, Failure> {
        let sql = turn_sql(self.job.is_some(), tx.sql.is_postgres());
        let most = i64::try_from(most).unwrap_or(i64::MAX);
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

//! Putting messages in, one or many.

use std::collections::HashMap;

use super::Step;
use super::names;
use crate::sql::{Failure, Transaction, values};
use crate::{Enqueued, Error, ErrorKind, NewMessage, RowId, State};

/// Puts messages in, all of them or none.
pub(crate) struct Enqueue(pub(crate) Vec<NewMessage>);

/// The numbers of the policies in the store. Never change.
pub(super) fn policy_number(policy: famulor_core::OnUnknown) -> i64 {
    match policy {
        famulor_core::OnUnknown::Fail => 1,
        famulor_core::OnUnknown::Resend => 2,
        _ => 0,
    }
}

pub(super) fn policy(number: i64) -> famulor_core::OnUnknown {
    match number {
        1 => famulor_core::OnUnknown::Fail,
        2 => famulor_core::OnUnknown::Resend,
        _ => famulor_core::OnUnknown::Verify,
    }
}

impl Step for Enqueue {
    type Output = Vec<Enqueued>;
    const REPEATABLE: bool = false;

    async fn run(&self, tx: &mut Transaction<'_>) -> Result<Vec<Enqueued>, Failure> {
        // Sorted, so that nobody waits for one who waits for him.
        let mut jobs: Vec<&str> = self.0.iter().map(|message| message.job.as_str()).collect();
        jobs.sort_unstable();
        jobs.dedup();
        let mut numbers = HashMap::new();
        for name in jobs {
            let count = self.0.iter().filter(|message| message.job == name).count();
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            numbers.insert(name, reserve(tx, name, count).await?);
        }
        let before = self.known(tx, &numbers).await?;
        let mut outcome = Vec::with_capacity(self.0.len());
        // Keys of this very call count too.
        let mut keys: HashMap<(i64, &str), (RowId, &NewMessage)> = HashMap::new();
        let mut added = Vec::new();
        for (message, known) in self.0.iter().zip(before) {
            let (job, next) = numbers
                .get_mut(message.job.as_str())
                .ok_or_else(|| Failure::damaged("a job has no number"))?;
            if let Some(id) = known {
                outcome.push(Enqueued::Already(id));
                continue;
            }
            if let Some(key) = &message.key {
                match keys.get(&(*job, key.as_str())) {
                    Some((id, twin)) if same(twin, message) => {
                        outcome.push(Enqueued::Already(*id));
                        continue;
                    }
                    Some(_) => return Err(changed().into()),
                    None => {}
                }
            }
            let id = RowId::of(*job, *next)?;
            *next += 1;
            if let Some(key) = &message.key {
                keys.insert((*job, key), (id, message));
            }
            outcome.push(Enqueued::Added(id));
            added.push((id, *job, message));
        }
        add(tx, added).await?;
        Ok(outcome)
    }
}

impl Enqueue {
    /// Which of the messages are there already. Writes nothing.
    async fn known(
        &self,
        tx: &mut Transaction<'_>,
        numbers: &HashMap<&str, (i64, i64)>,
    ) -> Result<Vec<Option<RowId>>, Failure> {
        let mut known = Vec::with_capacity(self.0.len());
        for message in &self.0 {
            let job = numbers.get(message.job.as_str()).map_or(0, |(job, _)| *job);
            known.push(match &message.key {
                Some(key) => find(tx, job, key, message).await?,
                None => None,
            });
        }
        Ok(known)
    }
}

/// The job's number, and the first of `count` ordinals in it.
async fn reserve(tx: &mut Transaction<'_>, name: &str, count: i64) -> Result<(i64, i64), Failure> {
    let job = names::job(tx.sql, name).await?;
    let take = "UPDATE famulor_outbox_job SET last = last + $2 WHERE id = $1
        RETURNING last, CASE WHEN digest IS NULL THEN 0 ELSE 1 END";
    let row = tx.sql.row(take, values![job, count]).await?;
    let row = row.ok_or_else(|| Failure::damaged("a job is gone"))?;
    if row.int(1)? == 1 {
        return Err(Failure::Said(Error::new(
            ErrorKind::Invalid,
            "the job was imported from a file, which is a whole; put other messages into another job",
        )));
    }
    Ok((job, row.int(0)? - count + 1))
}

/// The row with the same key; an error if it holds another message.
async fn find(
    tx: &mut Transaction<'_>,
    job: i64,
    key: &str,
    message: &NewMessage,
) -> Result<Option<RowId>, Failure> {
    let same = "SELECT r.id, r.text, r.variables, c.assistant, c.customer, a.name, r.on_unknown
        FROM famulor_outbox_row r JOIN famulor_outbox_line l ON l.id = r.line
        JOIN famulor_outbox_customer c ON c.id = l.customer
        JOIN famulor_outbox_account a ON a.id = l.account
        WHERE r.job = $1 AND r.key = $2";
    let Some(row) = tx.sql.row(same, values![job, key]).await? else {
        return Ok(None);
    };
    let is_same = row.text(1)? == message.text
        && row.maybe_text(2)? == message.variables_text()
        && row.int(3)? == message.assistant.get()
        && row.text(4)? == message.customer.as_str()
        && row.text(5)? == message.account
        && row.int(6)? == policy_number(message.on_unknown);
    match is_same {
        true => Ok(Some(RowId(row.int(0)?))),
        false => Err(changed().into()),
    }
}

fn same(one: &NewMessage, other: &NewMessage) -> bool {
    one.text == other.text
        && one.variables == other.variables
        && one.assistant == other.assistant
        && one.customer == other.customer
        && one.account == other.account
        && one.on_unknown == other.on_unknown
}

fn changed() -> Error {
    Error::new(
        ErrorKind::ChangedInput,
        "another message was enqueued under the same key; choose another key, or leave the message as it was",
    )
}

async fn add(
    tx: &mut Transaction<'_>,
    added: Vec<(RowId, i64, &NewMessage)>,
) -> Result<(), Failure> {
    // Everybody takes a customer's row first, in the same order: a line that is new must not miss that the customer's
    // turn has come or gone.
    let mut customers: Vec<(&str, i64, &str)> = Vec::new();
    for (_, _, message) in &added {
        customers.push((
            &message.account,
            message.assistant.get(),
            message.customer.as_str(),
        ));
    }
    customers.sort_unstable();
    customers.dedup();
    let mut ids = HashMap::new();
    for (account, assistant, customer) in customers {
        let number = names::account(tx.sql, account).await?;
        let lock = "INSERT INTO famulor_outbox_customer (account, assistant, customer)
            VALUES ($1, $2, $3) ON CONFLICT (account, assistant, customer)
            DO UPDATE SET assistant = $2 RETURNING id";
        let id = tx.sql.number(lock, values![number, assistant, customer]);
        let id = id.await?.unwrap_or_default();
        ids.insert((account, assistant, customer), (number, id));
    }
    for (id, job, message) in added {
        let key = (
            message.account.as_str(),
            message.assistant.get(),
            message.customer.as_str(),
        );
        let (account, customer) = ids.get(&key).copied().unwrap_or_default();
        let line = line(tx, job, account, customer, id).await?;
        let insert =
            "INSERT INTO famulor_outbox_row (id, job, line, state, attempts, on_unknown, added,
            changed, input_line, key, caller_id, text, variables)
            VALUES ($1, $2, $3, 0, 0, $4, $5, $5, $6, $7, $8, $9, $10)";
        let values = values![
            id.0,
            job,
            line,
            policy_number(message.on_unknown),
            tx.now,
            message.line.and_then(|line| i64::try_from(line).ok()),
            message.key.clone(),
            message.caller_id.clone(),
            message.text.as_str(),
            message.variables_text(),
        ];
        tx.sql.execute(insert, values).await?;
        let wait = "INSERT INTO famulor_outbox_waiting (line, id) VALUES ($1, $2)";
        tx.sql.execute(wait, values![line, id.0]).await?;
        tx.count(job, account, State::Queued, 1);
        tx.tell();
    }
    Ok(())
}

/// What the customer has in the job, with one more message.
async fn line(
    tx: &mut Transaction<'_>,
    job: i64,
    account: i64,
    customer: i64,
    row: RowId,
) -> Result<i64, Failure> {
    // A customer's lines share gate and turn.
    let upsert = "INSERT INTO famulor_outbox_line (job, account, customer, next, gate, served)
        VALUES ($1, $2, $3, $4,
            coalesce((SELECT min(gate) FROM famulor_outbox_line WHERE customer = $3), 1),
            coalesce((SELECT max(served) FROM famulor_outbox_line WHERE customer = $3), 0))
        ON CONFLICT (customer, job) DO UPDATE SET next = coalesce(famulor_outbox_line.next, $4)
        RETURNING id";
    let values = values![job, account, customer, row.0];
    Ok(tx.sql.number(upsert, values).await?.unwrap_or_default())
}

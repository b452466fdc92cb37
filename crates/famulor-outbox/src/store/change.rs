//! What people ask for: once more, never, done after all, forget it.

use super::Step;
use super::read::conditions;
use super::settle::{lock_customer, queue};
use crate::filter::Filter;
use crate::sql::{Failure, Record, Transaction, values};
use crate::{Error, ErrorKind, Resolution, RowId, State};

/// Rows changed in one transaction: others want to write too.
const SOME: i64 = 500;

/// Failed and cancelled rows wait for another turn; others where the filter names their state.
pub(crate) struct Retry {
    pub(crate) filter: Filter,
    pub(crate) after: Option<RowId>,
}

/// Queued rows are taken back.
pub(crate) struct Cancel {
    pub(crate) filter: Filter,
    pub(crate) after: Option<RowId>,
}

/// How many rows were changed, and where to go on.
pub(crate) type Changed = (u64, Option<RowId>);

impl Step for Retry {
    type Output = Changed;

    async fn run(&self, tx: &mut Transaction<'_>) -> Result<Changed, Failure> {
        // What may have arrived is sent again only if somebody asks for exactly that.
        let mut states = vec![State::Failed, State::Cancelled];
        for open in [State::InDoubt, State::NeedsReview] {
            if self.filter.names(open) {
                states.push(open);
            }
        }
        change(tx, &self.filter, self.after, &states, State::Queued).await
    }
}

impl Step for Cancel {
    type Output = Changed;

    async fn run(&self, tx: &mut Transaction<'_>) -> Result<Changed, Failure> {
        change(
            tx,
            &self.filter,
            self.after,
            &[State::Queued],
            State::Cancelled,
        )
        .await
    }
}

async fn change(
    tx: &mut Transaction<'_>,
    filter: &Filter,
    after: Option<RowId>,
    from: &[State],
    to: State,
) -> Result<Changed, Failure> {
    let wanted = from
        .iter()
        .copied()
        .filter(|state| filter.states.is_none() || filter.names(*state));
    let filter = filter.clone().with_states(wanted);
    let Some(mut conditions) = conditions(tx.sql, &filter, after).await? else {
        return Ok((0, None));
    };
    conditions.values.push(SOME.into());
    // Neither lines that could never be sent, nor an input that is not whole yet.
    let select = format!(
        "SELECT r.id, l.customer, r.job, l.account, r.line FROM famulor_outbox_row r
        JOIN famulor_outbox_line l ON l.id = r.line
        JOIN famulor_outbox_customer c ON c.id = l.customer
        JOIN famulor_outbox_account a ON a.id = l.account
        JOIN famulor_outbox_job j ON j.id = r.job
        WHERE {} AND r.text <> '' AND j.importing IS NULL ORDER BY r.id LIMIT ${}",
        conditions.sql,
        conditions.values.len()
    );
    let mut rows = Vec::new();
    let found = tx.sql.rows(select, conditions.values).await?;
    let more = i64::try_from(found.len()).unwrap_or(0) == SOME;
    for record in &found {
        rows.push(Target::of(record)?);
    }
    let last = rows.last().map(|row| row.id).filter(|_| more);
    // In the order in which everybody takes customers.
    rows.sort_by_key(|row| (row.customer, row.id));
    let mut changed = 0;
    for row in rows {
        lock_customer(tx, row.customer).await?;
        let find = "SELECT state FROM famulor_outbox_row WHERE id = $1";
        let state = tx.sql.number(find, values![row.id.0]).await?;
        let Some(state) = state else { continue };
        let state = State::from_number(state)?;
        if from.contains(&state) {
            row.put(tx, state, to, None, None).await?;
            changed += 1;
        }
    }
    Ok((changed, last))
}

/// A row that nobody is sending.
struct Target {
    id: RowId,
    customer: i64,
    job: i64,
    account: i64,
    line: i64,
}

impl Target {
    fn of(record: &Record) -> Result<Self, Failure> {
        Ok(Self {
            id: RowId(record.int(0)?),
            customer: record.int(1)?,
            job: record.int(2)?,
            account: record.int(3)?,
            line: record.int(4)?,
        })
    }

    /// Puts it from one state into another, and its customer's queue in order.
    async fn put(
        &self,
        tx: &mut Transaction<'_>,
        from: State,
        to: State,
        reply: Option<(Option<String>, Option<String>)>,
        reason: Option<String>,
    ) -> Result<(), Failure> {
        let settled = match to.is_final() {
            true => Some(tx.settle_numbers(1).await?),
            false => None,
        };
        // A row that is sent again leaves what it was behind.
        let keep = i64::from(to.is_final() && to != State::Done);
        let (text, conversation) = reply.unwrap_or_default();
        let sql =
            "UPDATE famulor_outbox_row SET state = $2, owner = NULL, changed = $3, settled = $4,
            error = CASE WHEN $5 = 1 THEN error ELSE NULL END, reason = $6, reply = $7,
            conversation = coalesce($8, conversation) WHERE id = $1";
        let values = values![
            self.id.0,
            to.number(),
            tx.now,
            settled,
            keep,
            reason,
            text,
            conversation,
        ];
        tx.sql.execute(sql, values).await?;
        tx.moved(self.job, self.account, from, to);
        if from == State::InDoubt {
            let over = "DELETE FROM famulor_outbox_doubt WHERE id = $1";
            // It held its customer's other messages back, and where the conversation stands is not known.
            if tx.sql.execute(over, values![self.id.0]).await? > 0 {
                let sql = "UPDATE famulor_outbox_customer SET position = NULL WHERE id = $1";
                tx.sql.execute(sql, values![self.customer]).await?;
                let open = "UPDATE famulor_outbox_line SET gate = 1 WHERE customer = $1";
                tx.sql.execute(open, values![self.customer]).await?;
            }
        }
        if to == State::Queued {
            queue(tx, self.line, self.id).await?;
        } else if from == State::Queued {
            let leave = "DELETE FROM famulor_outbox_waiting WHERE line = $1 AND id = $2";
            tx.sql.execute(leave, values![self.line, self.id.0]).await?;
            let head = "UPDATE famulor_outbox_line SET next = (
                SELECT min(w.id) FROM famulor_outbox_waiting w WHERE w.line = famulor_outbox_line.id)
                WHERE id = $1";
            tx.sql.execute(head, values![self.line]).await?;
        }
        tx.tell();
        Ok(())
    }
}

/// A person decides about a row.
pub(crate) struct Resolve(pub(crate) RowId, pub(crate) Resolution);

impl Step for Resolve {
    type Output = ();
    const REPEATABLE: bool = false;

    async fn run(&self, tx: &mut Transaction<'_>) -> Result<(), Failure> {
        let find = "SELECT r.id, l.customer, r.job, l.account, r.line FROM famulor_outbox_row r
            JOIN famulor_outbox_line l ON l.id = r.line WHERE r.id = $1";
        let Some(found) = tx.sql.row(find, values![self.0.0]).await? else {
            return Err(Error::new(ErrorKind::NotFound, "there is no such row").into());
        };
        let target = Target::of(&found)?;
        lock_customer(tx, target.customer).await?;
        let state = "SELECT state FROM famulor_outbox_row WHERE id = $1";
        let state = tx.sql.number(state, values![self.0.0]).await?;
        let state = State::from_number(state.unwrap_or_default())?;
        if !matches!(state, State::NeedsReview | State::InDoubt) {
            return Err(Failure::Said(Error::new(
                ErrorKind::Invalid,
                format!(
                    "the row is {state}; only rows in review or in doubt are for a person to decide"
                ),
            )));
        }
        match &self.1 {
            Resolution::Done {
                reply,
                conversation_id,
            } => {
                let reply = (reply.clone(), conversation_id.clone());
                target.put(tx, state, State::Done, Some(reply), None).await
            }
            Resolution::SendAgain => target.put(tx, state, State::Queued, None, None).await,
            Resolution::GiveUp => {
                let reason = Some("given up by a person".to_owned());
                target.put(tx, state, State::Failed, None, reason).await
            }
        }
    }
}

/// Forgets rows that were settled long ago.
pub(crate) struct Prune {
    pub(crate) age_ms: i64,
}

impl Step for Prune {
    /// How many were forgotten, and whether there may be more.
    type Output = (u64, bool);

    async fn run(&self, tx: &mut Transaction<'_>) -> Result<(u64, bool), Failure> {
        let before = tx.now.saturating_sub(self.age_ms);
        // In the order in which they were settled: the oldest come first.
        let find = "SELECT r.id, r.changed, r.job, l.account, r.state, r.attempts FROM famulor_outbox_row r
            JOIN famulor_outbox_line l ON l.id = r.line
            WHERE r.settled IS NOT NULL AND r.state IN (3, 4, 6) ORDER BY r.settled LIMIT $1";
        let found = tx.sql.rows(find, values![SOME]).await?;
        let mut pruned = 0;
        for row in &found {
            if row.int(1)? > before {
                return Ok((pruned, false));
            }
            let delete = "DELETE FROM famulor_outbox_row WHERE id = $1 AND settled IS NOT NULL";
            if tx.sql.execute(delete, values![row.int(0)?]).await? == 1 {
                let state = State::from_number(row.int(4)?)?;
                tx.count(row.int(2)?, row.int(3)?, state, -1);
                tx.attempted(row.int(2)?, row.int(3)?, -row.int(5)?);
                pruned += 1;
            }
        }
        Ok((pruned, i64::try_from(found.len()).unwrap_or(0) == SOME))
    }
}

//! Which workers are alive.

use super::doubts::unlook_sql;
use super::settle::{Outcome, settle};
use super::{Step, Store};
use crate::row::RowError;
use crate::sql::{Failure, Transaction, list, look_at_clock, values};
use crate::{RowId, State};

/// A new worker. Its number.
pub(crate) struct Register {
    pub(crate) lease_ms: i64,
}

impl Step for Register {
    type Output = i64;

    async fn run(&self, tx: &mut Transaction<'_>) -> Result<i64, Failure> {
        let sql = "INSERT INTO famulor_outbox_owner (id, lease) VALUES ($1, $2)";
        let id = fastrand::i64(1..i64::MAX);
        tx.sql
            .execute(sql, values![id, tx.now + self.lease_ms])
            .await?;
        Ok(id)
    }
}

/// A worker says that it is alive. False: it came too late, and its rows are others' business.
pub(crate) struct Renew {
    pub(crate) owner: i64,
    pub(crate) lease_ms: i64,
}

impl Step for Renew {
    type Output = bool;

    async fn run(&self, tx: &mut Transaction<'_>) -> Result<bool, Failure> {
        let sql = "UPDATE famulor_outbox_owner SET lease = $2 WHERE id = $1";
        let renewed = tx
            .sql
            .execute(sql, values![self.owner, tx.now + self.lease_ms]);
        Ok(renewed.await? == 1)
    }
}

/// Whether a worker is known to be alive; it is until the transaction ends.
pub(super) async fn is_registered(tx: &mut Transaction<'_>, owner: i64) -> Result<bool, Failure> {
    let lock = if tx.sql.is_postgres() {
        "FOR KEY SHARE"
    } else {
        ""
    };
    let alive = format!("SELECT 1 FROM famulor_outbox_owner WHERE id = $1 {lock}");
    Ok(tx.sql.number(alive, values![owner]).await?.is_some())
}

/// Rows of workers that are gone may have been sent: they come into doubt. What they were looking for is free for others.
pub(crate) struct OwnerGone {
    /// Workers known to be gone though their lease has not ended.
    pub(crate) known: Vec<i64>,
    /// What a queue does that keeps no intent: it sends again. For the control of the crash test alone.
    pub(crate) as_if_unsent: bool,
}

impl Step for OwnerGone {
    /// How many rows have come into doubt.
    type Output = usize;

    async fn run(&self, tx: &mut Transaction<'_>) -> Result<usize, Failure> {
        let mut values = values![tx.now];
        let mut condition = "lease < $1".to_owned();
        if !self.known.is_empty() {
            values.extend(self.known.iter().map(|id| (*id).into()));
            condition = format!("lease < $1 OR id IN ({})", list(2, self.known.len()));
        }
        let gone = format!("DELETE FROM famulor_outbox_owner WHERE {condition} RETURNING id");
        let mut rows = 0;
        let unlook = unlook_sql(tx.sql.is_postgres());
        for owner in tx.sql.rows(gone, values).await? {
            let owner = owner.int(0)?;
            let freed = tx.sql.execute(unlook.as_str(), values![owner, tx.now]);
            if freed.await? > 0 {
                tx.tell();
            }
            let theirs = "SELECT id, attempts FROM famulor_outbox_row WHERE owner = $1 ORDER BY id";
            for row in tx.sql.rows(theirs, values![owner]).await? {
                let outcome = match self.as_if_unsent {
                    true => Outcome::Again(None),
                    false => Outcome::Unknown {
                        error: RowError::plain(
                            "unknown_outcome",
                            "the worker that was sending it ended before its answer came",
                            "unknown",
                        ),
                        processed: false,
                    },
                };
                let id = RowId(row.int(0)?);
                settle(tx, id, Some(row.int(1)?), &outcome).await?;
                rows += 1;
            }
        }
        Ok(rows)
    }
}

/// What a worker has taken and knows it has not sent, because its claim seemed to fail, goes back.
pub(crate) struct Forget {
    pub(crate) owner: i64,
    /// What it is sending.
    pub(crate) except: Vec<RowId>,
}

impl Step for Forget {
    type Output = usize;

    async fn run(&self, tx: &mut Transaction<'_>) -> Result<usize, Failure> {
        let mine = "SELECT id, attempts FROM famulor_outbox_row WHERE owner = $1 ORDER BY id";
        let mut forgotten = 0;
        for row in tx.sql.rows(mine, values![self.owner]).await? {
            let id = RowId(row.int(0)?);
            if self.except.contains(&id) {
                continue;
            }
            let outcome = Outcome::Again(None);
            let state = settle(tx, id, Some(row.int(1)?), &outcome).await?;
            forgotten += usize::from(state == Some(State::Queued));
        }
        Ok(forgotten)
    }
}

impl Store {
    /// Who is registered, and whether the lease has ended.
    pub(crate) async fn owners(&self) -> crate::Result<Vec<(i64, bool)>> {
        read!(self, |sql| {
            let now = look_at_clock(sql).await?;
            let owners = sql
                .rows("SELECT id, lease FROM famulor_outbox_owner", values![])
                .await?;
            let one = |row: &crate::sql::Record| Ok::<_, Failure>((row.int(0)?, row.int(1)? < now));
            owners
                .iter()
                .map(one)
                .collect::<std::result::Result<_, _>>()
        })
    }
}

//! The end of an import.

use super::Step;
use crate::RowId;
use crate::sql::{Failure, Transaction, values};

/// The input is whole: it may be sent.
pub(crate) struct FinishImport {
    pub(crate) job: i64,
}

impl Step for FinishImport {
    type Output = ();

    async fn run(&self, tx: &mut Transaction<'_>) -> Result<(), Failure> {
        let whole = "UPDATE famulor_outbox_job SET importing = NULL WHERE id = $1 AND importing IS NOT NULL";
        if tx.sql.execute(whole, values![self.job]).await? == 0 {
            return Ok(());
        }
        let (first, last) = RowId::range_of(self.job);
        let wait =
            "INSERT INTO famulor_outbox_waiting (line, id) SELECT line, id FROM famulor_outbox_row
            WHERE id >= $1 AND id <= $2 AND state = 0 ORDER BY line, id";
        let queued = tx.sql.execute(wait, values![first, last]).await?;
        let heads = "UPDATE famulor_outbox_line SET next = (
            SELECT min(w.id) FROM famulor_outbox_waiting w WHERE w.line = famulor_outbox_line.id)
            WHERE job = $1";
        tx.sql.execute(heads, values![self.job]).await?;
        self.count(tx, first, last, queued).await?;
        let ends = "UPDATE famulor_outbox_job SET last = coalesce(
            (SELECT max(id) FROM famulor_outbox_row WHERE id >= $2 AND id <= $3), $2) - $2 WHERE id = $1";
        tx.sql.execute(ends, values![self.job, first, last]).await?;
        tx.tell();
        Ok(())
    }
}

impl FinishImport {
    /// Writes down how many rows are in which state.
    async fn count(
        &self,
        tx: &mut Transaction<'_>,
        first: i64,
        last: i64,
        queued: u64,
    ) -> Result<(), Failure> {
        let whose = "SELECT min(account), max(account) FROM famulor_outbox_line WHERE job = $1 AND next IS NOT NULL";
        let accounts = tx.sql.row(whose, values![self.job]).await?;
        let (least, most) = match accounts {
            Some(row) => (row.maybe_int(0)?, row.maybe_int(1)?),
            None => (None, None),
        };
        // Almost always one account sends all of it, and then it is known how many those are.
        let counted = match least {
            Some(_) if least != most => "",
            _ => "AND r.state <> 0",
        };
        let count = format!(
            "INSERT INTO famulor_outbox_count (job, account, state, rows, attempts)
            SELECT $1, l.account, r.state, count(*), 0 FROM famulor_outbox_row r
            JOIN famulor_outbox_line l ON l.id = r.line
            WHERE r.id >= $2 AND r.id <= $3 {counted} GROUP BY l.account, r.state
            ON CONFLICT (job, account, state) DO UPDATE SET rows = excluded.rows"
        );
        tx.sql
            .execute(count, values![self.job, first, last])
            .await?;
        if let Some(account) = least
            && least == most
        {
            let known = "INSERT INTO famulor_outbox_count (job, account, state, rows, attempts)
                VALUES ($1, $2, 0, $3, 0)
                ON CONFLICT (job, account, state) DO UPDATE SET rows = excluded.rows";
            let queued = i64::try_from(queued).unwrap_or(i64::MAX);
            tx.sql
                .execute(known, values![self.job, account, queued])
                .await?;
        }
        Ok(())
    }
}

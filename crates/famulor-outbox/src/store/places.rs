//! Where customers' conversations stand, before their first message goes.

use famulor_core::{AssistantId, CustomerId};

use super::Step;
use super::settle::lock_customer;
use crate::Result;
use crate::sql::{Failure, Transaction, values};
use crate::store::Store;

/// A customer whose conversation has to be looked at.
pub(crate) struct Place {
    number: i64,
    /// When it last had a turn: a look that began before says nothing.
    served: i64,
    pub(crate) assistant: AssistantId,
    pub(crate) customer: CustomerId,
}

impl Place {
    pub(crate) fn served(&self) -> i64 {
        self.served
    }

    /// What was seen; `None` if it cannot be learned.
    pub(crate) fn seen(&self, position: Option<String>) -> Placed {
        Placed {
            number: self.number,
            served: self.served,
            position,
        }
    }
}

/// A customer's conversation was looked at.
pub(crate) struct Placed {
    number: i64,
    served: i64,
    position: Option<String>,
}

impl Step for Placed {
    type Output = ();

    async fn run(&self, tx: &mut Transaction<'_>) -> std::result::Result<(), Failure> {
        lock_customer(tx, self.number).await?;
        let open = "UPDATE famulor_outbox_line SET gate = 2 WHERE customer = $1 AND gate = 1 AND served = $2";
        let opened = tx.sql.execute(open, values![self.number, self.served]);
        if opened.await? > 0 {
            let sql = "UPDATE famulor_outbox_customer SET position = $2 WHERE id = $1";
            let values = values![self.number, self.position.clone()];
            tx.sql.execute(sql, values).await?;
            tx.tell();
        }
        Ok(())
    }
}

impl Store {
    /// Whose conversation to look at next, in turn.
    pub(crate) async fn places(
        &self,
        account: i64,
        job: Option<i64>,
        most: usize,
    ) -> Result<Vec<Place>> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let sql = places_sql(job.is_some());
        read!(self, |look| {
            let mut values = values![account, most];
            values.extend(job.map(Into::into));
            let mut found = Vec::new();
            for row in look.rows(sql.clone(), values).await? {
                found.push(Place {
                    number: row.int(0)?,
                    served: row.int(1)?,
                    assistant: AssistantId::new(row.int(2)?),
                    customer: CustomerId::raw(row.text(3)?)
                        .map_err(|_| Failure::damaged("a row has no customer"))?,
                });
            }
            Ok(found)
        })
    }

    /// Whether there is anything to be claimed.
    pub(crate) async fn has_work(&self, account: i64, job: Option<i64>) -> Result<bool> {
        let sql = work_sql(job.is_some());
        read!(self, |look| {
            let mut values = values![account];
            values.extend(job.map(Into::into));
            Ok(look.number(sql.clone(), values).await?.is_some())
        })
    }
}

/// `$1` is the account, `$job` the job.
fn whose(of_job: bool, job: usize) -> String {
    match of_job {
        true => format!("l.job = ${job} AND l.account = $1"),
        false => "l.account = $1".to_owned(),
    }
}

pub(super) fn work_sql(of_job: bool) -> String {
    format!(
        "SELECT l.next FROM famulor_outbox_line l WHERE {} AND l.gate = 2 AND l.next IS NOT NULL
        ORDER BY l.served LIMIT 1",
        whose(of_job, 2)
    )
}

pub(super) fn places_sql(of_job: bool) -> String {
    format!(
        "SELECT l.customer, l.served, c.assistant, c.customer FROM famulor_outbox_line l
        JOIN famulor_outbox_customer c ON c.id = l.customer
        WHERE {} AND l.gate = 1 AND l.next IS NOT NULL ORDER BY l.served LIMIT $2",
        whose(of_job, 3)
    )
}

impl Store {
    /// How many customers who can go have waited for at least as long as one who was served at `served`; counted up to
    /// `most`.
    pub(crate) async fn placed_before(
        &self,
        account: i64,
        served: i64,
        most: usize,
    ) -> Result<usize> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        read!(self, |look| {
            let sql =
                "SELECT count(*) FROM (SELECT 1 FROM famulor_outbox_line l WHERE l.account = $1
                AND l.gate = 2 AND l.next IS NOT NULL AND l.served <= $2 LIMIT $3) AS ahead";
            let count = look.number(sql, values![account, served, most]).await?;
            Ok(usize::try_from(count.unwrap_or_default()).unwrap_or(0))
        })
    }
}

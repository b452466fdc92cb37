//! Names of accounts and jobs, and their numbers.

use super::Step;
use crate::sql::{Failure, Sql, Transaction, values};

/// The number of an account, given out if it is new.
pub(crate) struct AccountOf(pub(crate) String);

impl Step for AccountOf {
    type Output = i64;

    async fn run(&self, tx: &mut Transaction<'_>) -> Result<i64, Failure> {
        account(tx.sql, &self.0).await
    }
}

pub(super) async fn account(sql: &mut Sql, name: &str) -> Result<i64, Failure> {
    let find = "SELECT id FROM famulor_outbox_account WHERE name = $1";
    let add = "INSERT INTO famulor_outbox_account (name) VALUES ($1)
        ON CONFLICT (name) DO UPDATE SET name = $1 RETURNING id";
    id(sql, name, find, add).await
}

pub(super) async fn job(sql: &mut Sql, name: &str) -> Result<i64, Failure> {
    let find = "SELECT id FROM famulor_outbox_job WHERE name = $1";
    let add = "INSERT INTO famulor_outbox_job (name, last) VALUES ($1, 0)
        ON CONFLICT (name) DO UPDATE SET name = $1 RETURNING id";
    id(sql, name, find, add).await
}

pub(super) async fn find_job(sql: &mut Sql, name: &str) -> Result<Option<i64>, Failure> {
    let find = "SELECT id FROM famulor_outbox_job WHERE name = $1";
    sql.number(find, values![name]).await
}

async fn id(sql: &mut Sql, name: &str, find: &str, add: &str) -> Result<i64, Failure> {
    if let Some(id) = sql.number(find, values![name]).await? {
        return Ok(id);
    }
    let id = sql.number(add, values![name]).await?;
    id.ok_or_else(|| Failure::damaged("a name has no number"))
}

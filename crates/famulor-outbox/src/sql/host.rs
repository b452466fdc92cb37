//! The quota's ledger in this database.
//!
//! The statements are the quota's, and it alone knows what they mean; they are run here.

use famulor_quota::store::{FileId, SqlDialect, SqlHost, SqlType, SqlValue, Statement};

use super::{Failure, Record, Sql, Value};

/// A connection, for statements of the quota.
pub(crate) struct Host<'a> {
    sql: &'a mut Sql,
    file: Option<FileId>,
}

impl<'a> Host<'a> {
    /// `file` is the one that `sql` has open, if it is one.
    pub(crate) fn new(sql: &'a mut Sql, file: Option<FileId>) -> Self {
        Self { sql, file }
    }
}

impl SqlHost for Host<'_> {
    type Error = Failure;

    async fn query(&mut self, statement: Statement) -> Result<Vec<Vec<SqlValue>>, Failure> {
        let rows = self.sql.rows(statement.sql, values(statement.values));
        let rows = rows.await?;
        rows.iter()
            .map(|row| columns(row, statement.columns))
            .collect()
    }

    async fn execute(&mut self, statement: Statement) -> Result<u64, Failure> {
        let values = values(statement.values);
        self.sql.execute(statement.sql, values).await
    }

    fn dialect(&self) -> SqlDialect {
        match self.sql {
            Sql::Sqlite(_) => SqlDialect::Sqlite,
            Sql::Postgres(_) => SqlDialect::Postgres,
        }
    }

    fn file(&self) -> Option<FileId> {
        self.file
    }
}

fn values(values: Vec<SqlValue>) -> Vec<Value> {
    let value = |value| match value {
        SqlValue::Int(number) => Value::Int(Some(number)),
        SqlValue::Bytes(bytes) => Value::Bytes(bytes),
        SqlValue::Null => Value::Int(None),
    };
    values.into_iter().map(value).collect()
}

fn columns(row: &Record, types: &[SqlType]) -> Result<Vec<SqlValue>, Failure> {
    let column = |(index, of): (usize, &SqlType)| {
        let value = match of {
            SqlType::Int => row.maybe_int(index)?.map(SqlValue::Int),
            SqlType::Bytes => row.maybe_bytes(index)?.map(SqlValue::Bytes),
        };
        Ok(value.unwrap_or(SqlValue::Null))
    };
    types.iter().enumerate().map(column).collect()
}

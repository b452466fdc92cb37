//! One SQL for two databases.
//!
//! Every statement of this crate is written once, in the language that SQLite and PostgreSQL share: `$1`, whole numbers
//! and texts. Where they differ, [`Sql`] knows.

mod clock;
mod connect;
mod connections;
mod failure;
mod host;
mod location;
mod migrations;
mod transaction;

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};

pub(crate) use clock::look as look_at_clock;
pub(crate) use connect::WriteConnection;
pub(crate) use connections::Connections;
pub(crate) use failure::Failure;
pub(crate) use host::Host;
pub(crate) use location::Location;
pub(crate) use transaction::{CHANNEL, Transaction};

/// A connection.
pub(crate) enum Sql {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// A value of a statement.
#[derive(Clone)]
pub(crate) enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Vec<u8>),
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Int(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

/// The values of a statement, in the order of its `$1`, `$2`, …
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        vec![$($crate::sql::Value::from($value)),*]
    };
}

pub(crate) use values;

/// A row of a result.
pub(crate) enum Record {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Record {
    pub(crate) fn maybe_int(&self, column: usize) -> Result<Option<i64>, Failure> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get_unchecked(column)?,
            Self::Postgres(row) => row.try_get_unchecked(column)?,
        })
    }

    pub(crate) fn int(&self, column: usize) -> Result<i64, Failure> {
        Ok(self.maybe_int(column)?.unwrap_or_default())
    }

    pub(crate) fn maybe_text(&self, column: usize) -> Result<Option<String>, Failure> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get_unchecked(column)?,
            Self::Postgres(row) => row.try_get_unchecked(column)?,
        })
    }

    fn maybe_bytes(&self, column: usize) -> Result<Option<Vec<u8>>, Failure> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get_unchecked(column)?,
            Self::Postgres(row) => row.try_get_unchecked(column)?,
        })
    }

    pub(crate) fn text(&self, column: usize) -> Result<String, Failure> {
        Ok(self.maybe_text(column)?.unwrap_or_default())
    }
}

macro_rules! bound {
    ($sql:expr, $values:expr) => {{
        let mut query = sqlx::query(AssertSqlSafe($sql));
        for value in $values {
            query = match value {
                Value::Int(number) => query.bind(number),
                Value::Text(text) => query.bind(text),
                Value::Bytes(bytes) => query.bind(bytes),
            };
        }
        query
    }};
}

impl Sql {
    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Runs a statement; says how many rows it changed.
    pub(crate) async fn execute(
        &mut self,
        sql: impl Into<String>,
        values: Vec<Value>,
    ) -> Result<u64, Failure> {
        let sql = sql.into();
        Ok(match self {
            Self::Sqlite(connection) => {
                let done = bound!(sql, values).execute(connection).await?;
                done.rows_affected()
            }
            Self::Postgres(connection) => {
                let done = bound!(sql, values).execute(connection).await?;
                done.rows_affected()
            }
        })
    }

    /// Runs a statement and takes all rows of its result: for results of a bounded size.
    pub(crate) async fn rows(
        &mut self,
        sql: impl Into<String>,
        values: Vec<Value>,
    ) -> Result<Vec<Record>, Failure> {
        let sql = sql.into();
        Ok(match self {
            Self::Sqlite(connection) => {
                let rows = bound!(sql, values).fetch_all(connection).await?;
                rows.into_iter().map(Record::Sqlite).collect()
            }
            Self::Postgres(connection) => {
                let rows = bound!(sql, values).fetch_all(connection).await?;
                rows.into_iter().map(Record::Postgres).collect()
            }
        })
    }

    /// The first row of a result.
    pub(crate) async fn row(
        &mut self,
        sql: impl Into<String>,
        values: Vec<Value>,
    ) -> Result<Option<Record>, Failure> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// The first number of a result; `None` if there is no row or it is null.
    pub(crate) async fn number(
        &mut self,
        sql: impl Into<String>,
        values: Vec<Value>,
    ) -> Result<Option<i64>, Failure> {
        match self.row(sql, values).await? {
            Some(row) => row.maybe_int(0),
            None => Ok(None),
        }
    }

    /// Runs statements without values, one after another.
    pub(crate) async fn script(&mut self, sql: impl Into<String>) -> Result<(), Failure> {
        let script = sqlx::raw_sql(AssertSqlSafe(sql.into()));
        match self {
            Self::Sqlite(connection) => script.execute(connection).await.map(drop)?,
            Self::Postgres(connection) => script.execute(connection).await.map(drop)?,
        }
        Ok(())
    }

    /// Closes it in order, so that SQLite can tidy up.
    pub(crate) async fn close(self) {
        let _ = match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        };
    }
}

/// `($1, $2), ($3, $4)`: a list of rows of `columns` values each.
pub(crate) fn tuples(rows: usize, columns: usize) -> String {
    let mut sql = String::with_capacity(rows * columns * 6);
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            if column > 0 {
                sql.push_str(", ");
            }
            sql.push('$');
            sql.push_str(&(row * columns + column + 1).to_string());
        }
        sql.push(')');
    }
    sql
}

/// `$3, $4, $5`: `count` values from `$first` on.
pub(crate) fn list(first: usize, count: usize) -> String {
    let places: Vec<String> = (first..first + count)
        .map(|place| format!("${place}"))
        .collect();
    places.join(", ")
}

//! The contacts as a table of a SQLite database: the answers are written into the same rows.

use std::path::{Path, PathBuf};
use std::time::Duration;

use famulor_core::Reply;
use famulor_examples::Failure;
use serde_json::{Map, Value};
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, SqliteConnection};

use crate::contacts::{Contact, Counts, OURS, State};

/// One connection: what is written is written in the order in which it happens.
pub(crate) struct Database {
    connection: SqliteConnection,
    place: PathBuf,
    /// As it stands in a statement.
    table: String,
    /// The contact's own columns, by name.
    columns: Vec<String>,
}

impl Database {
    pub(crate) async fn open(place: &Path, table: &str) -> Result<Self, Failure> {
        let failed = |cause: &dyn std::fmt::Display| {
            Failure::from(format!("{}: {cause}; nothing was sent", place.display()))
        };
        let connection = SqliteConnectOptions::new()
            .filename(place)
            .create_if_missing(false)
            // A state that was written must not be lost with the power: it says what must not be sent again.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10))
            .connect()
            .await
            .map_err(|error| failed(&error))?;
        let mut database = Self {
            connection,
            place: place.to_owned(),
            table: quoted(table),
            columns: Vec::new(),
        };
        database
            .prepare(table)
            .await
            .map_err(|error| failed(&error))?;
        Ok(database)
    }

    /// Sees to it that the table has what is needed, and adds the columns that are ours.
    async fn prepare(&mut self, table: &str) -> Result<(), Failure> {
        let names: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info(?)")
            .bind(table)
            .fetch_all(&mut self.connection)
            .await?;
        if names.is_empty() {
            return Err(format!("there is no table `{table}`").into());
        }
        for needed in ["id", "question"] {
            if !names.iter().any(|name| name == needed) {
                return Err(format!("the table `{table}` has no column `{needed}`").into());
            }
        }
        for ours in OURS
            .iter()
            .filter(|ours| !names.iter().any(|name| name == *ours))
        {
            self.run(
                format!("ALTER TABLE {} ADD COLUMN {ours} TEXT", self.table),
                &[],
            )
            .await?;
        }
        let states: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!(
            "SELECT DISTINCT coalesce(state, '') FROM {}",
            self.table
        )))
        .fetch_all(&mut self.connection)
        .await?;
        if states.iter().any(|state| State::parse(state).is_none()) {
            return Err("a state is none of ours".into());
        }
        self.run(
            format!("UPDATE {} SET state = ? WHERE state = ?", self.table),
            &[State::Unknown.as_str(), State::Sending.as_str()],
        )
        .await?;
        let own = names.into_iter().filter(|name| {
            !OURS.contains(&name.as_str()) && !["id", "question"].contains(&name.as_str())
        });
        self.columns = own.collect();
        Ok(())
    }

    pub(crate) async fn unasked(&mut self) -> Result<Vec<Contact>, Failure> {
        // Numbers stay numbers this way.
        let pairs: Vec<String> = self
            .columns
            .iter()
            .map(|name| format!("'{}', {}", name.replace('\'', "''"), quoted(name)))
            .collect();
        let query = format!(
            "SELECT rowid, CAST(id AS TEXT), CAST(question AS TEXT), coalesce(state, ''), json_object({}) \
             FROM {} WHERE trim(coalesce(question, '')) <> '' AND id IS NOT NULL ORDER BY rowid",
            pairs.join(", "),
            self.table
        );
        let rows: Vec<(i64, String, String, String, String)> = sqlx::query_as(AssertSqlSafe(query))
            .fetch_all(&mut self.connection)
            .await?;
        let mut contacts = Vec::new();
        for (row, id, question, state, variables) in rows {
            if !State::parse(&state).is_some_and(State::is_open) {
                continue;
            }
            let mut variables: Map<String, Value> = serde_json::from_str(&variables)?;
            variables.retain(|_, value| !value.is_null() && value != "");
            contacts.push(Contact {
                row,
                id,
                question,
                variables,
            });
        }
        Ok(contacts)
    }

    pub(crate) async fn set_state(&mut self, row: i64, state: State) -> Result<(), Failure> {
        let update = format!("UPDATE {} SET state = ? WHERE rowid = {row}", self.table);
        self.run(update, &[state.as_str()]).await
    }

    pub(crate) async fn answered(&mut self, row: i64, reply: &Reply) -> Result<(), Failure> {
        let update = format!(
            "UPDATE {} SET state = ?, reply = ?, conversation_id = ? WHERE rowid = {row}",
            self.table
        );
        let values = [
            State::of(reply).as_str(),
            reply.text().unwrap_or_default(),
            reply.conversation_id().as_str(),
        ];
        self.run(update, &values).await
    }

    pub(crate) async fn count(&mut self) -> Result<Counts, Failure> {
        let query = format!(
            "SELECT coalesce(state, ''), count(*) FROM {} GROUP BY 1",
            self.table
        );
        let rows: Vec<(String, i64)> = sqlx::query_as(AssertSqlSafe(query))
            .fetch_all(&mut self.connection)
            .await?;
        let mut counts = Counts::default();
        for (state, rows) in rows {
            let state = State::parse(&state).unwrap_or(State::Unknown);
            counts.add(state, usize::try_from(rows).unwrap_or_default());
        }
        Ok(counts)
    }

    pub(crate) fn place(&self) -> &Path {
        &self.place
    }

    /// A statement of its own is a transaction of its own, and on the disk when it is done.
    async fn run(&mut self, statement: String, values: &[&str]) -> Result<(), Failure> {
        let mut query = sqlx::query(AssertSqlSafe(statement));
        for value in values {
            query = query.bind(*value);
        }
        query.execute(&mut self.connection).await?;
        Ok(())
    }
}

/// A name as SQL writes one that may be anything.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

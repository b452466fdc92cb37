//! The lines of an input, and the statement that adds them.

use std::fmt::Write as _;
use std::sync::OnceLock;

use super::enqueue::policy_number;
use crate::sql::{Failure, Value, values};
use crate::{NewMessage, RowId};

/// Values of a row of each [`Shape`].
const ANY: usize = 10;
const MESSAGE: usize = 7;
const PLAIN: usize = 4;

/// A line of an input.
pub(crate) enum ImportedRow {
    Message {
        line: i64,
        message: NewMessage,
    },
    Invalid {
        line: i64,
        caller_id: Option<String>,
        customer: Option<String>,
        error: String,
    },
}

/// Account, assistant, customer.
pub(crate) type CustomerKey = (String, i64, String);

impl ImportedRow {
    pub(crate) fn key(&self) -> CustomerKey {
        match self {
            Self::Message { message, .. } => (
                message.account.clone(),
                message.assistant.get(),
                message.customer.as_str().to_owned(),
            ),
            Self::Invalid { customer, .. } => (
                crate::message::DEFAULT.to_owned(),
                0,
                customer.clone().unwrap_or_default(),
            ),
        }
    }
}

/// Rows of one statement, and what of them is said once for all: each value that is bound for every row is time.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    rows: usize,
    kind: Kind,
    postgres: bool,
}

#[derive(Clone, Copy)]
enum Kind {
    /// Messages without variables, and all with the same policy.
    Plain { on_unknown: i64 },
    /// Messages alone.
    Messages,
    /// Lines among them that cannot be sent.
    Any,
}

impl Shape {
    pub(super) fn of(rows: &[(ImportedRow, Option<i64>)], postgres: bool) -> Self {
        let policy = |row: &ImportedRow| match row {
            ImportedRow::Message { message, .. } => Some(policy_number(message.on_unknown)),
            ImportedRow::Invalid { .. } => None,
        };
        let first = rows.first().and_then(|(row, _)| policy(row));
        let plain = |row: &ImportedRow| match row {
            ImportedRow::Message { message, .. } => message.variables.is_empty(),
            ImportedRow::Invalid { .. } => false,
        };
        let messages = rows.iter().all(|(row, _)| policy(row).is_some());
        let kind = match first {
            Some(on_unknown)
                if rows
                    .iter()
                    .all(|(row, _)| plain(row) && policy(row) == first) =>
            {
                Kind::Plain { on_unknown }
            }
            _ if messages => Kind::Messages,
            _ => Kind::Any,
        };
        Self {
            rows: rows.len(),
            kind,
            postgres,
        }
    }

    /// How many values the statement has.
    pub(super) fn values(self) -> usize {
        self.rows * self.columns() + 4
    }

    /// The values that are said once for all rows, after those of the rows.
    pub(super) fn bind_common(self, job: i64, now: i64, values: &mut Vec<Value>) {
        values.extend(values![job, now]);
        if let Kind::Plain { on_unknown } = self.kind {
            values.extend(values![RowId::range_of(job).0, on_unknown]);
        }
    }

    /// [`insert_sql`](Self::insert_sql) for the number of rows that most statements have: made once.
    pub(super) fn full_sql(self) -> String {
        static FULL: OnceLock<String> = OnceLock::new();
        match (self.kind, self.postgres) {
            (Kind::Plain { .. }, false) => FULL.get_or_init(|| self.insert_sql()).clone(),
            _ => self.insert_sql(),
        }
    }

    fn columns(self) -> usize {
        match self.kind {
            Kind::Plain { .. } => PLAIN,
            Kind::Messages => MESSAGE,
            Kind::Any => ANY,
        }
    }

    pub(super) fn insert_sql(self) -> String {
        let columns = self.columns();
        let job = self.rows * columns + 1;
        let (now, first, on_unknown) = (job + 1, job + 2, job + 3);
        let mut sql = "INSERT INTO famulor_outbox_row (job, added, changed, attempts, ".to_owned();
        sql.push_str(match self.kind {
            Kind::Plain { .. } => "state, on_unknown, line, id, input_line, caller_id, text)",
            Kind::Messages => {
                "line, id, on_unknown, input_line, caller_id, text, variables, state)"
            }
            Kind::Any => {
                "line, id, on_unknown, input_line, caller_id, text, variables, state, settled, error)"
            }
        });
        let constants = format!("${job}, ${now}, ${now}, 0");
        match self.kind {
            Kind::Plain { .. } => {
                let _ = write!(
                    sql,
                    " SELECT {constants}, 0, ${on_unknown}, column1, ${first} + column2, column2, column3, column4 FROM ("
                );
                self.rows_sql(&mut sql, "", "");
                // Without a condition, SQLite takes ON for the beginning of a join's.
                sql.push_str(") AS input WHERE true");
            }
            Kind::Messages => self.rows_sql(&mut sql, &format!("{constants}, "), ", 0"),
            Kind::Any => self.rows_sql(&mut sql, &format!("{constants}, "), ""),
        }
        sql.push_str(" ON CONFLICT (id) DO NOTHING");
        sql
    }

    fn rows_sql(self, sql: &mut String, before: &str, after: &str) {
        let columns = self.columns();
        for row in 0..self.rows {
            sql.push_str(if row == 0 { "VALUES (" } else { ", (" });
            sql.push_str(before);
            for column in 1..=columns {
                let comma = if column == 1 { "" } else { ", " };
                // SQLite looks for the name of a numbered value among all others each time one is bound, so that a
                // thousand of them take as long as a million: there, the values of the rows have no numbers.
                let _ = match self.postgres {
                    true => write!(sql, "{comma}${}", row * columns + column),
                    false => write!(sql, "{comma}?"),
                };
            }
            sql.push_str(after);
            sql.push(')');
        }
    }
}

impl ImportedRow {
    /// The values of its columns after the line.
    pub(super) fn bind(
        &self,
        job: i64,
        shape: Shape,
        values: &mut Vec<Value>,
    ) -> Result<(), Failure> {
        match self {
            Self::Message { line: at, message } if matches!(shape.kind, Kind::Plain { .. }) => {
                // Its id is worked out in the statement; here it is seen that there is one.
                RowId::of(job, *at)?;
                values.extend([
                    (*at).into(),
                    message.caller_id.clone().into(),
                    message.text.as_str().into(),
                ]);
            }
            Self::Message { line: at, message } => {
                values.extend([
                    RowId::of(job, *at)?.0.into(),
                    policy_number(message.on_unknown).into(),
                    (*at).into(),
                    message.caller_id.clone().into(),
                    message.text.as_str().into(),
                    message.variables_text().into(),
                ]);
                if matches!(shape.kind, Kind::Any) {
                    values.extend(values![0, None::<i64>, None::<String>]);
                }
            }
            Self::Invalid {
                line: at,
                caller_id,
                error,
                ..
            } => values.extend(values![
                RowId::of(job, *at)?.0,
                0,
                *at,
                caller_id.clone(),
                "",
                None::<String>,
                // Failed, and settled before everything else.
                4,
                0,
                error.as_str(),
            ]),
        }
        Ok(())
    }
}

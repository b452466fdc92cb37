//! Taking in a file, in constant memory and at the speed of the disk.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use super::Step;
use super::enqueue::policy_number;
use super::names;
use crate::sql::{Failure, Transaction, Value, list, tuples, values};
use crate::{Error, ErrorKind, NewMessage, RowId};

/// Customers of one statement.
const ROWS: usize = 200;

/// Rows of one statement: SQLite takes 32766 values, and each statement is a way to its thread and back.
const AT_ONCE: usize = 500;

/// The statement that a file's rows go in by, again and again.
static FULL: OnceLock<String> = OnceLock::new();

/// Values of a row, and of one that is a message where all are.
const COLUMNS: usize = 10;
const PLAIN: usize = 7;

/// How long an import that adds nothing is taken to be alive.
const ALIVE_MS: i64 = 60_000;

/// Begins an import, or goes on with one that was broken off.
pub(crate) struct BeginImport {
    pub(crate) job: String,
    pub(crate) digest: String,
}

/// An import, as it was found.
#[derive(Clone, Copy)]
pub(crate) struct Begun {
    pub(crate) job: i64,
    /// All of it is in already.
    pub(crate) whole: bool,
}

impl Step for BeginImport {
    type Output = Begun;

    async fn run(&self, tx: &mut Transaction<'_>) -> Result<Begun, Failure> {
        let lock = if tx.sql.is_postgres() {
            "FOR UPDATE"
        } else {
            ""
        };
        let find = format!(
            "SELECT id, digest, importing, last FROM famulor_outbox_job WHERE name = $1 {lock}"
        );
        let until = tx.now + ALIVE_MS;
        let Some(row) = tx.sql.row(find, values![self.job.as_str()]).await? else {
            let job = names::job(tx.sql, &self.job).await?;
            self.take(tx, job, until).await?;
            return Ok(Begun { job, whole: false });
        };
        let (job, digest, importing) = (row.int(0)?, row.maybe_text(1)?, row.maybe_int(2)?);
        match (digest, importing) {
            (Some(digest), None) if digest == self.digest => Ok(Begun { job, whole: true }),
            (Some(digest), Some(_)) if digest == self.digest => {
                self.take(tx, job, until).await?;
                Ok(Begun { job, whole: false })
            }
            // Broken off before anything could be sent: the new input takes its place.
            (Some(_), Some(alive)) if alive < tx.now => {
                let (first, last) = RowId::range_of(job);
                let rows = "DELETE FROM famulor_outbox_row WHERE id >= $1 AND id <= $2";
                tx.sql.execute(rows, values![first, last]).await?;
                let lines = "DELETE FROM famulor_outbox_line WHERE job = $1";
                tx.sql.execute(lines, values![job]).await?;
                self.take(tx, job, until).await?;
                Ok(Begun { job, whole: false })
            }
            (None, _) if row.int(3)? == 0 => {
                self.take(tx, job, until).await?;
                Ok(Begun { job, whole: false })
            }
            _ => Err(Failure::Said(Error::new(
                ErrorKind::ChangedInput,
                format!(
                    "the job {} exists with another input; nothing was added or sent. Choose another job, or give it the same input again",
                    self.job
                ),
            ))),
        }
    }
}

impl BeginImport {
    async fn take(&self, tx: &mut Transaction<'_>, job: i64, until: i64) -> Result<(), Failure> {
        let sql = "UPDATE famulor_outbox_job SET digest = $2, importing = $3 WHERE id = $1";
        let values = values![job, self.digest.as_str(), until];
        tx.sql.execute(sql, values).await.map(drop)
    }
}

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

/// Adds rows to an import.
pub(crate) struct AddChunk {
    pub(crate) job: i64,
    /// Rows and, where it is known, the number of their customer's line.
    pub(crate) rows: Arc<Vec<(ImportedRow, Option<i64>)>>,
}

/// What a chunk came to.
pub(crate) struct Chunk {
    pub(crate) added: u64,
    /// Numbers of lines that were not known before.
    pub(crate) lines: HashMap<CustomerKey, i64>,
}

impl Step for AddChunk {
    type Output = Chunk;

    async fn run(&self, tx: &mut Transaction<'_>) -> Result<Chunk, Failure> {
        let alive =
            "UPDATE famulor_outbox_job SET importing = $2 WHERE id = $1 AND importing IS NOT NULL";
        if tx
            .sql
            .execute(alive, values![self.job, tx.now + ALIVE_MS])
            .await?
            == 0
        {
            // Somebody else has brought the same input to its end.
            return Ok(Chunk {
                added: 0,
                lines: HashMap::new(),
            });
        }
        let lines = self.new_lines(tx).await?;
        let mut added = 0;
        for rows in self.rows.chunks(AT_ONCE) {
            added += self.insert(tx, rows, &lines).await?;
        }
        Ok(Chunk { added, lines })
    }
}

impl AddChunk {
    async fn new_lines(
        &self,
        tx: &mut Transaction<'_>,
    ) -> Result<HashMap<CustomerKey, i64>, Failure> {
        let unknown = self.rows.iter().filter(|(_, line)| line.is_none());
        let mut keys: Vec<CustomerKey> = unknown.map(|(row, _)| row.key()).collect();
        // In the order in which everybody takes customers.
        keys.sort_unstable();
        keys.dedup();
        let mut accounts = HashMap::new();
        let mut found = HashMap::new();
        for keys in keys.chunks(ROWS) {
            let mut values = Vec::with_capacity(keys.len() * 3);
            for (account, assistant, customer) in keys {
                if !accounts.contains_key(account) {
                    let number = names::account(tx.sql, account).await?;
                    accounts.insert(account.clone(), number);
                }
                values.push(accounts.get(account).copied().unwrap_or_default().into());
                values.push((*assistant).into());
                values.push(customer.as_str().into());
            }
            let sql = format!(
                "INSERT INTO famulor_outbox_customer (account, assistant, customer) VALUES {}
                ON CONFLICT (account, assistant, customer) DO UPDATE SET assistant = excluded.assistant
                RETURNING id, account, assistant, customer",
                tuples(keys.len(), 3)
            );
            let mut customers = HashMap::new();
            for row in tx.sql.rows(sql, values).await? {
                customers.insert((row.int(1)?, row.int(2)?, row.text(3)?), row.int(0)?);
            }
            let lines = self
                .lines_of(tx, customers.values().copied().collect())
                .await?;
            for key in keys {
                let account = accounts.get(&key.0).copied().unwrap_or_default();
                let customer = customers.get(&(account, key.1, key.2.clone()));
                let line = customer.and_then(|customer| lines.get(customer));
                let line = line.ok_or_else(|| Failure::damaged("a customer has no line"))?;
                found.insert(key.clone(), *line);
            }
        }
        Ok(found)
    }

    async fn lines_of(
        &self,
        tx: &mut Transaction<'_>,
        customers: Vec<i64>,
    ) -> Result<HashMap<i64, i64>, Failure> {
        // A customer's lines share gate and turn. What is next in it is found once the input is whole.
        let sql = format!(
            "INSERT INTO famulor_outbox_line (job, account, customer, next, gate, served)
            SELECT $1, c.account, c.id, NULL,
                coalesce((SELECT min(o.gate) FROM famulor_outbox_line o WHERE o.customer = c.id), 1),
                coalesce((SELECT max(o.served) FROM famulor_outbox_line o WHERE o.customer = c.id), 0)
            FROM famulor_outbox_customer c WHERE c.id IN ({})
            ON CONFLICT (customer, job) DO UPDATE SET job = excluded.job RETURNING id, customer",
            list(2, customers.len())
        );
        let mut values = values![self.job];
        values.extend(customers.into_iter().map(Value::from));
        let rows = tx.sql.rows(sql, values).await?;
        rows.iter()
            .map(|row| Ok((row.int(1)?, row.int(0)?)))
            .collect()
    }

    async fn insert(
        &self,
        tx: &mut Transaction<'_>,
        rows: &[(ImportedRow, Option<i64>)],
        lines: &HashMap<CustomerKey, i64>,
    ) -> Result<u64, Failure> {
        let shape = Shape {
            rows: rows.len(),
            plain: rows
                .iter()
                .all(|(row, _)| matches!(row, ImportedRow::Message { .. })),
            postgres: tx.sql.is_postgres(),
        };
        let mut values = Vec::with_capacity(shape.values() + 2);
        for (row, line) in rows {
            let line = match line {
                Some(line) => *line,
                None => lines.get(&row.key()).copied().unwrap_or_default(),
            };
            values.push(line.into());
            row.bind(self.job, shape.plain, &mut values)?;
        }
        values.extend(values![self.job, tx.now]);
        let sql = match shape {
            Shape {
                rows: AT_ONCE,
                plain: true,
                postgres: false,
            } => FULL.get_or_init(|| shape.insert_sql()).clone(),
            other => other.insert_sql(),
        };
        tx.sql.execute(sql, values).await
    }
}

/// Rows of one statement, and what of them is said once for all: each value that is not bound for every row is time.
#[derive(Clone, Copy)]
struct Shape {
    rows: usize,
    /// Messages alone.
    plain: bool,
    postgres: bool,
}

impl Shape {
    /// How many values the rows have.
    fn values(self) -> usize {
        self.rows * self.columns()
    }

    fn columns(self) -> usize {
        if self.plain { PLAIN } else { COLUMNS }
    }

    fn insert_sql(self) -> String {
        let (job, now) = (self.values() + 1, self.values() + 2);
        let mut sql = "INSERT INTO famulor_outbox_row (job, added, changed, attempts, ".to_owned();
        sql.push_str(match self.plain {
            true => "state, line, id, on_unknown, input_line, caller_id, text, variables",
            false => {
                "line, id, on_unknown, input_line, caller_id, text, variables, state, settled, error"
            }
        });
        let state = if self.plain { ", 0" } else { "" };
        for row in 0..self.rows {
            sql.push_str(if row == 0 { ") VALUES " } else { ", " });
            let _ = write!(sql, "(${job}, ${now}, ${now}, 0{state}");
            for column in 1..=self.columns() {
                // SQLite looks for the name of a numbered value among all others each time one is bound, so that a
                // thousand of them take as long as a million: there, the values of the rows have no numbers.
                let _ = match self.postgres {
                    true => write!(sql, ", ${}", row * self.columns() + column),
                    false => write!(sql, ", ?"),
                };
            }
            sql.push(')');
        }
        sql.push_str(" ON CONFLICT (id) DO NOTHING");
        sql
    }
}

impl ImportedRow {
    /// The values of its columns after the line.
    fn bind(&self, job: i64, plain: bool, values: &mut Vec<Value>) -> Result<(), Failure> {
        match self {
            Self::Message { line: at, message } => {
                values.extend([
                    RowId::of(job, *at)?.0.into(),
                    policy_number(message.on_unknown).into(),
                    (*at).into(),
                    message.caller_id.clone().into(),
                    message.text.as_str().into(),
                    message.variables_text().into(),
                ]);
                if !plain {
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

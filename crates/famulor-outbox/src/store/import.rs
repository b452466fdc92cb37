//! Taking in a file, in constant memory and at the speed of the disk.

use std::collections::HashMap;
use std::sync::Arc;

use super::Step;
use super::imported::{CustomerKey, ImportedRow, Shape};
use super::names;
use crate::sql::{Failure, Transaction, Value, list, tuples, values};
use crate::{Error, ErrorKind, RowId};

/// Customers of one statement.
const ROWS: usize = 200;

/// Rows of one statement: SQLite takes 32766 values, and each statement is a way to its thread and back.
const AT_ONCE: usize = 500;

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
        let shape = Shape::of(rows, tx.sql.is_postgres());
        let mut values = Vec::with_capacity(shape.values());
        for (row, line) in rows {
            let line = match line {
                Some(line) => *line,
                None => lines.get(&row.key()).copied().unwrap_or_default(),
            };
            values.push(line.into());
            row.bind(self.job, shape, &mut values)?;
        }
        shape.bind_common(self.job, tx.now, &mut values);
        let sql = match rows.len() {
            AT_ONCE => shape.full_sql(),
            _ => shape.insert_sql(),
        };
        tx.sql.execute(sql, values).await
    }
}

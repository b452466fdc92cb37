//! Putting a whole input in.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::row::RowError;
use crate::store::{AddChunk, Begun, Chunk, CustomerKey, FinishImport, ImportedRow, Store};
use crate::{Error, ErrorKind, NewMessage, Result};

/// Rows and bytes of one transaction.
const CHUNK_ROWS: usize = 8000;
const CHUNK_BYTES: usize = 3 * 1024 * 1024;

/// Customers whose numbers are remembered; beyond it all are forgotten and looked up again.
const KNOWN: usize = 50_000;

/// An input on its way into an outbox: made by [`Outbox::import`](crate::Outbox::import).
///
/// Rows go in by transactions of some thousands, so that memory stays the same however long the input is. Until
/// [`finish`](Self::finish) nobody sends any of it. Dropped before, what is in stays, and the same input given again goes
/// on from there.
#[must_use = "nothing of it is sent before it is finished"]
pub struct Import {
    store: Store,
    begun: Begun,
    rows: Vec<(ImportedRow, Option<i64>)>,
    bytes: usize,
    lines: HashMap<CustomerKey, i64>,
    /// The chunk before, on its way to the disk while this one fills.
    running: Option<JoinHandle<Result<Chunk>>>,
    last_line: i64,
    pushed: u64,
    imported: Imported,
}

/// What an import came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// Messages that are new.
    pub added: u64,
    /// Messages that were there already.
    pub already: u64,
    /// Lines that cannot be sent: they are rows in the state `failed`.
    pub invalid: u64,
}

impl Import {
    pub(crate) fn new(store: Store, begun: Begun) -> Self {
        Self {
            store,
            begun,
            rows: Vec::new(),
            bytes: 0,
            lines: HashMap::new(),
            running: None,
            last_line: 0,
            pushed: 0,
            imported: Imported::default(),
        }
    }

    /// Whether the same input was imported whole before: pushing it again changes nothing, and only counts.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.begun.whole
    }

    /// Adds a message. Without [`with_line`](NewMessage::with_line) it is on the line after the one before. Its line is what
    /// names it: job and key of the message mean nothing here.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if the message is empty or its line is not after the one before; else as the store fails.
    pub async fn push(&mut self, message: NewMessage) -> Result<()> {
        message.check()?;
        let line = self.next_line(message.line)?;
        self.pushed += 1;
        self.add(ImportedRow::Message { line, message }).await
    }

    /// Adds a line that cannot be sent, as a row in the state `failed`.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if the line is not after the one before; else as the store fails.
    pub async fn push_invalid(
        &mut self,
        line: u64,
        id: Option<String>,
        customer: Option<String>,
        cause: &str,
    ) -> Result<()> {
        let line = self.next_line(Some(line))?;
        self.imported.invalid += 1;
        let without_nul = |text: Option<String>| text.map(|text| text.replace('\0', "\u{fffd}"));
        let error = RowError::plain(
            "invalid_request",
            cause.replace('\0', "\u{fffd}"),
            "not_sent",
        );
        self.add(ImportedRow::Invalid {
            line,
            caller_id: without_nul(id),
            customer: without_nul(customer),
            error: error.to_text(),
        })
        .await
    }

    /// Ends the input: from now on it is sent.
    ///
    /// # Errors
    /// As the store fails; then the input is not whole, and the same input given again goes on from there.
    pub async fn finish(mut self) -> Result<Imported> {
        if self.begun.whole {
            self.imported.already = self.pushed;
            return Ok(self.imported);
        }
        self.flush().await?;
        self.join().await?;
        let job = self.begun.job;
        self.store.write(FinishImport { job }).await?;
        // Lines that cannot be sent are rows too.
        let added = self.imported.added.saturating_sub(self.imported.invalid);
        self.imported.added = added.min(self.pushed);
        self.imported.already = self.pushed - self.imported.added;
        Ok(self.imported)
    }

    fn next_line(&mut self, line: Option<u64>) -> Result<i64> {
        let line = line.map_or(Some(self.last_line + 1), |line| i64::try_from(line).ok());
        match line {
            Some(line) if line > self.last_line => {
                self.last_line = line;
                Ok(line)
            }
            _ => Err(Error::new(
                ErrorKind::Invalid,
                "the lines of an input are numbered from 1 and go up",
            )),
        }
    }

    async fn add(&mut self, row: ImportedRow) -> Result<()> {
        if self.begun.whole {
            return Ok(());
        }
        self.bytes += match &row {
            ImportedRow::Message { message, .. } => message.text.len() + 200,
            ImportedRow::Invalid { error, .. } => error.len() + 200,
        };
        let line = self.lines.get(&row.key()).copied();
        self.rows.push((row, line));
        if self.rows.len() >= CHUNK_ROWS || self.bytes >= CHUNK_BYTES {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        self.join().await?;
        if self.rows.is_empty() {
            return Ok(());
        }
        self.bytes = 0;
        let mut rows = std::mem::replace(&mut self.rows, Vec::with_capacity(CHUNK_ROWS));
        for (row, line) in &mut rows {
            // The chunk before may have taught us its number.
            if line.is_none() {
                *line = self.lines.get(&row.key()).copied();
            }
        }
        let step = AddChunk {
            job: self.begun.job,
            rows: Arc::new(rows),
        };
        let store = self.store.clone();
        self.running = Some(tokio::spawn(async move { store.write(step).await }));
        Ok(())
    }

    async fn join(&mut self) -> Result<()> {
        let Some(running) = self.running.take() else {
            return Ok(());
        };
        let ended = |_| Error::new(ErrorKind::Store, "the program is ending");
        let chunk = running.await.map_err(ended)??;
        self.imported.added += chunk.added;
        if self.lines.len() + chunk.lines.len() > KNOWN {
            self.lines.clear();
        }
        self.lines.extend(chunk.lines);
        Ok(())
    }
}

impl std::fmt::Debug for Import {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Import")
            .field("pushed", &self.pushed)
            .field("imported", &self.imported)
            .finish_non_exhaustive()
    }
}

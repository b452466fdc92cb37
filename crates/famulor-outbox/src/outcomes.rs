//! Hearing how rows end.

use std::collections::VecDeque;
use std::fmt;

use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::filter::Filter;
use crate::store::Store;
use crate::{Error, ErrorKind, Result, Row};

/// Rows of one look.
const SOME: i64 = 200;

/// Rows as they come to an end, whoever served them, each once and in that order: made by
/// [`Outbox::subscribe`](crate::Outbox::subscribe).
///
/// A row that is retried and ends again comes again. Dropping it ends it; nothing is kept for whoever comes later.
#[must_use = "outcomes come by calling next"]
pub struct Outcomes {
    store: Store,
    filter: Filter,
    /// Where it begins, asked for at once.
    begin: Option<JoinHandle<Result<i64>>>,
    after: Option<i64>,
    rows: VecDeque<Row>,
}

impl Outcomes {
    pub(crate) fn new(store: Store, filter: Filter) -> Self {
        let asking = store.clone();
        Self {
            store,
            filter,
            begin: Some(tokio::spawn(async move { asking.settled().await })),
            after: None,
            rows: VecDeque::new(),
        }
    }

    /// Waits until it listens. It begins to when it is made; whoever must not miss a row that another process ends in that
    /// very moment waits for this.
    ///
    /// # Errors
    /// As the store fails.
    pub async fn ready(&mut self) -> Result<()> {
        if self.after.is_some() {
            return Ok(());
        }
        let asked = match &mut self.begin {
            Some(asking) => asking
                .await
                .unwrap_or_else(|_| Err(Error::new(ErrorKind::Store, "the program is ending"))),
            None => self.store.settled().await,
        };
        self.begin = None;
        self.after = Some(asked?);
        Ok(())
    }

    /// The next row that has ended. Waits for it; dropping the wait loses nothing.
    ///
    /// # Errors
    /// As the store fails. Called again, it goes on where it was.
    pub async fn next(&mut self) -> Result<Row> {
        self.ready().await?;
        loop {
            if let Some(row) = self.rows.pop_front() {
                return Ok(row);
            }
            let news = self.store.news();
            let told = news.notified();
            let found = self
                .store
                .settled_after(self.after.unwrap_or(0), SOME)
                .await?;
            if found.is_empty() {
                let _ = timeout(self.store.poll(), told).await;
                continue;
            }
            for (number, row) in found {
                self.after = Some(number);
                if self.filter.matches(&row) {
                    self.rows.push_back(row);
                }
            }
        }
    }
}

impl fmt::Debug for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcomes")
            .field("filter", &self.filter)
            .finish_non_exhaustive()
    }
}

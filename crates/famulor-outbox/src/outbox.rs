//! The outbox, as a program that uses it sees it.

use std::fmt;
use std::time::Duration;

use crate::filter::{Filter, Status};
use crate::message::check_name;
use crate::outcomes::Outcomes;
use crate::store::{BeginImport, Cancel, Enqueue, Prune, Resolve, Retry, Store};
use crate::worker::WorkerBuilder;
use crate::{Enqueued, Error, ErrorKind, Import, NewMessage, Resolution, Result, Row, RowId};

/// A durable queue of messages, in a SQLite file or a PostgreSQL database.
///
/// Cheap to clone, `Send + Sync`; clones share the connections. It must be opened on a tokio runtime with its timer and
/// its input and output switched on, and works while that runs.
///
/// ```no_run
/// # async fn example(client: famulor_core::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use famulor_core::{AssistantId, CustomerId};
/// use famulor_outbox::{Filter, NewMessage, Outbox};
/// use tokio_util::sync::CancellationToken;
///
/// let outbox = Outbox::open("/var/lib/shop/outbox.sqlite").await?;
/// let stop = CancellationToken::new();
/// tokio::spawn(outbox.worker().with_account("default", client).run(stop.clone()));
///
/// let mut outcomes = outbox.subscribe(Filter::all());
/// let message = NewMessage::new(AssistantId::new(123), CustomerId::raw("crm-4711")?, "Hello").with_key("mail-17");
/// outbox.enqueue(message).await?; // from here on it is safe
///
/// let row = outcomes.next().await?;
/// println!("{} {:?}", row.state, row.reply);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Outbox {
    store: Store,
}

impl Outbox {
    /// Opens the store at `location`: a path or `sqlite:PATH`, or `postgres://…`. Creates it where there is none, readable
    /// by its owner alone, and brings an older one up to date.
    ///
    /// # Errors
    /// [`ErrorKind::Location`] if there is no such place or it is another program's; [`ErrorKind::Newer`] if a newer
    /// version has changed it; [`ErrorKind::ReadOnly`], [`ErrorKind::Full`], [`ErrorKind::Unreachable`].
    pub async fn open(location: &str) -> Result<Self> {
        let store = Store::open(location).await?;
        Ok(Self { store })
    }

    /// Puts a message in. When this returns, it is on the disk.
    ///
    /// The same job and key again add nothing, so that a caller who does not know whether it got through asks again.
    ///
    /// # Errors
    /// [`ErrorKind::ChangedInput`] if another message has the same job and key; [`ErrorKind::Invalid`] if the message is
    /// empty; else as the store fails. After [`ErrorKind::Unreachable`] it may be in or not: with a key, enqueue it again.
    pub async fn enqueue(&self, message: NewMessage) -> Result<Enqueued> {
        let outcome = self.enqueue_all(vec![message]).await?;
        let nothing = || Error::new(ErrorKind::Store, "the store did nothing");
        outcome.into_iter().next().ok_or_else(nothing)
    }

    /// Puts messages in, all of them or none. For more than some thousands, [`import`](Self::import).
    ///
    /// # Errors
    /// As [`enqueue`](Self::enqueue).
    pub async fn enqueue_all(&self, messages: Vec<NewMessage>) -> Result<Vec<Enqueued>> {
        messages.iter().try_for_each(NewMessage::check)?;
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        self.store.write(Enqueue(messages)).await
    }

    /// Begins to put a whole input into a job of its own, or goes on where that was broken off. `digest` stands for all of
    /// the input: a changed one under the same name is refused.
    ///
    /// # Errors
    /// [`ErrorKind::ChangedInput`] if the job has another input, or messages that were enqueued one by one.
    pub async fn import(&self, job: &str, digest: &str) -> Result<Import> {
        check_name(job, "job")?;
        let begin = BeginImport {
            job: job.to_owned(),
            digest: digest.to_owned(),
        };
        let begun = self.store.write(begin).await?;
        Ok(Import::new(self.store.clone(), begun))
    }

    /// A worker, to be given accounts and run.
    pub fn worker(&self) -> WorkerBuilder {
        WorkerBuilder::new(self.store.clone())
    }

    /// Rows that come to an end from now on, whoever served them.
    pub fn subscribe(&self, filter: Filter) -> Outcomes {
        Outcomes::new(self.store.clone(), filter)
    }

    /// The names of all jobs, oldest first.
    ///
    /// # Errors
    /// As the store fails.
    pub async fn jobs(&self) -> Result<Vec<String>> {
        self.store.jobs().await
    }

    /// How many rows are in which state. By job, account and state it takes no longer for a million rows than for one; by
    /// customer it looks at every row. A job that is still being imported shows nothing.
    ///
    /// # Errors
    /// As the store fails.
    pub async fn status(&self, filter: &Filter) -> Result<Status> {
        self.store.status(filter).await
    }

    /// One row.
    ///
    /// # Errors
    /// As the store fails.
    pub async fn row(&self, id: RowId) -> Result<Option<Row>> {
        let filter = Filter::all().with_row(id);
        Ok(self.store.list(&filter, None, 1).await?.into_iter().next())
    }

    /// At most `limit` rows in input order, those after `after`: a page at a time, so that memory stays the same.
    ///
    /// ```no_run
    /// # async fn example(outbox: famulor_outbox::Outbox) -> famulor_outbox::Result<()> {
    /// # use famulor_outbox::Filter;
    /// let mut after = None;
    /// loop {
    ///     let page = outbox.list(&Filter::all().with_job("appointments"), after, 500).await?;
    ///     let Some(last) = page.last() else { break };
    ///     after = Some(last.id);
    ///     page.iter().for_each(|row| println!("{:?} {}", row.line, row.state));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As the store fails.
    pub async fn list(
        &self,
        filter: &Filter,
        after: Option<RowId>,
        limit: usize,
    ) -> Result<Vec<Row>> {
        self.store.list(filter, after, limit).await
    }

    /// Has failed and cancelled rows sent, in their old place. Rows in review or in doubt may have been processed: they are
    /// sent again only if the filter names those states. Returns how many.
    ///
    /// # Errors
    /// As the store fails; what was changed before stays.
    pub async fn retry(&self, filter: &Filter) -> Result<u64> {
        let (mut changed, mut after) = (0, None);
        loop {
            let filter = filter.clone();
            let (some, next) = self.store.write(Retry { filter, after }).await?;
            changed += some;
            after = next;
            if after.is_none() {
                return Ok(changed);
            }
        }
    }

    /// Takes queued rows back. What a worker has already is not stopped. Returns how many.
    ///
    /// # Errors
    /// As the store fails; what was changed before stays.
    pub async fn cancel(&self, filter: &Filter) -> Result<u64> {
        let (mut changed, mut after) = (0, None);
        loop {
            let filter = filter.clone();
            let (some, next) = self.store.write(Cancel { filter, after }).await?;
            changed += some;
            after = next;
            if after.is_none() {
                return Ok(changed);
            }
        }
    }

    /// Writes down what a person has decided about a row in review or in doubt.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], or [`ErrorKind::Invalid`] if the row is in another state.
    pub async fn resolve(&self, id: RowId, how: Resolution) -> Result<()> {
        self.store.write(Resolve(id, how)).await
    }

    /// Forgets rows that were done, failed or cancelled longer than `finished_before` ago. Their keys can be enqueued again
    /// then: keep them for longer than anybody may repeat one. Returns how many.
    ///
    /// # Errors
    /// As the store fails; what was forgotten before stays so.
    pub async fn prune(&self, finished_before: Duration) -> Result<u64> {
        let age_ms = i64::try_from(finished_before.as_millis()).unwrap_or(i64::MAX);
        let mut pruned = 0;
        loop {
            let (some, more) = self.store.write(Prune { age_ms }).await?;
            pruned += some;
            if !more {
                return Ok(pruned);
            }
        }
    }
}

/// Shows where it is, without a password.
impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox")
            .field("location", &self.store.location().to_string())
            .finish_non_exhaustive()
    }
}

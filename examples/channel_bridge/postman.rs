//! Takes answers back to where the messages came from.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use famulor_examples::Failure;
use famulor_outbox::{Filter, Outbox, Row, State};
use tokio_util::sync::CancellationToken;

use crate::channel::{Channel, Undelivered};
use crate::delivered::Delivered;

/// How often a platform that is out of reach is tried again.
const AGAIN: Duration = Duration::from_secs(2);

/// Rows that are read at once.
const PAGE: usize = 200;

pub(crate) struct Postman {
    channels: Vec<Arc<dyn Channel>>,
    outbox: Outbox,
    delivered: Delivered,
}

impl Postman {
    pub(crate) fn new(
        channels: Vec<Arc<dyn Channel>>,
        outbox: Outbox,
        delivered: Delivered,
    ) -> Self {
        Self {
            channels,
            outbox,
            delivered,
        }
    }

    /// Delivers what was left from before, then each answer as it comes.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> Result<(), Failure> {
        // First: what is answered while the rest is being listed must not be missed.
        let mut outcomes = self.outbox.subscribe(Filter::all());
        outcomes.ready().await?;
        let mut waiting = self.left_over().await?;
        loop {
            waiting = self.deliver_all(waiting).await?;
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(AGAIN), if !waiting.is_empty() => {}
                row = outcomes.next() => waiting.push(row?),
            }
        }
    }

    /// The rows that are finished and not delivered.
    async fn left_over(&self) -> Result<Vec<Row>, Failure> {
        let finished = [State::Done, State::Failed, State::NeedsReview];
        let finished = Filter::all().with_states(finished);
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let rows = self.outbox.list(&finished, after, PAGE).await?;
            let Some(last) = rows.last() else {
                return Ok(found);
            };
            after = Some(last.id);
            let is_left = |row: &Row| !self.delivered.contains(row.id);
            found.extend(rows.into_iter().filter(is_left));
        }
    }

    /// Tries each row; returns those that have to wait. An answer never overtakes an earlier one to the same person.
    async fn deliver_all(&mut self, rows: Vec<Row>) -> Result<Vec<Row>, Failure> {
        let mut held_up = HashSet::new();
        let mut waiting = Vec::new();
        for row in rows {
            let way = (row.job.clone(), row.caller_id.clone());
            let channel = self
                .channels
                .iter()
                .find(|channel| channel.name() == row.job);
            let Some(channel) = channel.cloned() else {
                // Its channel is not set up this time.
                continue;
            };
            if held_up.contains(&way) || !self.deliver(&*channel, &row).await? {
                held_up.insert(way);
                waiting.push(row);
            }
        }
        Ok(waiting)
    }

    /// Whether this row is done with.
    async fn deliver(&mut self, channel: &dyn Channel, row: &Row) -> Result<bool, Failure> {
        if self.delivered.contains(row.id) {
            return Ok(true);
        }
        let reply_to = row.caller_id.as_deref().unwrap_or_default();
        match (row.state, &row.reply) {
            (State::Done, Some(text)) => match channel.send(reply_to, text).await {
                Ok(()) => {}
                Err(Undelivered::Never(cause)) => {
                    eprintln!(
                        "{} never takes the answer of row {}: {cause}",
                        channel.name(),
                        row.id
                    );
                }
                Err(Undelivered::Later(cause)) => {
                    eprintln!(
                        "{} has not taken the answer of row {} yet: {cause}",
                        channel.name(),
                        row.id
                    );
                    return Ok(false);
                }
            },
            // A person has taken over and answers by hand.
            (State::Done, None) => {}
            (State::NeedsReview, _) => {
                let why = row.reason.as_deref().unwrap_or("its outcome is not known");
                eprintln!("row {} needs a person: {why}", row.id);
            }
            _ => {
                let why = row.error.as_ref().map_or("", |error| &error.message);
                eprintln!("row {} was not answered: {why}", row.id);
            }
        }
        // Killed between the channel's yes and this line, the answer is sent once more after the start: twice is better
        // than never, and it costs no second reply.
        self.delivered.add(row.id)?;
        Ok(true)
    }
}

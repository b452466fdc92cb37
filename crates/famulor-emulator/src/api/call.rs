//! A call that was let in: what it asks, and what is noted of it.

use std::collections::HashMap;
use std::time::Duration;

use axum::extract::Query;

use super::fields::Fields;
use super::head::Head;
use super::validation::Input;
use crate::caller::Caller;
use crate::lock;
use crate::money::Amount;
use crate::world::World;

/// What every handler gets.
pub(crate) struct Call<'a> {
    pub(crate) world: &'a World,
    pub(crate) caller: Caller,
    /// The `{uuid}` of the path, empty where there is none.
    pub(crate) uuid: &'a str,
    pub(super) sequence: u64,
    pub(super) head: &'a Head<'a>,
    pub(super) fields: &'a Fields<'a>,
}

impl Call<'_> {
    /// The body's fields.
    pub(crate) fn input(&self) -> Input<'_> {
        Input::of(self.fields)
    }

    /// The query's fields.
    pub(crate) fn query(&self) -> Fields<'static> {
        let query = self
            .head
            .uri
            .map(Query::<HashMap<String, String>>::try_from_uri);
        match query {
            Some(Ok(query)) => Fields::of_query(query.0),
            Some(Err(_)) | None => Fields::default(),
        }
    }

    /// The name under which the client knows this server.
    pub(crate) fn host(&self) -> &str {
        self.head.host()
    }

    /// Notes that the call has had its effect. From here on the client may go
    /// away, and the effect stays.
    pub(crate) fn processed(&self) {
        lock(&self.world.record)
            .journal
            .note(self.sequence, |entry| entry.processed = true);
    }

    /// Notes that a user message was stored, and what it cost.
    pub(crate) fn message_stored(&self, customer: &str, repeated: bool, billed: Option<Amount>) {
        let mut record = lock(&self.world.record);
        record
            .tally
            .message(&self.caller, customer, repeated, billed);
        record.journal.note(self.sequence, |entry| {
            entry.processed = true;
            entry.billed = billed;
        });
    }

    /// How long this takes: as long as a rule says, or else as the server is set to take.
    pub(crate) fn latency(&self, ruled: Option<Duration>) -> Duration {
        let World { config, seeded, .. } = self.world;
        ruled.unwrap_or_else(|| config.latency.of_request(self.sequence, *seeded))
    }

    /// Waits that long, in emulated time.
    pub(crate) async fn take_time(&self, latency: Duration) {
        if !latency.is_zero() {
            // Boxed: most calls take no time, and theirs need no room for it.
            Box::pin(tokio::time::sleep(self.world.clock.real(latency))).await;
        }
    }
}

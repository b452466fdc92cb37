//! A call that was let in: what it asks, and what is noted of it.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use super::validation::Input;
use crate::caller::Caller;
use crate::lock;
use crate::money::Amount;
use crate::world::World;

/// What every handler gets.
pub(crate) struct Call {
    pub(crate) world: Arc<World>,
    pub(crate) caller: Caller,
    /// The `{uuid}` of the path, empty where there is none.
    pub(crate) uuid: String,
    pub(crate) query: HashMap<String, String>,
    pub(crate) host: String,
    pub(super) sequence: u64,
    pub(super) is_json: bool,
    pub(super) body: Bytes,
}

impl Call {
    /// The body's fields.
    pub(crate) fn input(&self) -> Input {
        Input::body(self.is_json, &self.body)
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
            entry.billed = billed.map(Amount::as_dollars);
        });
    }

    /// Takes as long as the server is set to take.
    pub(crate) async fn take_time(&self) {
        let World {
            config,
            clock,
            seeded,
            ..
        } = &*self.world;
        let latency = config.latency.of_request(self.sequence, *seeded);
        if !latency.is_zero() {
            tokio::time::sleep(clock.real(latency)).await;
        }
    }
}

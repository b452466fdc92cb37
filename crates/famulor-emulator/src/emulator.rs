//! A running emulator, as the program around it sees it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::api::BASE_PATH;
use crate::builder::EmulatorBuilder;
use crate::caller::Caller;
use crate::faults::{Fault, FaultBook, PendingFault};
use crate::journal::JournalEntry;
use crate::limits::LimitUse;
use crate::lock;
use crate::money::Amount;
use crate::seeded::fingerprint;
use crate::server::Lifeline;
use crate::state::{Assistant, Conversation};
use crate::stats::Stats;
use crate::webhooks::{self, Delivery, MessageStatus};
use crate::world::World;

/// A running emulator.
///
/// Any number of them run side by side in one process. Dropping one stops it at
/// once: connections are closed, calls under way are not answered. See
/// [`shutdown`](Self::shutdown) for the orderly way.
#[must_use = "dropping an emulator stops it"]
pub struct Emulator {
    address: SocketAddr,
    world: Arc<World>,
    life: Lifeline,
}

impl Emulator {
    /// Sets one up.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::default()
    }

    pub(crate) fn new(address: SocketAddr, world: Arc<World>, life: Lifeline) -> Self {
        Self {
            address,
            world,
            life,
        }
    }

    /// The API's base URL, such as `http://127.0.0.1:41234/api`.
    ///
    /// An emulator that listens on every address (`0.0.0.0`) is named by the
    /// loopback one, since no client can connect to that.
    pub fn base_url(&self) -> String {
        let mut address = self.address;
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        format!("http://{address}{BASE_PATH}")
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The last requests, oldest first.
    pub fn journal(&self) -> Vec<JournalEntry> {
        lock(&self.world.record).journal.entries()
    }

    /// Figures since the start or the last reset.
    pub fn stats(&self) -> Stats {
        self.world.stats()
    }

    /// The mark by which journal and stats name this token.
    pub fn fingerprint(token: &str) -> String {
        fingerprint(token)
    }

    /// Makes calls go wrong. The number takes the fault back.
    pub fn inject(&self, fault: Fault) -> u64 {
        self.world.faults.with(|book| book.inject(fault))
    }

    /// The faults that have not been played out.
    pub fn faults(&self) -> Vec<PendingFault> {
        self.world.faults.with(|book| book.pending())
    }

    /// Takes one fault back; false: it is not there any more.
    pub fn take_back(&self, id: u64) -> bool {
        self.world.faults.with(|book| book.take_back(id))
    }

    /// Closes the port for this long, in real time: connections are refused,
    /// kept ones are closed, calls under way are answered. Done once it is closed.
    pub async fn refuse_connections(&self, duration: Duration) {
        self.world.doors.close_for(duration).await;
    }

    /// Takes back all faults that have not been played.
    pub fn clear_faults(&self) {
        self.world.faults.with(FaultBook::clear);
    }

    /// Moves emulated time forward. Calls under way are not woken.
    pub fn advance(&self, by: Duration) {
        self.world.clock.advance(by);
    }

    /// The emulated time.
    pub fn now(&self) -> SystemTime {
        self.world.clock.now().into()
    }

    /// Goes back to how it was started: conversations, quotas, balances,
    /// journal, figures and faults. Emulated time stays where it is.
    pub fn reset(&self) {
        self.world.reset();
    }

    /// Adds an assistant until the next reset, in the place of one with the
    /// same id or UUID.
    pub fn add_assistant(&self, assistant: Assistant) {
        lock(&self.world.state).add_assistant(assistant);
    }

    /// Adds a conversation until the next reset, in the place of one with the
    /// same id.
    pub fn add_conversation(&self, conversation: Conversation) {
        let now = self.world.clock.now();
        let mut state = lock(&self.world.state);
        state.add_conversation(conversation, now);
        if let Some((_, added)) = state.conversations().next_back() {
            self.world.watch(&state, added);
        }
    }

    /// A conversation as it stands.
    pub fn conversation(&self, id: &str) -> Option<Conversation> {
        lock(&self.world.state).conversation(id).cloned()
    }

    /// The conversation of a customer with an assistant, as generate-reply
    /// keeps it.
    pub fn conversation_of(
        &self,
        assistant_id: i64,
        customer_identifier: &str,
    ) -> Option<Conversation> {
        lock(&self.world.state)
            .conversation_of(assistant_id, customer_identifier)
            .cloned()
    }

    /// Sets a token's balance, in US dollars.
    pub fn set_balance(&self, token: &str, dollars: f64) {
        lock(&self.world.state).set_balance(Caller::token(token), Amount::dollars(dollars));
    }

    /// A token's balance, in US dollars.
    pub fn balance(&self, token: &str) -> f64 {
        lock(&self.world.state)
            .balance(&Caller::token(token))
            .as_dollars()
    }

    /// The attempts to call webhooks, oldest first.
    pub fn deliveries(&self) -> Vec<Delivery> {
        lock(&self.world.record).deliveries.entries()
    }

    /// Ends a conversation as silence would, which calls its assistant's
    /// webhook; false: there is no such conversation.
    pub fn end_conversation(&self, id: &str) -> bool {
        webhooks::end_now(&self.world, id)
    }

    /// Reports a status of the last WhatsApp message of this conversation;
    /// false: it is no WhatsApp conversation, or nobody asked for receipts.
    pub fn report_status(&self, conversation: &str, status: MessageStatus) -> bool {
        webhooks::report_status(&self.world, conversation, status)
    }

    /// What every token has used of its limits.
    pub fn limits(&self) -> Vec<LimitUse> {
        let limits = lock(&self.world.limits);
        limits.used(self.world.clock.elapsed())
    }

    /// Takes no more calls, answers those under way, and ends. Dropping the
    /// future ends it at once.
    pub async fn shutdown(self) {
        self.life.stop.cancel();
        self.life.ended().await;
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.life.cut();
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator")
            .field("addr", &self.address)
            .finish_non_exhaustive()
    }
}

//! Everything one emulator is made of, shared by its connections.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use jiff::Timestamp;

use crate::agenda::Agenda;
use crate::caller::Caller;
use crate::clock::Clock;
use crate::doors::Doors;
use crate::faults::{Fault, FaultBook, Faults};
use crate::journal::{Journal, JournalEntry};
use crate::latency::Latency;
use crate::limits::{LimitAlgorithm, Limits, RateLimit, in_order};
use crate::lock;
use crate::money::Amount;
use crate::replies::Rule;
use crate::seeded::Seeded;
use crate::state::{Assistant, Conversation, DOCUMENTED_CONVERSATION, State};
use crate::stats::{Stats, Tally};
use crate::webhooks::{self, DeliveryLog, ReadReceipts};

/// Called with every request once it is over.
pub(crate) type OnRequest = Arc<dyn Fn(&JournalEntry) + Send + Sync>;

/// How an emulator was asked to be.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) tokens: Vec<String>,
    pub(crate) reply_limit: Option<RateLimit>,
    pub(crate) general_limits: Vec<RateLimit>,
    pub(crate) algorithm: LimitAlgorithm,
    pub(crate) latency: Latency,
    pub(crate) seed: u64,
    pub(crate) time_scale: f64,
    pub(crate) starts_at: Option<Timestamp>,
    pub(crate) balance: Amount,
    pub(crate) reply_price: Amount,
    pub(crate) widget_price: Amount,
    pub(crate) token_settings: HashMap<String, TokenSettings>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) webhook_hosts: Vec<String>,
    pub(crate) read_receipts: Option<ReadReceipts>,
    pub(crate) assistants: Vec<Assistant>,
    pub(crate) conversations: Vec<Conversation>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) login_redirect: bool,
    pub(crate) control_from_anywhere: bool,
    pub(crate) journal_capacity: usize,
    pub(crate) on_request: Option<OnRequest>,
}

/// What is different for one token; `None`: as for the others.
#[derive(Clone, Default)]
pub(crate) struct TokenSettings {
    pub(crate) balance: Option<Amount>,
    pub(crate) reply_limit: Option<Option<RateLimit>>,
    pub(crate) general_limits: Option<Vec<RateLimit>>,
}

impl Config {
    fn limits(&self) -> Limits {
        let own = self.token_settings.iter().map(|(token, settings)| {
            let general = settings.general_limits.as_ref();
            let limits = in_order(
                general.unwrap_or(&self.general_limits),
                settings.reply_limit.unwrap_or(self.reply_limit),
            );
            (Caller::token(token), limits)
        });
        let limits = in_order(&self.general_limits, self.reply_limit);
        Limits::new(self.algorithm, limits, own.collect())
    }
}

/// One emulated server.
pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) seeded: Seeded,
    pub(crate) state: Mutex<State>,
    pub(crate) limits: Mutex<Limits>,
    /// Somebody has a limit; nobody counts where nobody has.
    pub(crate) is_limited: bool,
    pub(crate) faults: Faults,
    pub(crate) doors: Doors,
    pub(crate) record: Mutex<Record>,
    pub(crate) agenda: Agenda,
    courier: OnceLock<reqwest::Client>,
}

/// What is remembered of past requests.
pub(crate) struct Record {
    pub(crate) journal: Journal,
    pub(crate) tally: Tally,
    pub(crate) deliveries: DeliveryLog,
}

impl World {
    pub(crate) fn new(config: Config) -> Self {
        let clock = Clock::new(
            config.starts_at.unwrap_or_else(Timestamp::now),
            config.time_scale,
        );
        let seeded = Seeded::new(config.seed);
        let limits = config.limits();
        let world = Self {
            is_limited: !limits.are_off(),
            state: Mutex::new(fresh_state(&config, seeded, clock.now())),
            limits: Mutex::new(limits),
            faults: Faults::new(&config.faults, seeded),
            doors: Doors::new(),
            record: Mutex::new(Record {
                journal: Journal::new(config.journal_capacity, clock.origin()),
                tally: Tally::default(),
                deliveries: DeliveryLog::new(config.journal_capacity),
            }),
            agenda: Agenda::default(),
            courier: OnceLock::new(),
            seeded,
            clock,
            config,
        };
        world.watch_all();
        world
    }

    /// Sees to it that a conversation ends once it has been silent for long enough.
    pub(crate) fn watch(&self, state: &State, conversation: &Conversation) {
        if !conversation.ends() || conversation.ended_at.is_some() {
            return;
        }
        if let Some(assistant) = state.assistant(conversation.assistant_id) {
            let due = self.clock.elapsed_at(conversation.last_said());
            self.agenda
                .watch(&conversation.id, due + assistant.inactivity_timeout);
        }
    }

    fn watch_all(&self) {
        let state = lock(&self.state);
        for (_, conversation) in state.conversations() {
            // The documented one ends only once somebody has spoken in it: a
            // test that waits for its own is not to get another's webhook.
            if conversation.id != DOCUMENTED_CONVERSATION {
                self.watch(&state, conversation);
            }
        }
    }

    /// What calls webhooks.
    pub(crate) fn courier(&self) -> Result<reqwest::Client, reqwest::Error> {
        if let Some(client) = self.courier.get() {
            return Ok(client.clone());
        }
        let client = webhooks::client()?;
        Ok(self.courier.get_or_init(|| client).clone())
    }

    /// As it was at the start, except for the time.
    pub(crate) fn reset(&self) {
        *lock(&self.state) = fresh_state(&self.config, self.seeded, self.clock.now());
        lock(&self.limits).reset();
        self.faults
            .with(|book| *book = FaultBook::new(&self.config.faults, self.seeded));
        let mut record = lock(&self.record);
        record.journal.reset();
        record.tally = Tally::default();
        record.deliveries = DeliveryLog::new(self.config.journal_capacity);
        drop(record);
        self.agenda.clear();
        self.watch_all();
    }

    pub(crate) fn stats(&self) -> Stats {
        let state = lock(&self.state);
        lock(&self.record)
            .tally
            .stats(|caller: &Caller| state.balance(caller))
    }
}

fn fresh_state(config: &Config, seeded: Seeded, now: Timestamp) -> State {
    let mut state = State::new(
        &config.assistants,
        &config.conversations,
        config.balance,
        seeded,
        now,
    );
    for (token, settings) in &config.token_settings {
        if let Some(balance) = settings.balance {
            state.set_balance(Caller::token(token), balance);
        }
    }
    state
}

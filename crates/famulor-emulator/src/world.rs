//! Everything one emulator is made of, shared by its connections.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use crate::caller::Caller;
use crate::clock::Clock;
use crate::faults::FaultBook;
use crate::journal::{Journal, JournalEntry};
use crate::latency::Latency;
use crate::limits::{LimitAlgorithm, Limits, RateLimit};
use crate::lock;
use crate::money::Amount;
use crate::seeded::Seeded;
use crate::state::{Assistant, Conversation, State};
use crate::stats::{Stats, Tally};

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
    pub(crate) assistants: Vec<Assistant>,
    pub(crate) conversations: Vec<Conversation>,
    pub(crate) login_redirect: bool,
    pub(crate) control_from_anywhere: bool,
    pub(crate) journal_capacity: usize,
    pub(crate) on_request: Option<OnRequest>,
}

/// One emulated server.
pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) seeded: Seeded,
    pub(crate) state: Mutex<State>,
    pub(crate) limits: Mutex<Limits>,
    pub(crate) faults: Mutex<FaultBook>,
    pub(crate) record: Mutex<Record>,
}

/// What is remembered of past requests.
pub(crate) struct Record {
    pub(crate) journal: Journal,
    pub(crate) tally: Tally,
}

impl World {
    pub(crate) fn new(config: Config) -> Self {
        let clock = Clock::new(
            config.starts_at.unwrap_or_else(Timestamp::now),
            config.time_scale,
        );
        let seeded = Seeded::new(config.seed);
        Self {
            state: Mutex::new(fresh_state(&config, seeded, clock.now())),
            limits: Mutex::new(Limits::new(
                config.algorithm,
                &config.general_limits,
                config.reply_limit,
            )),
            faults: Mutex::default(),
            record: Mutex::new(Record {
                journal: Journal::new(config.journal_capacity),
                tally: Tally::default(),
            }),
            seeded,
            clock,
            config,
        }
    }

    /// As it was at the start, except for the time.
    pub(crate) fn reset(&self) {
        *lock(&self.state) = fresh_state(&self.config, self.seeded, self.clock.now());
        lock(&self.limits).reset();
        lock(&self.faults).clear();
        let mut record = lock(&self.record);
        record.journal.reset();
        record.tally = Tally::default();
    }

    pub(crate) fn stats(&self) -> Stats {
        let state = lock(&self.state);
        lock(&self.record)
            .tally
            .stats(|caller: &Caller| state.balance(caller))
    }
}

fn fresh_state(config: &Config, seeded: Seeded, now: Timestamp) -> State {
    State::new(
        &config.assistants,
        &config.conversations,
        config.balance,
        seeded,
        now,
    )
}

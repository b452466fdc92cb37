//! How an emulator is set up.

use std::collections::HashMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::SystemTime;

use jiff::Timestamp;
use tokio::net::TcpListener;

use crate::emulator::Emulator;
use crate::faults::Fault;
use crate::journal::JournalEntry;
use crate::latency::Latency;
use crate::limits::{LimitAlgorithm, RateLimit};
use crate::money::Amount;
use crate::script::Script;
use crate::server::{self, IoThreads, Lifeline, Servers};
use crate::state::{Assistant, Conversation};
use crate::webhooks::ReadReceipts;
use crate::world::{Config, World};
use crate::{agenda, control};

/// The documented balance of `GET /user/me`.
const DOCUMENTED_BALANCE: f64 = 100.674_470_94;

/// generate-reply's price is not documented. A widget message's, so that
/// neither path looks cheaper than the other.
const ASSUMED_REPLY_PRICE: f64 = 0.01;

/// What a widget's message costs (facts, "Billing").
const WIDGET_MESSAGE: f64 = 0.01;

/// Sets an [`Emulator`] up.
///
/// Every setting has a default: a free port, any token, the documented limits,
/// no latency, real time.
#[must_use]
#[derive(Clone)]
pub struct EmulatorBuilder {
    listen: SocketAddr,
    io_threads: Option<NonZeroUsize>,
    config: Config,
}

/// Why an emulator did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address is taken, or not this machine's.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A time scale is a number, and time does not run backwards.
    #[error("a time scale of {0} is not zero or more")]
    TimeScale(f64),
    /// The system has no more threads, or files, for [`EmulatorBuilder::io_threads`].
    #[error("cannot start a thread")]
    Thread(#[source] std::io::Error),
}

impl Default for EmulatorBuilder {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            io_threads: None,
            config: Config {
                tokens: Vec::new(),
                reply_limit: Some(RateLimit::REPLIES),
                general_limits: vec![RateLimit::PER_MINUTE, RateLimit::BURST],
                algorithm: LimitAlgorithm::default(),
                latency: Latency::default(),
                seed: 0,
                time_scale: 1.0,
                starts_at: None,
                balance: Amount::dollars(DOCUMENTED_BALANCE),
                reply_price: Amount::dollars(ASSUMED_REPLY_PRICE),
                widget_price: Amount::dollars(WIDGET_MESSAGE),
                token_settings: HashMap::new(),
                rules: Vec::new(),
                webhook_hosts: Vec::new(),
                read_receipts: None,
                assistants: Vec::new(),
                conversations: Vec::new(),
                faults: Vec::new(),
                login_redirect: false,
                control_from_anywhere: false,
                journal_capacity: 10_000,
                on_request: None,
            },
        }
    }
}

impl EmulatorBuilder {
    /// Takes everything from a [`Script`]. What is set after it wins over it.
    pub fn script(mut self, script: Script) -> Self {
        script.apply(&mut self.config);
        self
    }

    /// Where to listen. Default: a free port of 127.0.0.1.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Serves connections by so many threads of its own, for a server that is to
    /// be fast; 0: by the runtime that it is started on. Default: 0.
    ///
    /// Each thread has a runtime with a clock of its own: waits of calls (a
    /// latency, a fault's delay) do not follow a paused clock of tokio's then.
    pub fn io_threads(mut self, count: usize) -> Self {
        self.io_threads = NonZeroUsize::new(count);
        self
    }

    /// Accepts this token. Repeatable. Default: any non-empty token.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.config.tokens.push(token.into());
        self
    }

    /// Accepts this token alone, whatever was named before it.
    pub fn only_token(mut self, token: impl Into<String>) -> Self {
        self.config.tokens = vec![token.into()];
        self
    }

    /// generate-reply's limit per token. Default: 5 in 60 s (seed 2).
    pub fn rate_limit(mut self, limit: RateLimit) -> Self {
        self.config.reply_limit = Some(limit);
        self
    }

    /// The limits of all endpoints together, per token, or per address for
    /// calls without one. Default: 100 in 60 s and 20 in 10 s (authentication guide).
    pub fn general_limits(mut self, limits: impl IntoIterator<Item = RateLimit>) -> Self {
        self.config.general_limits = limits.into_iter().collect();
        self
    }

    /// Switches all limits off, those of single tokens too. Answers then carry
    /// no limit headers.
    pub fn without_limits(mut self) -> Self {
        self.config.reply_limit = None;
        self.config.general_limits.clear();
        for settings in self.config.token_settings.values_mut() {
            settings.reply_limit = None;
            settings.general_limits = None;
        }
        self
    }

    /// How the limits count. Default: as Laravel does.
    pub fn limit_algorithm(mut self, algorithm: LimitAlgorithm) -> Self {
        self.config.algorithm = algorithm;
        self
    }

    /// How long an answer takes, in emulated time. Default: no time.
    pub fn latency(mut self, latency: impl Into<Latency>) -> Self {
        self.config.latency = latency.into();
        self
    }

    /// Conversation ids, replies and latencies are the same for the same seed.
    /// Default: 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }

    /// Emulated time runs this many times as fast as real time; 0: it stands
    /// still and only [`Emulator::advance`] moves it. Default: 1.
    pub fn time_scale(mut self, scale: f64) -> Self {
        self.config.time_scale = scale;
        self
    }

    /// The emulated time at the start. Default: the real one.
    pub fn starts_at(mut self, time: SystemTime) -> Self {
        self.config.starts_at = Timestamp::try_from(time).ok();
        self
    }

    /// What every token's balance starts with, in US dollars. Default:
    /// 100.67447094, as in the documented answer of `GET /user/me`.
    pub fn balance(mut self, dollars: f64) -> Self {
        self.config.balance = Amount::dollars(dollars);
        self
    }

    /// What a generated reply costs, in US dollars. Default: 0.01, which is an
    /// assumption: the price is not documented.
    pub fn reply_price(mut self, dollars: f64) -> Self {
        self.config.reply_price = Amount::dollars(dollars);
        self
    }

    /// Has this assistant too, from the start and after a reset. One with the
    /// same id or UUID is replaced.
    pub fn assistant(mut self, assistant: Assistant) -> Self {
        self.config.assistants.push(assistant);
        self
    }

    /// Has this conversation too, from the start and after a reset.
    pub fn conversation(mut self, conversation: Conversation) -> Self {
        self.config.conversations.push(conversation);
        self
    }

    /// Has this fault too, from the start and, whole again, after a reset.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.config.faults.push(fault);
        self
    }

    /// What a message to a widget costs, in US dollars. Default: the documented 0.01.
    pub fn widget_price(mut self, dollars: f64) -> Self {
        self.config.widget_price = Amount::dollars(dollars);
        self
    }

    /// Gives one token limits of its own: of replies, and of all endpoints together.
    pub fn token_limits(
        mut self,
        token: impl Into<String>,
        replies: Option<RateLimit>,
        general: impl IntoIterator<Item = RateLimit>,
    ) -> Self {
        let settings = self.config.token_settings.entry(token.into()).or_default();
        settings.reply_limit = Some(replies);
        settings.general_limits = Some(general.into_iter().collect());
        self
    }

    /// Lets webhooks call this host too. Default: only loopback addresses and
    /// `localhost`, so that no test calls out by mistake.
    pub fn allow_webhooks_to(mut self, host: impl Into<String>) -> Self {
        self.config.webhook_hosts.push(host.into());
        self
    }

    /// Reports how far WhatsApp messages have got. Default: nobody is told.
    pub fn read_receipts(mut self, receipts: ReadReceipts) -> Self {
        self.config.read_receipts = Some(receipts);
        self
    }

    /// A refused key gets a redirect to a login page, not a 401, where the
    /// request does not ask for JSON in `Accept`. The real server may do so
    /// (facts, surprise 11). Default: off.
    pub fn redirect_to_login(mut self, redirect: bool) -> Self {
        self.config.login_redirect = redirect;
        self
    }

    /// Lets other machines use the control plane. Default: this machine only.
    pub fn control_from_anywhere(mut self, open: bool) -> Self {
        self.config.control_from_anywhere = open;
        self
    }

    /// How many requests the journal remembers. Default: 10 000.
    pub fn journal_capacity(mut self, entries: usize) -> Self {
        self.config.journal_capacity = entries;
        self
    }

    /// Calls this with every request once it is over, answered or not: for a
    /// log. It runs where the answer is waited for, so it had better be quick.
    /// Repeatable: all are called, in their order.
    pub fn on_request(mut self, show: impl Fn(&JournalEntry) + Send + Sync + 'static) -> Self {
        self.config.on_request = Some(match self.config.on_request.take() {
            None => Arc::new(show),
            Some(earlier) => Arc::new(move |entry: &JournalEntry| {
                earlier(entry);
                show(entry);
            }),
        });
        self
    }

    #[cfg(test)]
    pub(crate) fn into_config(self) -> Config {
        self.config
    }

    /// Starts it on the current tokio runtime. It listens when this returns.
    ///
    /// # Errors
    ///
    /// [`StartError`]: the address is taken, the time scale is none, or there is
    /// no thread left for [`io_threads`](Self::io_threads).
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its network and timer switched on.
    pub async fn start(self) -> Result<Emulator, StartError> {
        #[cfg(debug_assertions)]
        let this = crate::witness::called_to(self);
        #[cfg(not(debug_assertions))]
        let this = self;
        this.run().await
    }

    async fn run(self) -> Result<Emulator, StartError> {
        let scale = self.config.time_scale;
        if !scale.is_finite() || scale < 0.0 {
            return Err(StartError::TimeScale(scale));
        }
        let listen_error = |source| StartError::Listen {
            address: self.listen,
            source,
        };
        let listener = TcpListener::bind(self.listen).await.map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        let world = Arc::new(World::new(self.config));
        let life = Lifeline::default();
        let threads = self.io_threads.map(|count| IoThreads::start(count, &life));
        let threads = threads.transpose().map_err(|error| {
            life.cut();
            StartError::Thread(error)
        })?;
        let servers = Servers {
            control: control::router(Arc::clone(&world)),
            world: Arc::clone(&world),
        };
        server::start(listener, servers, threads, &life, &world.doors);
        life.detach(agenda::keep(Arc::clone(&world), life.clone()));
        Ok(Emulator::new(address, world, life))
    }
}

/// Without tokens.
impl fmt::Debug for EmulatorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmulatorBuilder")
            .field("listen", &self.listen)
            .finish_non_exhaustive()
    }
}

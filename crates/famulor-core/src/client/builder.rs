//! Building a client: every setting is checked before anything is sent.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use famulor_gen::{SUCCESS_BODY_CEILING, Session};
use famulor_quota::{AccountKey, Lane, Limit, Quota, QuotaStore};
use secrecy::{ExposeSecret, SecretString};

use super::limits::{GENERAL_SCOPE, REPLY_SCOPE, limits};
use super::wait_notice::{WaitNotice, WaitObserver};
use super::{Client, Shared};
use crate::call::Order;
use crate::delivery::Positions;
use crate::options::CallOptions;
use crate::transport::{BaseUrl, DEFAULT_BASE_URL, Proxy, TransportSettings, build};
use crate::usage::Counters;
use crate::{Error, OnUnknown, Result};

/// Where generate-reply lives. Source: seed 002.
pub(crate) const DEFAULT_REPLY_PATH: &str = "/ai/generate-reply";

/// Settings of a [`Client`]. Nothing is checked before [`build`](Self::build).
///
/// ```
/// # fn main() -> famulor_core::Result<()> {
/// use std::time::Duration;
///
/// let client = famulor_core::Client::builder()
///     .with_api_key("1|abc")
///     .with_deadline(Duration::from_secs(90))
///     .build()?;
/// assert!(client.has_key());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct ClientBuilder {
    key: Option<SecretString>,
    base_url: String,
    reply_path: String,
    plain_http_allowed: bool,
    transport: TransportSettings,
    body_ceiling: usize,
    options: CallOptions,
    reply_limit: Option<Limit>,
    general_limits: Option<Vec<Limit>>,
    limited: bool,
    quota: Option<Quota>,
    max_billed_messages: Option<u64>,
    wait_observer: Option<WaitObserver>,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            key: None,
            base_url: DEFAULT_BASE_URL.to_owned(),
            reply_path: DEFAULT_REPLY_PATH.to_owned(),
            plain_http_allowed: false,
            transport: TransportSettings::default(),
            body_ceiling: SUCCESS_BODY_CEILING,
            options: CallOptions::default(),
            reply_limit: None,
            general_limits: None,
            limited: true,
            quota: None,
            max_billed_messages: None,
            wait_observer: None,
        }
    }
}

impl ClientBuilder {
    /// The API key of the dashboard. Without one only the three conversation calls work.
    pub fn with_api_key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(SecretString::from(key.into()));
        self
    }

    /// Where the API lives. Default: `https://app.famulor.de/api`.
    pub fn with_base_url(mut self, url: &str) -> Self {
        url.clone_into(&mut self.base_url);
        self
    }

    /// Where generate-reply lives below the base URL. Default: `/ai/generate-reply` (seed 002); some accounts document
    /// `/user/ai/generate-reply`.
    pub fn with_reply_path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.reply_path);
        self
    }

    /// Allows plain http to an address that is not this machine. Everyone on the way can then read the key.
    pub fn with_plain_http_allowed(mut self, allowed: bool) -> Self {
        self.plain_http_allowed = allowed;
        self
    }

    /// Trusts these certificates too, in PEM form.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let pem = std::fs::read("/etc/ssl/company-ca.pem")?;
    /// let client = famulor_core::Client::builder().with_ca_certificate(pem).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_ca_certificate(mut self, pem: Vec<u8>) -> Self {
        self.transport.ca_certificates.push(pem);
        self
    }

    /// Goes through this proxy, whatever the environment says. Default: `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = famulor_core::Client::builder().with_proxy("http://proxy.internal:3128").build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_proxy(mut self, url: &str) -> Self {
        self.transport.proxy = Proxy::Url(url.to_owned());
        self
    }

    /// Goes through no proxy, whatever the environment says.
    pub fn without_proxy(mut self) -> Self {
        self.transport.proxy = Proxy::None;
        self
    }

    /// What the client calls itself. Default: `famulor-rust/` and its version.
    pub fn with_user_agent(mut self, name: &str) -> Self {
        self.transport.user_agent = Some(name.to_owned());
        self
    }

    /// How many idle connections are kept. Default: no limit.
    pub fn with_pool_max_idle(mut self, connections: usize) -> Self {
        self.transport.pool_max_idle = Some(connections);
        self
    }

    /// How long an idle connection is kept. Default: 90 s.
    pub fn with_pool_idle_timeout(mut self, timeout: Duration) -> Self {
        self.transport.pool_idle_timeout = Some(timeout);
        self
    }

    /// How many bytes of an answer are read; a longer one is unreadable. Default: 16 MiB.
    pub fn with_body_ceiling(mut self, bytes: usize) -> Self {
        self.body_ceiling = bytes;
        self
    }

    /// The time for making a connection. Default: 10 s.
    pub fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.options.connect_timeout = timeout;
        self
    }

    /// The time for one attempt, from sending to the last byte of the answer. Default: 60 s.
    pub fn with_attempt_timeout(mut self, timeout: Duration) -> Self {
        self.options.attempt_timeout = timeout;
        self
    }

    /// The time for all of a call: queueing, attempts, waits and reading back. Default: 120 s.
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.options.deadline = deadline;
        self
    }

    /// The longest wait for the quota. Default: up to the deadline.
    pub fn with_max_wait(mut self, wait: Duration) -> Self {
        self.options.max_wait = Some(wait);
        self
    }

    /// The quiet time before "the message is not there" is believed. Default: 120 s.
    pub fn with_doubt_wait(mut self, wait: Duration) -> Self {
        self.options.doubt_wait = wait;
        self
    }

    /// How often a request may be sent again after a failure that is known not to have been processed. Default: 3.
    pub fn with_max_retries(mut self, retries: u32) -> Self {
        self.options.max_retries = retries;
        self
    }

    /// What to do when nobody knows whether a message arrived. Default: [`OnUnknown::Verify`].
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use famulor_core::{Client, OnUnknown};
    ///
    /// let client = Client::builder().with_on_unknown(OnUnknown::Fail).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_on_unknown(mut self, policy: OnUnknown) -> Self {
        self.options.on_unknown = policy;
        self
    }

    /// The account's limit on replies; accounts differ. Default: 5 in 60 s (seed 002).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = famulor_core::Client::builder().with_rate_limit("20/60s".parse()?).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_rate_limit(mut self, limit: Limit) -> Self {
        self.reply_limit = Some(limit.with_scope(REPLY_SCOPE));
        self
    }

    /// The account's limits on all calls together; accounts differ. Default: 100 in 60 s and 20 in 10 s (vendor's
    /// authentication guide).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = famulor_core::Client::builder().with_general_limits(["200/60s".parse()?]).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_general_limits(mut self, limits: impl IntoIterator<Item = Limit>) -> Self {
        let limits = limits
            .into_iter()
            .map(|limit| limit.with_scope(GENERAL_SCOPE));
        self.general_limits = Some(limits.collect());
        self
    }

    /// Knows no limits: every call goes at once, and the server's refusals are waited for.
    pub fn without_limits(mut self) -> Self {
        self.limited = false;
        self
    }

    /// Keeps the quota in this store, which other processes may share. Default: in memory, for this client and its
    /// clones.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use famulor_core::Client;
    /// use famulor_quota::MemoryStore;
    ///
    /// // In a program of several processes: famulor_quota::open_store("redis://…").await? in its place.
    /// let client = Client::builder().with_quota_store(MemoryStore::new()).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_quota_store(self, store: impl QuotaStore) -> Self {
        self.with_quota(Quota::with_store(store))
    }

    /// Which lane calls wait in for the quota. Default: [`Lane::Interactive`].
    pub fn with_lane(mut self, lane: Lane) -> Self {
        self.options.lane = lane;
        self
    }

    /// Shares this quota with other clients. Default: one of its own, in memory.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use famulor_core::{Client, Quota};
    ///
    /// let quota = Quota::in_memory();
    /// let first = Client::builder().with_api_key("1|abc").with_quota(quota.clone()).build()?;
    /// let second = Client::builder().with_api_key("1|abc").with_quota(quota).with_max_retries(0).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_quota(mut self, quota: Quota) -> Self {
        self.quota = Some(quota);
        self
    }

    /// Sends at most so many billed messages, and refuses further ones before sending.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = famulor_core::Client::builder().with_max_billed_messages(100).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_max_billed_messages(mut self, messages: u64) -> Self {
        self.max_billed_messages = Some(messages);
        self
    }

    /// Tells when a call has to wait for the quota: to print a line, not to do work.
    pub fn with_wait_observer(
        mut self,
        tell: impl Fn(&WaitNotice) + Send + Sync + 'static,
    ) -> Self {
        self.wait_observer = Some(Arc::new(tell));
        self
    }

    /// Checks all settings and builds the client. Makes no connection.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use famulor_core::{Client, ErrorKind};
    ///
    /// let error = Client::builder().with_base_url("http://example.com").build().expect_err("plain http");
    /// assert_eq!(error.kind(), ErrorKind::Config);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), with the setting that cannot work.
    pub fn build(self) -> Result<Client> {
        let base_url = BaseUrl::parse(&self.base_url, self.plain_http_allowed)?;
        let reply_path = check_reply_path(&self.reply_path)?;
        let mut session = Session::new().with_body_ceiling(self.body_ceiling);
        // The documented path is the generated one: to set it would cost every reply a second URL.
        if reply_path != DEFAULT_REPLY_PATH {
            session = session.with_reply_path(&reply_path);
        }
        if let Some(key) = &self.key {
            session = session.with_token(key.expose_secret()).map_err(|error| {
                Error::config(error.to_string(), "copy the key from the dashboard again")
            })?;
        }
        let key = self.key.as_ref().map_or("", |key| key.expose_secret());
        let account = AccountKey::new(format!("{}\n{key}", base_url.as_str()));
        let (reply_limits, general_limits) =
            limits(self.limited, self.reply_limit, self.general_limits);
        let http = build(&self.transport, self.options.connect_timeout)?;
        let needs_system_certificates =
            base_url.is_secure() && self.transport.trusts_only_the_system();
        let shared = Shared {
            base_url,
            http,
            needs_system_certificates,
            session,
            key: self.key,
            account,
            quota: self.quota.unwrap_or_else(Quota::in_memory),
            reply_limits,
            general_limits,
            order: Order::default(),
            positions: Positions::default(),
            counters: Counters::with_ceiling(self.max_billed_messages),
            wait_observer: self.wait_observer,
            reply_path,
        };
        Ok(Client {
            shared: Arc::new(shared),
            options: self.options,
        })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("has_key", &self.key.is_some())
            .finish_non_exhaustive()
    }
}

fn check_reply_path(path: &str) -> Result<String> {
    let path = path.trim();
    let usable = path.starts_with('/')
        && !path.contains(['?', '#', '%', '\\'])
        && !path.contains("//")
        && !path.contains(char::is_whitespace)
        && path
            .split('/')
            .all(|segment| !matches!(segment, "." | ".."));
    if usable && path.len() > 1 {
        return Ok(path.trim_end_matches('/').to_owned());
    }
    Err(Error::config(
        "the path of generate-reply is not a path below the base URL",
        "write /ai/generate-reply or /user/ai/generate-reply",
    ))
}

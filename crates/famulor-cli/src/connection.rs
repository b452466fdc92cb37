//! From settings to a client, with an emulator of its own if that is wished for.

use famulor_core::{Client, ClientBuilder, Lane};
use famulor_emulator::Emulator;

use crate::failure::Failure;
use crate::quota;
use crate::run::Run;
use crate::settings::{self, Found, RateLimit};
use crate::spinner::Spinner;
use crate::visible::visible_line;

/// Whether a command can do without a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Required,
    /// `/conversations` answers without one too.
    Optional,
}

/// A client, and the emulator behind it: dropping this stops the emulator.
pub(crate) struct Connection {
    pub(crate) client: Client,
    _emulator: Option<Emulator>,
}

/// The emulator accepts any token; the user's own one has no business there.
const EMULATOR_KEY: &str = "emulator";

impl Connection {
    pub(crate) async fn open(run: &mut Run, key: Key) -> Result<Self, Failure> {
        let found = Self::key(run, key).await?;
        Self::open_with(run, found).await
    }

    /// With this key, if it is one.
    pub(crate) async fn open_with(run: &Run, found: Found) -> Result<Self, Failure> {
        let notes = run.notes;
        let flight = std::sync::Arc::clone(&run.flight);
        let mut builder = configured(run)?.with_wait_observer(move |notice| {
            flight.waits(notice.wait, notice.ahead);
            // A spinner says it too, and counts.
            if !Spinner::is_shown() {
                notes.waiting(notice.wait, notice.ahead);
            }
        });
        if let Some(wait) = &run.settings.max_wait {
            builder = builder.with_max_wait(wait.value);
        }
        Self::with(run, found, builder).await
    }

    /// For a backlog: live customers go first, and waiting is what it mostly does, for as long as it takes.
    pub(crate) async fn open_for_batch(run: &mut Run, key: Key) -> Result<Self, Failure> {
        let found = Self::key(run, key).await?;
        let builder = configured(run)?.with_lane(Lane::Bulk);
        Self::with(run, found, builder).await
    }

    async fn key(run: &mut Run, key: Key) -> Result<Found, Failure> {
        if run.global.emulator {
            return Ok(Found::None);
        }
        let settings = &run.settings;
        let found = settings::key(&run.global, &run.environment, settings, &mut run.stdin).await?;
        // A request that is only shown needs no key.
        let optional = key == Key::Optional || run.global.dry_run;
        match &found {
            Found::Key { .. } => {}
            Found::Elsewhere { bound_to } if optional => run.notes.say(&format!(
                "without a key: the stored one is for {} alone",
                visible_line(bound_to)
            )),
            Found::Elsewhere { bound_to } => {
                let base_url = settings.effective_base_url();
                return Err(Failure::key_elsewhere(bound_to, base_url));
            }
            Found::None if optional => {}
            Found::None => return Err(Failure::no_key()),
        }
        Ok(found)
    }

    async fn with(run: &Run, found: Found, mut builder: ClientBuilder) -> Result<Self, Failure> {
        if run.global.emulator {
            return Self::to_emulator(run, builder).await;
        }
        let settings = &run.settings;
        if let Some(url) = &settings.base_url {
            builder = builder.with_base_url(&url.value);
        }
        if let Found::Key { key, .. } = found {
            builder = builder.with_api_key(key);
        }
        // A request that is only shown takes no slot.
        if !run.global.dry_run {
            builder = builder.with_quota(quota::open(settings).await?);
        }
        Self::of(run, builder.build()?, None)
    }

    async fn to_emulator(run: &Run, builder: ClientBuilder) -> Result<Self, Failure> {
        let emulator = Emulator::builder().start().await.map_err(|error| {
            Failure::unexpected(format!("the emulator does not start: {}", causes(&error)))
        })?;
        run.notes
            .say("emulator: this command talks to an emulator of its own, not to Famulor");
        let base_url = emulator.base_url();
        let builder = builder
            .with_base_url(&base_url)
            .with_api_key(EMULATOR_KEY)
            .without_proxy();
        Self::of(run, builder.build()?, Some(emulator))
    }

    fn of(run: &Run, client: Client, emulator: Option<Emulator>) -> Result<Self, Failure> {
        if let Some(telemetry) = &run.telemetry {
            telemetry.observe(&client);
        }
        Ok(Self {
            client,
            _emulator: emulator,
        })
    }
}

/// Everything but address, key and the longest wait.
fn configured(run: &Run) -> Result<ClientBuilder, Failure> {
    let settings = &run.settings;
    let mut builder = Client::builder().with_plain_http_allowed(run.global.allow_http);
    if let Some(path) = &settings.reply_path {
        builder = builder.with_reply_path(&path.value);
    }
    if let Some(timeout) = &settings.timeout {
        builder = builder.with_attempt_timeout(timeout.value);
    }
    if let Some(deadline) = &settings.deadline {
        builder = builder.with_deadline(deadline.value);
    }
    if let Some(wait) = &settings.doubt_wait {
        builder = builder.with_doubt_wait(wait.value);
    }
    if let Some(retries) = &settings.max_retries {
        builder = builder.with_max_retries(retries.value);
    }
    match settings.rate_limit.as_ref().map(|limit| &limit.value) {
        Some(RateLimit::Limit(limit)) => builder = builder.with_rate_limit(limit.clone()),
        Some(RateLimit::Off) => builder = builder.without_limits(),
        None => {}
    }
    if let Some(file) = &run.global.ca_cert {
        let pem = std::fs::read(file).map_err(|error| {
            Failure::config(format!("cannot read --ca-cert {}: {error}", file.display()))
        })?;
        builder = builder.with_ca_certificate(pem);
    }
    Ok(builder)
}

/// An error with everything that led to it, in one line.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

//! Where an example's calls go.

use clap::{Args, Parser};
use famulor_core::{AssistantId, Client, ClientBuilder};
use famulor_emulator::{Emulator, RateLimit};

use crate::Failure;

/// The assistant that the emulator has from the start.
const EMULATED_ASSISTANT: i64 = 123;

/// The arguments that say where calls go.
#[derive(Args, Clone, Copy, Debug)]
pub struct Whereto {
    /// Talk to an emulator inside this process: no key, no network, no cost.
    #[arg(long)]
    emulator: bool,
}

#[derive(Parser)]
struct OnlyWhereto {
    #[command(flatten)]
    whereto: Whereto,
}

/// What an example's calls go to: an emulator inside the process, or the account of the environment.
#[must_use = "dropping it stops the emulator"]
#[derive(Debug)]
pub struct Stage {
    emulator: Option<Emulator>,
    assistant: AssistantId,
}

impl Stage {
    /// The emulator's limit on replies. The documented one is 5 a minute (seed 002), and nobody wants to watch an
    /// example wait for a minute.
    pub const EMULATED_LIMIT: &str = "5/3s";

    /// As the command line says, for an example that takes no other arguments.
    ///
    /// # Errors
    /// As [`Whereto::stage`].
    pub async fn from_args() -> Result<Self, Failure> {
        OnlyWhereto::parse().whereto.stage().await
    }

    /// A builder that has the key and the address.
    ///
    /// # Errors
    /// The limit in the environment is none.
    pub fn builder(&self) -> Result<ClientBuilder, Failure> {
        let mut builder = Client::builder();
        if let Some(emulator) = &self.emulator {
            return Ok(builder
                .with_api_key("any-key-will-do")
                .with_base_url(&emulator.base_url())
                .with_rate_limit(Self::EMULATED_LIMIT.parse()?));
        }
        if let Some(key) = variable("FAMULOR_API_KEY") {
            builder = builder.with_api_key(key);
        }
        if let Some(url) = variable("FAMULOR_BASE_URL") {
            builder = builder.with_base_url(&url);
        }
        if let Some(limit) = variable("FAMULOR_RATE_LIMIT") {
            builder = builder.with_rate_limit(limit.parse()?);
        }
        Ok(builder)
    }

    /// A client: in your own program, `Client::from_env()`.
    ///
    /// # Errors
    /// A setting in the environment cannot work.
    pub fn client(&self) -> Result<Client, Failure> {
        Ok(match &self.emulator {
            Some(_) => self.builder()?.build()?,
            None => Client::from_env()?,
        })
    }

    /// The assistant that answers.
    #[must_use]
    pub fn assistant(&self) -> AssistantId {
        self.assistant
    }

    /// The emulator, to make things go wrong and to look at what arrived. `None` on your account.
    #[must_use]
    pub fn emulator(&self) -> Option<&Emulator> {
        self.emulator.as_ref()
    }
}

impl Whereto {
    /// Starts the emulator if it was asked for; otherwise sees to it that there is a key and an assistant.
    ///
    /// # Errors
    /// There is no key or no assistant: an example never falls back to the emulator by itself, so that nobody takes
    /// its answers for real ones.
    pub async fn stage(self) -> Result<Stage, Failure> {
        if !self.emulator {
            if variable("FAMULOR_API_KEY").is_none() {
                return Err(
                    "there is no FAMULOR_API_KEY; nothing was sent; set it, or add `-- --emulator` to try this \
                     without a key and without cost"
                        .into(),
                );
            }
            let assistant = variable("FAMULOR_ASSISTANT_ID")
                .ok_or("there is no FAMULOR_ASSISTANT_ID; nothing was sent; set it to the integer id of an assistant")?
                .parse()?;
            return Ok(Stage {
                emulator: None,
                assistant,
            });
        }
        let emulator = Emulator::builder()
            .rate_limit(RateLimit::parse(Stage::EMULATED_LIMIT)?)
            .start()
            .await?;
        eprintln!(
            "on the emulator, {} replies in place of 5/60s: no key, no cost, no language model",
            Stage::EMULATED_LIMIT
        );
        Ok(Stage {
            emulator: Some(emulator),
            assistant: AssistantId::new(EMULATED_ASSISTANT),
        })
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

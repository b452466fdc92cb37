//! What a messaging platform has to be able to do. To add one of your own, write this for it.

use async_trait::async_trait;
use axum::response::Response;
use bytes::Bytes;
use famulor_core::CustomerId;
use famulor_examples::Failure;
use http::HeaderMap;

/// A messaging platform.
#[async_trait]
pub(crate) trait Channel: Send + Sync {
    /// Its name: where its webhook is, and the job that its messages belong to.
    fn name(&self) -> &'static str;

    /// Reads a call of the webhook; `None`: it is genuine, and no text that could be answered.
    fn receive(&self, headers: &HeaderMap, body: &Bytes) -> Result<Option<Incoming>, Rejected>;

    /// What the platform wants to hear when it has been understood.
    fn thanks(&self) -> Response;

    /// Sends an answer to where [`Incoming::reply_to`] says.
    async fn send(&self, reply_to: &str, text: &str) -> Result<(), Undelivered>;
}

/// A message that somebody sent us.
pub(crate) struct Incoming {
    /// The platform's own id of it: platforms call again when they are not sure that we heard them.
    pub(crate) key: String,
    pub(crate) customer: CustomerId,
    pub(crate) text: String,
    /// The way back, in the channel's own words.
    pub(crate) reply_to: String,
}

/// Why a call of the webhook was turned away.
pub(crate) enum Rejected {
    /// Whoever called is not the platform.
    Forged,
    /// It is nothing that the platform's documentation has.
    Garbled,
}

/// Why an answer is not with the platform yet.
pub(crate) enum Undelivered {
    /// Try again later.
    Later(Failure),
    /// It will never be taken, as when somebody has blocked us.
    Never(Failure),
}

impl Undelivered {
    /// What an answer of the platform means.
    pub(crate) fn judge(outcome: reqwest::Result<reqwest::Response>) -> Result<(), Self> {
        // Without the URL, in which Telegram has its token.
        let outcome = outcome.and_then(reqwest::Response::error_for_status);
        let Err(error) = outcome.map_err(reqwest::Error::without_url) else {
            return Ok(());
        };
        let status = error.status();
        let is_final = status.is_some_and(|it| it.is_client_error() && it != 429 && it != 401);
        Err(match is_final {
            true => Self::Never(error.into()),
            false => Self::Later(error.into()),
        })
    }
}

/// A channel whose answers are printed instead of sent.
pub(crate) struct Printed<C>(pub(crate) C);

#[async_trait]
impl<C: Channel> Channel for Printed<C> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn receive(&self, headers: &HeaderMap, body: &Bytes) -> Result<Option<Incoming>, Rejected> {
        self.0.receive(headers, body)
    }

    fn thanks(&self) -> Response {
        self.0.thanks()
    }

    async fn send(&self, reply_to: &str, text: &str) -> Result<(), Undelivered> {
        println!("{} to {reply_to}: {text}", self.name());
        Ok(())
    }
}

/// A setting of the environment.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// One that is needed because another one is set.
pub(crate) fn needed(name: &str, by: &str) -> Result<String, Failure> {
    variable(name).ok_or_else(|| format!("{by} is set and {name} is not; nothing was sent").into())
}

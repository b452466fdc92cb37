//! What went wrong, whether the message was sent, and what to do next.

mod classify;
mod code;
mod delivery;
mod display;
mod envelope;
mod kind;
mod private;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use crate::delivery::Doubt;

pub use code::ErrorCode;
pub use delivery::Delivery;
pub use kind::ErrorKind;

pub(crate) use classify::{Refusal, classify_answer};
pub(crate) use private::texts_in;

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a call failed, and what that means for the message.
///
/// `Display` is one line that a person can act on: what happened, whether the message was sent, what to do next.
/// Neither it nor `Debug` shows a key, a customer or a message: what a server echoes of them is blacked out.
///
/// ```no_run
/// # async fn example(client: famulor_core::Client) -> famulor_core::Result<()> {
/// use famulor_core::{AssistantId, CustomerId, Delivery, ErrorKind};
///
/// let call = client.reply(AssistantId::new(123), CustomerId::raw("crm-4711")?, "Hello");
/// match call.send().await {
///     Ok(reply) => println!("{}", reply.text().unwrap_or("a person has taken over")),
///     Err(error) if error.kind() == ErrorKind::Balance => eprintln!("top up, then run this again"),
///     Err(error) if error.delivery() == Delivery::Unknown => eprintln!("do not repeat blindly: {error}"),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
pub struct Error(Box<Details>);

pub(crate) struct Details {
    pub(crate) kind: ErrorKind,
    pub(crate) delivery: Delivery,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<ErrorCode>,
    pub(crate) field_errors: BTreeMap<String, Vec<String>>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) attempts: u32,
    pub(crate) body: Option<Bytes>,
    pub(crate) request_id: Option<String>,
    pub(crate) read_only: bool,
    pub(crate) source: Option<Box<dyn std::error::Error + Send + Sync>>,
    /// What is needed to find out what became of the message.
    pub(crate) doubt: Option<Doubt>,
}

impl Error {
    /// What kind of failure it is. Each kind's documentation says what to do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the message was sent and what became of it.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        self.0.delivery
    }

    /// What happened, in the server's words where it gave any.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The HTTP status, if the server answered.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The API's `error_code`, where it sent one.
    #[must_use]
    pub fn code(&self) -> Option<&ErrorCode> {
        self.0.code.as_ref()
    }

    /// What is wrong with which field, from a 422.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = famulor_emulator::Emulator::builder().start().await?;
    /// # let client = famulor_core::Client::builder().with_api_key("any").with_base_url(&emulator.base_url()).build()?;
    /// # use famulor_core::{AssistantId, CustomerId};
    /// # use famulor_emulator::{Before, CannedAnswer, Fault, Operation};
    /// # let body = serde_json::json!({ "message": "The message field is required.", "errors": { "message": ["is required"] } });
    /// # emulator.inject(Fault::before(Before::Answer(CannedAnswer::json(422, body))).on(Operation::GenerateReply));
    /// # let call = client.reply(AssistantId::new(123), CustomerId::raw("crm-4711")?, "Hello");
    /// let error = call.await.expect_err("the server did not like a field");
    /// for (field, complaints) in error.field_errors() {
    ///     eprintln!("{field}: {}", complaints.join(", "));
    /// }
    /// # assert_eq!(error.field_errors().len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn field_errors(&self) -> &BTreeMap<String, Vec<String>> {
        &self.0.field_errors
    }

    /// How long to wait before trying again, from the server or from the quota.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// How often the request was sent, or was about to be. 0 if it failed before that.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// The answer's body as it came, at most 64 KiB of an error's. It may quote the message: do not log it.
    #[must_use]
    pub fn body(&self) -> Option<&[u8]> {
        self.0.body.as_deref()
    }

    /// The answer's `X-Request-Id`, if it had one: for the vendor's support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Whether the call only reads, so that it changed nothing whatever became of it.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.0.read_only
    }

    pub(crate) fn new(kind: ErrorKind, delivery: Delivery, message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            kind,
            delivery,
            message: message.into(),
            hint: None,
            status: None,
            code: None,
            field_errors: BTreeMap::new(),
            retry_after: None,
            attempts: 0,
            body: None,
            request_id: None,
            read_only: false,
            source: None,
            doubt: None,
        }))
    }

    /// A value that is refused before anything is sent.
    pub(crate) fn invalid_request(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest, Delivery::NotSent, message).with_hint(hint)
    }

    /// A setting of the client that cannot work.
    pub(crate) fn config(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, Delivery::NotSent, message).with_hint(hint)
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    pub(crate) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    pub(crate) fn with_read_only(mut self, read_only: bool) -> Self {
        self.0.read_only = read_only;
        self
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn with_doubt(mut self, doubt: Doubt) -> Self {
        self.0.doubt = Some(doubt);
        self
    }

    pub(crate) fn doubt(&self) -> Option<&Doubt> {
        self.0.doubt.as_ref()
    }

    pub(crate) fn details_mut(&mut self) -> &mut Details {
        &mut self.0
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

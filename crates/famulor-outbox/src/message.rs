//! A message on its way into an outbox.

use std::fmt;

use famulor_core::{AssistantId, CustomerId, OnUnknown};
use serde_json::{Map, Value};

use crate::{Error, ErrorKind, Result, RowId};

/// The account and the job of a message that names none.
pub(crate) const DEFAULT: &str = "default";

/// A message to be answered.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use famulor_core::{AssistantId, CustomerId};
/// use famulor_outbox::NewMessage;
///
/// let message = NewMessage::new(AssistantId::new(123), CustomerId::phone("+49 155 551234")?, "I'd like an appointment")
///     .with_job("appointments")
///     .with_key("order-4711"); // enqueued twice, it is sent once
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a message is sent once it is enqueued"]
pub struct NewMessage {
    pub(crate) assistant: AssistantId,
    pub(crate) customer: CustomerId,
    pub(crate) text: String,
    pub(crate) job: String,
    pub(crate) key: Option<String>,
    pub(crate) line: Option<u64>,
    pub(crate) caller_id: Option<String>,
    pub(crate) account: String,
    pub(crate) variables: Map<String, Value>,
    pub(crate) on_unknown: OnUnknown,
}

impl NewMessage {
    /// A message of a customer to an assistant.
    pub fn new(assistant: AssistantId, customer: CustomerId, text: impl Into<String>) -> Self {
        Self {
            assistant,
            customer,
            text: text.into(),
            job: DEFAULT.to_owned(),
            key: None,
            line: None,
            caller_id: None,
            account: DEFAULT.to_owned(),
            variables: Map::new(),
            on_unknown: OnUnknown::Verify,
        }
    }

    /// The job it belongs to. Default: `default`. Of an imported message, the import's job.
    pub fn with_job(mut self, name: &str) -> Self {
        name.clone_into(&mut self.job);
        self
    }

    /// The caller's own name for it: within a job a key is enqueued once, until it is pruned.
    pub fn with_key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// Its line in the file that it comes from, from 1.
    pub fn with_line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    /// The caller's own id, which comes back with the outcome and means nothing to the outbox.
    pub fn with_id(mut self, id: &str) -> Self {
        self.caller_id = Some(id.to_owned());
        self
    }

    /// The account that sends it. Default: `default`. A worker that serves the account brings its key; keys are never in
    /// a store.
    pub fn with_account(mut self, name: &str) -> Self {
        name.clone_into(&mut self.account);
        self
    }

    /// Values for the assistant's `{{…}}`.
    pub fn with_variables(mut self, variables: Map<String, Value>) -> Self {
        self.variables = variables;
        self
    }

    /// What to do when nobody knows whether it arrived. Default: [`OnUnknown::Verify`].
    pub fn with_on_unknown(mut self, policy: OnUnknown) -> Self {
        self.on_unknown = policy;
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        let invalid = |said: &str| Err(Error::new(ErrorKind::Invalid, said));
        if self.text.trim().is_empty() {
            return invalid("the message is empty; the API refuses an empty message");
        }
        // PostgreSQL has no such character in its texts.
        let texts = [&self.text, &self.job, &self.account];
        let optional = [&self.key, &self.caller_id].into_iter().flatten();
        if texts
            .into_iter()
            .chain(optional)
            .any(|text| text.contains('\0'))
            || self.customer.as_str().contains('\0')
        {
            return invalid("the message or one of its names holds a NUL character; leave it out");
        }
        check_name(&self.job, "job")?;
        check_name(&self.account, "account")
    }

    pub(crate) fn variables_text(&self) -> Option<String> {
        let text = || Value::Object(self.variables.clone()).to_string();
        (!self.variables.is_empty()).then(text)
    }
}

pub(crate) fn check_name(name: &str, what: &str) -> Result<()> {
    if name.trim().is_empty() || name.chars().count() > 255 {
        return Err(Error::new(
            ErrorKind::Invalid,
            format!(
                "the name of the {what} is empty or longer than 255 characters; choose another"
            ),
        ));
    }
    Ok(())
}

/// Shows the job and the account, no text and no customer.
impl fmt::Debug for NewMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewMessage")
            .field("job", &self.job)
            .field("account", &self.account)
            .field("line", &self.line)
            .field("on_unknown", &self.on_unknown)
            .finish_non_exhaustive()
    }
}

/// What became of a message that was enqueued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Enqueued {
    /// It is in the outbox now.
    Added(RowId),
    /// It was there before, under the same job and key.
    Already(RowId),
}

impl Enqueued {
    /// The message's row.
    #[must_use]
    pub fn row(self) -> RowId {
        match self {
            Self::Added(row) | Self::Already(row) => row,
        }
    }
}

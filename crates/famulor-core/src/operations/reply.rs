//! Generating a reply.

use famulor_gen::types::{ApiError, GenerateReplyRequest, GenerateReplyResponse};
use famulor_gen::{Error as Generated, ResponseValue};
use serde_json::{Map, Value};

use super::RequestPreview;
use crate::answers::Reply;
use crate::call::{Call, Effect, Operation, ReplySlot, Start, run_in};
use crate::delivery::{Answered, Delivered, Outgoing, Recipient, deliver};
use crate::error::texts_in;
use crate::input::check_message;
use crate::options::{CallOptions, awaitable, call_options};
use crate::{AssistantId, Client, ConversationId, CustomerId, OnUnknown, Result};

pub(crate) const REPLY: Operation = Operation {
    method: "POST",
    template: "/ai/generate-reply",
    effect: Effect::Add,
    is_reply: true,
    needs_key: true,
};

/// Generates an AI reply to a customer's message: made by [`Client::reply`].
///
/// Billed; at most 5 a minute per token. Messages of one customer go one at a time, in the order in which they were
/// sent. The assistant remembers the customer's earlier messages by assistant and identifier.
///
/// Before a customer's first message of this client, the default policy [`OnUnknown::Verify`] asks where that customer's
/// conversation stands (one or two calls that cost nothing), so that an unknown outcome can be settled.
///
/// Source: seed 002.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = famulor_emulator::Emulator::builder().start().await?;
/// # let client = famulor_core::Client::builder().with_api_key("any").with_base_url(&emulator.base_url()).build()?;
/// # use famulor_core::{AssistantId, CustomerId};
/// use std::time::Duration;
///
/// let reply = client
///     .reply(AssistantId::new(123), CustomerId::email("jane@example.com")?, "Where is my order?")
///     .set_variable("order", 4711)
///     .with_deadline(Duration::from_secs(300)) // queueing, attempts, waits and reading back together
///     .send()
///     .await?;
/// # assert!(reply.text().is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a call does nothing until it is sent"]
pub struct ReplyRequest {
    client: Client,
    options: CallOptions,
    assistant: AssistantId,
    customer: CustomerId,
    message: String,
    variables: Map<String, Value>,
}

call_options!(ReplyRequest);
awaitable!(ReplyRequest, Reply);

impl ReplyRequest {
    pub(crate) fn new(
        client: Client,
        assistant: AssistantId,
        customer: CustomerId,
        message: String,
    ) -> Self {
        let options = client.options;
        Self {
            client,
            options,
            assistant,
            customer,
            message,
            variables: Map::new(),
        }
    }

    /// Gives the assistant a value for `{{name}}`. Merged with the conversation's variables.
    pub fn set_variable(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Gives the assistant values for its `{{…}}`. Merged with those given before and with the conversation's.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = famulor_emulator::Emulator::builder().start().await?;
    /// # let client = famulor_core::Client::builder().with_api_key("any").with_base_url(&emulator.base_url()).build()?;
    /// # use famulor_core::{AssistantId, CustomerId};
    /// let contact = serde_json::json!({ "customer_name": "Jane", "plan": "Pro", "open_tickets": 2 });
    /// let variables = contact.as_object().cloned().unwrap_or_default();
    /// let call = client.reply(AssistantId::new(123), CustomerId::raw("crm-4711")?, "Hello");
    /// assert_eq!(call.set_variables(variables).preview()?.body().map(|body| &body["variables"]), Some(&contact));
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_variables(mut self, variables: Map<String, Value>) -> Self {
        self.variables.extend(variables);
        self
    }

    /// What to do when nobody knows whether the message arrived. Default: the client's, [`OnUnknown::Verify`].
    pub fn with_on_unknown(mut self, policy: OnUnknown) -> Self {
        self.options.on_unknown = policy;
        self
    }

    /// The quiet time before "the message is not there" is believed. Default: the client's, 120 s.
    pub fn with_doubt_wait(mut self, wait: std::time::Duration) -> Self {
        self.options.doubt_wait = wait;
        self
    }

    /// What would be sent. Sends nothing.
    ///
    /// # Errors
    /// As [`send`](Self::send), as far as the message is concerned.
    pub fn preview(&self) -> Result<RequestPreview> {
        check_message(&self.message, false)?;
        let body = serde_json::to_value(self.body()?).unwrap_or_default();
        let shared = &self.client.shared;
        Ok(RequestPreview::new(
            shared,
            REPLY.method,
            &shared.reply_path,
            Some(body),
        ))
    }

    /// Sends the message and waits for the reply.
    ///
    /// # Errors
    /// Any [`Error`](crate::Error). Its [`delivery`](crate::Error::delivery) says whether the message was sent: on
    /// `Unknown` and `Processed` do not repeat it.
    ///
    /// # Dropping
    /// While it waits for the quota or its turn, nothing was sent. Later, the message may have been processed and
    /// billed: prefer [`with_deadline`](Self::with_deadline).
    pub async fn send(self) -> Result<Reply> {
        let (body, private) = self.checked()?;
        let call = self.call(&private);
        let outgoing = Outgoing {
            recipient: Recipient::Customer {
                assistant: self.assistant,
                customer: &self.customer,
            },
            text: &self.message,
        };
        let delivered = deliver(
            call,
            outgoing,
            |answer: &GenerateReplyResponse| {
                Some(ConversationId::trusted(answer.conversation_id.clone()))
            },
            |client| generate(client, body.clone()),
        )
        .await;
        let delivered = self.client.shared.concluded(delivered)?;
        Ok(Reply::new(delivered, &self.customer))
    }

    /// Sends the message once, in a slot that was taken before, and waits for the reply.
    ///
    /// A building block for senders that keep order, watermark and retries themselves: it waits for no earlier message of
    /// the customer, looks nothing up, sends nothing again and reads nothing back.
    ///
    /// ```no_run
    /// # async fn example(client: famulor_core::Client) -> famulor_core::Result<()> {
    /// use famulor_core::{AssistantId, CustomerId};
    ///
    /// let slot = client.reply_slot().await?;
    /// // Choose the message and write down durably that it is about to be sent, within two seconds; then:
    /// let message = client.reply(AssistantId::new(123), CustomerId::raw("crm-4711")?, "Hello");
    /// let reply = message.send_in(slot).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Any [`Error`](crate::Error). Its [`delivery`](crate::Error::delivery) says what may follow; after a 429
    /// [`retry_after`](crate::Error::retry_after) says for how long the quota is frozen. With
    /// [`attempts`](crate::Error::attempts) 0 nothing was tried: the slot was too old, or the request cannot be sent.
    ///
    /// # Dropping
    /// Once it was polled, the message may have been processed and billed.
    pub async fn send_in(self, slot: ReplySlot) -> Result<Reply> {
        let (body, private) = self.checked()?;
        let call = self.call(&private);
        let answered = run_in(&call, slot, |client| generate(client, body)).await;
        let delivered = answered.map(|answer| Delivered {
            answer: Answered::Directly(answer),
            attempts: 1,
        });
        let delivered = self.client.shared.concluded(delivered)?;
        Ok(Reply::new(delivered, &self.customer))
    }

    /// The body, and what in it a person has said.
    fn checked(&self) -> Result<(GenerateReplyRequest, Vec<&str>)> {
        check_message(&self.message, false)?;
        let mut private = vec![self.message.as_str(), self.customer.as_str()];
        for value in self.variables.values() {
            texts_in(value, &mut private);
        }
        Ok((self.body()?, private))
    }

    /// The call, whose time begins now.
    fn call<'a>(&'a self, private: &'a [&'a str]) -> Call<'a> {
        Call {
            shared: &self.client.shared,
            operation: &REPLY,
            options: &self.options,
            start: Start::now(&self.options),
            private,
            attempts_before: 0,
        }
    }

    fn body(&self) -> Result<GenerateReplyRequest> {
        GenerateReplyRequest::builder()
            .assistant_id(self.assistant.get())
            .customer_identifier(self.customer.as_str().to_owned())
            .message(self.message.clone())
            .variables((!self.variables.is_empty()).then(|| self.variables.clone().into()))
            .try_into()
            .map_err(super::unbuildable)
    }
}

async fn generate(
    client: famulor_gen::Client,
    body: GenerateReplyRequest,
) -> std::result::Result<GenerateReplyResponse, Generated<ApiError>> {
    client
        .generate_reply()
        .body(body)
        .send()
        .await
        .map(ResponseValue::into_inner)
}

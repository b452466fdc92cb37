//! Creating a conversation.

use famulor_gen::types::CreateConversationRequest;
use famulor_gen::{ConversationKind, ResponseValue};
use serde_json::{Map, Value};

use super::{Conversation, RequestPreview};
use crate::call::{Call, Effect, Operation, Start, run};
use crate::error::texts_in;
use crate::options::{CallOptions, awaitable, call_options};
use crate::{AssistantUuid, Client, Result};

const CREATE: Operation = Operation {
    method: "POST",
    template: "/conversations",
    effect: Effect::Add,
    is_reply: false,
    needs_key: false,
};

/// Creates a conversation: made by [`Client::create_conversation`].
///
/// The server takes the billed kind `widget` when none is said. This client always says one, and unless told otherwise
/// the free [`ConversationKind::Test`].
///
/// After an unknown outcome it is not repeated: a second conversation could come of it. There is no way to ask for one
/// whose id is not known.
///
/// Source: seed 000.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = famulor_emulator::Emulator::builder().start().await?;
/// # let client = famulor_core::Client::builder().with_api_key("any").with_base_url(&emulator.base_url()).build()?;
/// use famulor_core::{AssistantUuid, ConversationKind};
///
/// let assistant = AssistantUuid::parse("550e8400-e29b-41d4-a716-446655440000")?;
/// let chat = client
///     .create_conversation(assistant)
///     .set_kind(ConversationKind::Widget) // billed
///     .set_variable("customer_name", "John Smith")
///     .send()
///     .await?;
/// println!("keep this: {}", chat.id());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a call does nothing until it is sent"]
pub struct CreateConversation {
    client: Client,
    options: CallOptions,
    assistant: AssistantUuid,
    kind: ConversationKind,
    variables: Map<String, Value>,
}

call_options!(CreateConversation);
awaitable!(CreateConversation, Conversation);

impl CreateConversation {
    pub(crate) fn new(client: Client, assistant: AssistantUuid) -> Self {
        let options = client.options;
        Self {
            client,
            options,
            assistant,
            kind: ConversationKind::Test,
            variables: Map::new(),
        }
    }

    /// `Widget` is billed for each user message, `Test` is free. Default: `Test`.
    pub fn set_kind(mut self, kind: ConversationKind) -> Self {
        self.kind = kind;
        self
    }

    /// Gives the assistant a value for `{{name}}` in its prompt and opening message.
    pub fn set_variable(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Gives the assistant values for its `{{…}}`.
    pub fn set_variables(mut self, variables: Map<String, Value>) -> Self {
        self.variables.extend(variables);
        self
    }

    /// What would be sent. Sends nothing.
    ///
    /// # Errors
    /// None at present.
    pub fn preview(&self) -> Result<RequestPreview> {
        let body = serde_json::to_value(self.body()?).unwrap_or_default();
        Ok(RequestPreview::new(
            &self.client.shared,
            CREATE.method,
            CREATE.template,
            Some(body),
        ))
    }

    /// Creates the conversation.
    ///
    /// # Errors
    /// Any [`Error`](crate::Error); `NotFound` if no assistant has this UUID.
    ///
    /// # Dropping
    /// Once it is sent, the conversation may exist, and its id is lost. An empty conversation costs nothing.
    pub async fn send(self) -> Result<Conversation> {
        let body = self.body()?;
        let shared = &self.client.shared;
        let mut private = Vec::new();
        for value in self.variables.values() {
            texts_in(value, &mut private);
        }
        let call = Call {
            shared,
            operation: &CREATE,
            options: &self.options,
            start: Start::now(&self.options),
            private: &private,
            attempts_before: 0,
        };
        let done = run(&call, |client| {
            let body = body.clone();
            async move {
                client
                    .create_conversation()
                    .body(body)
                    .send()
                    .await
                    .map(ResponseValue::into_inner)
            }
        })
        .await;
        let answer = shared.concluded(done)?.value;
        Ok(Conversation::created(self.client, answer))
    }

    fn body(&self) -> Result<CreateConversationRequest> {
        CreateConversationRequest::builder()
            .assistant_id(self.assistant.to_string())
            .type_(self.kind.clone())
            .variables((!self.variables.is_empty()).then(|| self.variables.clone().into()))
            .try_into()
            .map_err(super::unbuildable)
    }
}

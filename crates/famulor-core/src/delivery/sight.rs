//! One look at a conversation.

use std::time::Duration;

use famulor_gen::{ResponseValue, Role, types::Message};

use super::Recipient;
use crate::call::{Call, run};
use crate::operations::{HISTORY, LIST_CONVERSATIONS};
use crate::options::CallOptions;
use crate::{AssistantId, ConversationId, CustomerId, Result};

/// A look has to be quick: something else waits for it.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// What a look at a conversation showed.
#[derive(Default)]
pub(super) struct Sight {
    /// `None`: the customer has no conversation.
    pub(super) conversation: Option<ConversationId>,
    pub(super) user_messages: Vec<UserMessage>,
}

/// A message of the customer, and the assistant's answer to it.
pub(super) struct UserMessage {
    pub(super) text: String,
    pub(super) answer: Option<Message>,
}

/// Looks at the recipient's conversation; `known` spares the search for its id.
pub(super) async fn look(
    call: &Call<'_>,
    recipient: Recipient<'_>,
    known: Option<&ConversationId>,
) -> Result<Sight> {
    let id = match (recipient, known) {
        (Recipient::Conversation(id), _) | (_, Some(id)) => id.clone(),
        (
            Recipient::Customer {
                assistant,
                customer,
            },
            None,
        ) => match find(call, assistant, customer).await? {
            Some(id) => id,
            None => return Ok(Sight::default()),
        },
    };
    let options = quick(call.options);
    let reading = Call {
        operation: &HISTORY,
        options: &options,
        attempts_before: 0,
        ..*call
    };
    let done = run(&reading, |client| {
        let id = id.as_str().to_owned();
        async move {
            client
                .get_conversation()
                .uuid(id)
                .send()
                .await
                .map(ResponseValue::into_inner)
        }
    })
    .await?;
    Ok(Sight {
        conversation: Some(id),
        user_messages: user_messages(done.value.history.unwrap_or_default()),
    })
}

/// Finds the conversation of a customer whose messages go by generate-reply. That the list names it by
/// `external_identifier` is inferred (facts page, surprise 8).
async fn find(
    call: &Call<'_>,
    assistant: AssistantId,
    customer: &CustomerId,
) -> Result<Option<ConversationId>> {
    let options = quick(call.options);
    let listing = Call {
        operation: &LIST_CONVERSATIONS,
        options: &options,
        attempts_before: 0,
        ..*call
    };
    let done = run(&listing, |client| {
        let customer = customer.as_str().to_owned();
        async move {
            client
                .list_conversations()
                .assistant_id(assistant.get())
                .external_identifier(customer)
                .send()
                .await
                .map(ResponseValue::into_inner)
        }
    })
    .await?;
    let mut rows = done
        .value
        .data
        .into_iter()
        .filter(|row| row.external_identifier.as_deref() == Some(customer.as_str()))
        .map(|row| ConversationId::trusted(row.id));
    match (rows.next(), rows.next()) {
        (Some(_), Some(_)) => Err(crate::Error::new(
            crate::ErrorKind::Refused,
            crate::Delivery::NotSent,
            "the customer has several conversations",
        )),
        (found, _) => Ok(found),
    }
}

fn quick(options: &CallOptions) -> CallOptions {
    CallOptions {
        max_retries: 0,
        attempt_timeout: options.attempt_timeout.min(ATTEMPT_TIMEOUT),
        ..*options
    }
}

fn user_messages(history: Vec<Message>) -> Vec<UserMessage> {
    let mut found: Vec<UserMessage> = Vec::new();
    for message in history {
        match message.role {
            Role::User => found.push(UserMessage {
                text: message.content.unwrap_or_default(),
                answer: None,
            }),
            Role::Assistant => {
                if let Some(last) = found.last_mut()
                    && last.answer.is_none()
                {
                    last.answer = Some(message);
                }
            }
            _ => {}
        }
    }
    found
}

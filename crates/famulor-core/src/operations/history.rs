//! Reading a conversation.

use famulor_gen::ResponseValue;

use super::RequestPreview;
use super::preview::segment;
use crate::answers::History;
use crate::call::{Call, Effect, Operation, Start, run};
use crate::options::{CallOptions, awaitable, call_options};
use crate::{Client, ConversationId, Result};

pub(crate) const HISTORY: Operation = Operation {
    method: "GET",
    template: "/conversations/{uuid}",
    effect: Effect::Read,
    is_reply: false,
    needs_key: false,
};

/// Reads all messages of a conversation: made by [`Conversation::history`](super::Conversation::history).
///
/// Costs nothing, changes nothing. Dropping it does no harm. Source: seed 001.
#[derive(Clone)]
#[must_use = "a call does nothing until it is sent"]
pub struct GetHistory {
    client: Client,
    options: CallOptions,
    conversation: ConversationId,
}

call_options!(GetHistory);
awaitable!(GetHistory, History);

impl GetHistory {
    pub(crate) fn new(client: Client, conversation: ConversationId) -> Self {
        let options = client.options;
        Self {
            client,
            options,
            conversation,
        }
    }

    /// What would be sent. Sends nothing.
    ///
    /// # Errors
    /// None at present.
    pub fn preview(&self) -> Result<RequestPreview> {
        let path = format!("/conversations/{}", segment(&self.conversation));
        Ok(RequestPreview::new(
            &self.client.shared,
            HISTORY.method,
            &path,
            None,
        ))
    }

    /// Reads the conversation.
    ///
    /// # Errors
    /// Any [`Error`](crate::Error); `NotFound` if no conversation has this id.
    pub async fn send(self) -> Result<History> {
        let call = Call {
            shared: &self.client.shared,
            operation: &HISTORY,
            options: &self.options,
            start: Start::now(&self.options),
            private: &[],
            attempts_before: 0,
        };
        let done = run(&call, |client| {
            let id = self.conversation.as_str().to_owned();
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
        Ok(History::new(done.value))
    }
}

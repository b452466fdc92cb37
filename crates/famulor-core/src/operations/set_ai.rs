//! Switching AI replies on and off.

use famulor_gen::ResponseValue;

use super::RequestPreview;
use super::preview::segment;
use crate::call::{Call, Effect, Operation, Start, run};
use crate::options::{CallOptions, awaitable, call_options};
use crate::{Client, ConversationId, Result};

/// Both set a switch: repeating one does what the first did.
const fn operation(template: &'static str) -> Operation {
    Operation {
        method: "POST",
        template,
        effect: Effect::Set,
        is_reply: false,
        needs_key: true,
    }
}

const ENABLE: Operation = operation("/automate/conversations/{uuid}/enable-ai");
const DISABLE: Operation = operation("/automate/conversations/{uuid}/disable-ai");

/// Switches AI replies of a conversation on or off: made by [`Conversation::ai_on`](super::Conversation::ai_on) and
/// [`ai_off`](super::Conversation::ai_off).
///
/// While they are off, messages are stored and not answered. Repeating it changes nothing, so it is repeated after a
/// failure. Source: reference pages of enable-ai and disable-ai.
#[derive(Clone)]
#[must_use = "a call does nothing until it is sent"]
pub struct SetAi {
    client: Client,
    options: CallOptions,
    conversation: ConversationId,
    on: bool,
}

call_options!(SetAi);
awaitable!(SetAi, bool);

impl SetAi {
    pub(crate) fn new(client: Client, conversation: ConversationId, on: bool) -> Self {
        let options = client.options;
        Self {
            client,
            options,
            conversation,
            on,
        }
    }

    /// What would be sent. Sends nothing.
    ///
    /// # Errors
    /// None at present.
    pub fn preview(&self) -> Result<RequestPreview> {
        let verb = if self.on { "enable-ai" } else { "disable-ai" };
        let path = format!(
            "/automate/conversations/{}/{verb}",
            segment(&self.conversation)
        );
        Ok(RequestPreview::new(
            &self.client.shared,
            "POST",
            &path,
            None,
        ))
    }

    /// Sets the switch; says whether AI replies are on from now on.
    ///
    /// # Errors
    /// Any [`Error`](crate::Error); `NotFound` if the account has no conversation of this id.
    pub async fn send(self) -> Result<bool> {
        let shared = &self.client.shared;
        let call = Call {
            shared,
            operation: if self.on { &ENABLE } else { &DISABLE },
            options: &self.options,
            start: Start::now(&self.options),
            private: &[],
            attempts_before: 0,
        };
        let on = self.on;
        let done = run(&call, |client| {
            let id = self.conversation.as_str().to_owned();
            async move {
                let answer = match on {
                    true => client.enable_conversation_ai().uuid(id).send().await,
                    false => client.disable_conversation_ai().uuid(id).send().await,
                };
                answer.map(ResponseValue::into_inner)
            }
        })
        .await;
        Ok(shared.concluded(done)?.value.ai_enabled.unwrap_or(on))
    }
}

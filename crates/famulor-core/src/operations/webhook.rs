//! The conversation-ended webhook of an assistant.

use famulor_gen::ResponseValue;
use famulor_gen::types::{
    DisableConversationEndedWebhookRequest, EnableConversationEndedWebhookRequest,
};

use super::RequestPreview;
use crate::call::{Call, Effect, Operation, Start, run};
use crate::options::{CallOptions, awaitable, call_options};
use crate::{AssistantId, Client, Error, Result};

/// Both set a value: repeating one does what the first did.
const fn operation(template: &'static str) -> Operation {
    Operation {
        method: "POST",
        template,
        effect: Effect::Set,
        is_reply: false,
        needs_key: true,
    }
}

const ENABLE: Operation = operation("/user/assistants/enable-conversation-ended-webhook");
const DISABLE: Operation = operation("/user/assistants/disable-conversation-ended-webhook");

/// Sets or removes the webhook for ended conversations: made by [`Client::enable_conversation_ended_webhook`] and
/// [`Client::disable_conversation_ended_webhook`].
///
/// Repeating it changes nothing, so it is repeated after a failure. What the webhook receives is
/// [`famulor_gen::types::ConversationEndedEvent`]. Source: reference pages of enable- and
/// disable-conversation-ended-webhook.
#[derive(Clone)]
#[must_use = "a call does nothing until it is sent"]
pub struct WebhookChange {
    client: Client,
    options: CallOptions,
    assistant: AssistantId,
    url: Option<String>,
}

call_options!(WebhookChange);
awaitable!(WebhookChange, ());

impl WebhookChange {
    pub(crate) fn enable(client: Client, assistant: AssistantId, url: &str) -> Self {
        let options = client.options;
        Self {
            client,
            options,
            assistant,
            url: Some(url.to_owned()),
        }
    }

    pub(crate) fn disable(client: Client, assistant: AssistantId) -> Self {
        let options = client.options;
        Self {
            client,
            options,
            assistant,
            url: None,
        }
    }

    fn operation(&self) -> &'static Operation {
        if self.url.is_some() {
            &ENABLE
        } else {
            &DISABLE
        }
    }

    fn check(&self) -> Result<()> {
        let Some(url) = &self.url else { return Ok(()) };
        match reqwest::Url::parse(url) {
            Ok(parsed) if parsed.scheme() == "https" => Ok(()),
            _ => Err(Error::invalid_request(
                "the webhook's URL is not an https URL",
                "write it as in https://example.com/hook",
            )),
        }
    }

    /// What would be sent. Sends nothing.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if the URL is not https.
    pub fn preview(&self) -> Result<RequestPreview> {
        self.check()?;
        let mut body = serde_json::json!({ "assistant_id": self.assistant.get() });
        if let Some(url) = &self.url {
            body["webhook_url"] = url.as_str().into();
        }
        let operation = self.operation();
        Ok(RequestPreview::new(
            &self.client.shared,
            operation.method,
            operation.template,
            Some(body),
        ))
    }

    /// Sets or removes the webhook.
    ///
    /// # Errors
    /// Any [`Error`](crate::Error); `NotFound` if the account has no such assistant.
    pub async fn send(self) -> Result<()> {
        self.check()?;
        let shared = &self.client.shared;
        let call = Call {
            shared,
            operation: self.operation(),
            options: &self.options,
            start: Start::now(&self.options),
            private: &[],
            attempts_before: 0,
        };
        let (assistant, url) = (self.assistant.get(), &self.url);
        let done = run(&call, |client| {
            let url = url.clone();
            async move {
                match url {
                    Some(url) => {
                        let body = EnableConversationEndedWebhookRequest::builder()
                            .assistant_id(assistant)
                            .webhook_url(url);
                        client
                            .enable_conversation_ended_webhook()
                            .body(body)
                            .send()
                            .await
                    }
                    None => {
                        let body = DisableConversationEndedWebhookRequest::builder()
                            .assistant_id(assistant);
                        client
                            .disable_conversation_ended_webhook()
                            .body(body)
                            .send()
                            .await
                    }
                }
                .map(ResponseValue::into_inner)
            }
        })
        .await;
        shared.concluded(done).map(drop)
    }
}

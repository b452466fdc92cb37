//! The eleven operations: their names, methods and paths.

use std::fmt;

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An operation of the API, named as in the specification.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Operation {
    /// `POST /conversations`
    CreateConversation,
    /// `GET /conversations/{uuid}`
    GetConversation,
    /// `POST /conversations/{uuid}/messages`
    SendMessage,
    /// `POST /ai/generate-reply`, and the same at `/user/ai/generate-reply`
    GenerateReply,
    /// `GET /user/conversations`
    ListConversations,
    /// `POST /automate/conversations/{uuid}/disable-ai`
    DisableConversationAi,
    /// `POST /automate/conversations/{uuid}/enable-ai`
    EnableConversationAi,
    /// `POST /user/assistants/enable-conversation-ended-webhook`
    EnableConversationEndedWebhook,
    /// `POST /user/assistants/disable-conversation-ended-webhook`
    DisableConversationEndedWebhook,
    /// `GET /user/assistants/get`
    ListAssistants,
    /// `GET /user/me`
    GetMe,
}

impl Operation {
    /// Every operation there is.
    pub const ALL: [Self; 11] = [
        Self::CreateConversation,
        Self::GetConversation,
        Self::SendMessage,
        Self::GenerateReply,
        Self::ListConversations,
        Self::DisableConversationAi,
        Self::EnableConversationAi,
        Self::EnableConversationEndedWebhook,
        Self::DisableConversationEndedWebhook,
        Self::ListAssistants,
        Self::GetMe,
    ];

    /// The operation's name in the specification, such as `generateReply`.
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateConversation => "createConversation",
            Self::GetConversation => "getConversation",
            Self::SendMessage => "sendMessage",
            Self::GenerateReply => "generateReply",
            Self::ListConversations => "listConversations",
            Self::DisableConversationAi => "disableConversationAi",
            Self::EnableConversationAi => "enableConversationAi",
            Self::EnableConversationEndedWebhook => "enableConversationEndedWebhook",
            Self::DisableConversationEndedWebhook => "disableConversationEndedWebhook",
            Self::ListAssistants => "listAssistants",
            Self::GetMe => "getMe",
        }
    }

    pub(crate) fn method(self) -> Method {
        match self {
            Self::GetConversation
            | Self::ListConversations
            | Self::ListAssistants
            | Self::GetMe => Method::GET,
            _ => Method::POST,
        }
    }

    /// Paths below the base URL, which `api::route` knows by heart. Generate-reply has two documented ones (facts,
    /// surprise 2).
    #[cfg(test)]
    pub(crate) fn paths(self) -> &'static [&'static str] {
        match self {
            Self::CreateConversation => &["/conversations"],
            Self::GetConversation => &["/conversations/{uuid}"],
            Self::SendMessage => &["/conversations/{uuid}/messages"],
            Self::GenerateReply => &["/ai/generate-reply", "/user/ai/generate-reply"],
            Self::ListConversations => &["/user/conversations"],
            Self::DisableConversationAi => &["/automate/conversations/{uuid}/disable-ai"],
            Self::EnableConversationAi => &["/automate/conversations/{uuid}/enable-ai"],
            Self::EnableConversationEndedWebhook => {
                &["/user/assistants/enable-conversation-ended-webhook"]
            }
            Self::DisableConversationEndedWebhook => {
                &["/user/assistants/disable-conversation-ended-webhook"]
            }
            Self::ListAssistants => &["/user/assistants/get"],
            Self::GetMe => &["/user/me"],
        }
    }

    /// Answers without a token too (facts, surprise 3; seed 1's own cURL line
    /// sends none).
    pub(crate) fn is_public(self) -> bool {
        matches!(
            self,
            Self::CreateConversation | Self::GetConversation | Self::SendMessage
        )
    }

    /// Under `/automate`, which documents a 401 body of its own.
    pub(crate) fn is_automation(self) -> bool {
        matches!(
            self,
            Self::DisableConversationAi | Self::EnableConversationAi
        )
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

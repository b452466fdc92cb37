//! The five calls that stand for all: what they are, and where they go.

use famulor_core::{Client, ConversationKind, Error, OnUnknown};
use famulor_tests::sdk::{ASSISTANT, REPLY, assistant_uuid, conversation, customer};

/// One of each kind: two that add a billed message, one that adds a conversation, one that sets, one that reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Op {
    Reply,
    Send,
    Create,
    Set,
    Read,
}

impl Op {
    pub(crate) const ADD: [Self; 3] = [Self::Reply, Self::Send, Self::Create];
    pub(crate) const ALL: [Self; 5] =
        [Self::Reply, Self::Send, Self::Create, Self::Set, Self::Read];

    pub(crate) fn route(self) -> &'static str {
        match self {
            Self::Reply => REPLY,
            Self::Send => "POST /api/conversations/c-1/messages",
            Self::Create => "POST /api/conversations",
            Self::Set => "POST /api/automate/conversations/c-1/disable-ai",
            Self::Read => "GET /api/conversations/c-2",
        }
    }

    /// What the server answers when all is well.
    pub(crate) fn success(self) -> &'static str {
        match self {
            Self::Reply => famulor_tests::sdk::REPLY_BODY,
            Self::Send => r#"{"status":true,"message":"Good day","function_calls":[]}"#,
            Self::Create => r#"{"status":true,"conversation_id":"c-1","history":[]}"#,
            Self::Set => r#"{"status":true,"ai_enabled":false}"#,
            Self::Read => r#"{"status":true,"history":[]}"#,
        }
    }

    /// Makes the call; messages are neither read back nor sent again.
    pub(crate) async fn call(self, client: &Client) -> Result<(), Error> {
        let chat = client.conversation(conversation("c-1"));
        match self {
            Self::Reply => {
                let call = client.reply(ASSISTANT, customer("crm-4711"), "A private question");
                call.with_on_unknown(OnUnknown::Fail).await.map(drop)
            }
            Self::Send => {
                let call = chat.send("A private question");
                call.with_on_unknown(OnUnknown::Fail).await.map(drop)
            }
            Self::Create => {
                let call = client.create_conversation(assistant_uuid());
                call.set_kind(ConversationKind::Widget).await.map(drop)
            }
            Self::Set => chat.ai_off().await.map(drop),
            Self::Read => {
                let chat = client.conversation(conversation("c-2"));
                chat.history().await.map(drop)
            }
        }
    }
}

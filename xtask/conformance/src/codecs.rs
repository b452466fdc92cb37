//! Which generated type each body of the API is decoded into.

use famulor_gen::types;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::fixtures::Part;
use crate::verdict::{Cause, first_difference};

/// Where the table is, for messages.
pub(crate) const FILE: &str = "xtask/conformance/src/codecs.rs";

/// Decodes bodies of one kind into their generated type, and back.
pub(crate) struct Codec {
    pub(crate) operation: &'static str,
    pub(crate) part: Part,
    pub(crate) type_name: &'static str,
    decode_and_encode: fn(&Value) -> Result<Value, serde_json::Error>,
}

macro_rules! codec {
    ($operation:expr, $part:ident, $type:ident) => {
        Codec {
            operation: $operation,
            part: Part::$part,
            type_name: stringify!($type),
            decode_and_encode: decode_and_encode::<types::$type>,
        }
    };
}

macro_rules! table {
    ($($operation:ident $part:ident $type:ident,)+) => {
        &[$(codec!(stringify!($operation), $part, $type),)+]
    };
}

/// One line for each body that an operation of the spec takes or gives.
pub(crate) const ALL: &[Codec] = table![
    createConversation Request CreateConversationRequest,
    createConversation Response CreateConversationResponse,
    getConversation Response GetConversationResponse,
    sendMessage Request SendMessageRequest,
    sendMessage Response SendMessageResponse,
    generateReply Request GenerateReplyRequest,
    generateReply Response GenerateReplyResponse,
    listConversations Response ListConversationsResponse,
    disableConversationAi Response ConversationAiResponse,
    enableConversationAi Response ConversationAiResponse,
    listAssistants Response ListAssistantsResponse,
    enableConversationEndedWebhook Request EnableConversationEndedWebhookRequest,
    enableConversationEndedWebhook Response WebhookResponse,
    webhookConversationEnded Event ConversationEndedEvent,
    disableConversationEndedWebhook Request DisableConversationEndedWebhookRequest,
    disableConversationEndedWebhook Response WebhookResponse,
    getMe Response GetMeResponse,
];

/// What every operation answers when it refuses.
pub(crate) const ERROR: Codec = codec!("", Response, ApiError);

pub(crate) fn find(operation: &str, part: Part) -> Option<&'static Codec> {
    ALL.iter()
        .find(|codec| codec.operation == operation && codec.part == part)
}

impl Codec {
    /// Why `body` does not come out of the type as it went in.
    pub(crate) fn round_trip(&self, body: &Value) -> Option<Cause> {
        match (self.decode_and_encode)(body) {
            Err(error) => Some(Cause::new(
                "",
                "decode",
                format!("does not decode into {}: {error}", self.type_name),
            )),
            Ok(written) => first_difference(body, &written).map(|(path, how)| {
                Cause::new(
                    path,
                    "round-trip",
                    format!("{} writes {how}", self.type_name),
                )
            }),
        }
    }
}

fn decode_and_encode<T: DeserializeOwned + Serialize>(
    body: &Value,
) -> Result<Value, serde_json::Error> {
    // Through text, as a client does: decoding from a `Value` is another path of serde.
    let typed: T = serde_json::from_str(&body.to_string())?;
    serde_json::from_str(&serde_json::to_string(&typed)?)
}

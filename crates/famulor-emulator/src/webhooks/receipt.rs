//! Read receipts of WhatsApp messages, signed.

use std::fmt;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;

use super::courier::{Parcel, Retries};
use super::written;
use crate::agenda::Job;
use crate::lock;
use crate::state::{Contact, Conversation};
use crate::world::World;

/// Where read receipts go, and what they are signed with.
#[derive(Clone)]
pub struct ReadReceipts {
    url: String,
    secret: String,
}

impl ReadReceipts {
    /// `secret` is the sender's: the receiver checks the signature with it.
    pub fn new(url: impl Into<String>, secret: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            secret: secret.into(),
        }
    }
}

/// Without the secret.
impl fmt::Debug for ReadReceipts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadReceipts")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// How far a WhatsApp message has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// It left.
    Sent,
    /// It is on the customer's device.
    Delivered,
    /// The customer has seen it.
    Read,
    /// It was refused: the documented error of a closed 24-hour window.
    Failed,
    /// It did not get there.
    Undelivered,
}

impl MessageStatus {
    fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
            Self::Undelivered => "undelivered",
        }
    }
}

/// How long after a message its receipts come; the times are made up.
const WAYS: [(MessageStatus, Duration); 3] = [
    (MessageStatus::Sent, Duration::ZERO),
    (MessageStatus::Delivered, Duration::from_secs(2)),
    (MessageStatus::Read, Duration::from_secs(10)),
];

/// Plans the receipts of an assistant's message that was just sent.
pub(crate) fn plan_receipts(world: &World, conversation: &Conversation, assistant: Option<&str>) {
    let now = world.clock.elapsed();
    let message = lock(&world.record).deliveries.number_message();
    for (status, after) in WAYS {
        plan(world, conversation, assistant, message, status, now + after);
    }
}

/// Reports a status of the conversation's last message at once; false: there is
/// no such WhatsApp conversation, or nowhere to report to.
pub(crate) fn report_status(world: &World, id: &str, status: MessageStatus) -> bool {
    let state = lock(&world.state);
    let Some(conversation) = state.conversation(id) else {
        return false;
    };
    let assistant = state.assistant(conversation.assistant_id);
    let assistant = assistant.map(|assistant| assistant.uuid.as_str());
    let message = lock(&world.record).deliveries.last_message();
    let now = world.clock.elapsed();
    plan(world, conversation, assistant, message, status, now)
}

fn plan(
    world: &World,
    conversation: &Conversation,
    assistant: Option<&str>,
    message: u64,
    status: MessageStatus,
    due: Duration,
) -> bool {
    let (Some(receipts), Some(sender), Some(customer)) = (
        &world.config.read_receipts,
        &conversation.whatsapp_sender,
        &conversation.customer,
    ) else {
        return false;
    };
    let payload = payload(
        world,
        conversation,
        assistant,
        sender,
        customer,
        message,
        status,
        due,
    );
    let body = payload.to_string();
    let parcel = Parcel {
        event: "message_status",
        conversation: conversation.id.clone(),
        url: receipts.url.clone(),
        signature: sign(&receipts.secret, body.as_bytes()),
        body: body.into(),
        payload,
        retries: Retries::ServerFailure,
        attempt: 0,
    };
    world.agenda.add(due, Job::Deliver(Box::new(parcel)));
    true
}

#[expect(clippy::too_many_arguments, reason = "a payload has that many parts")]
fn payload(
    world: &World,
    conversation: &Conversation,
    assistant: Option<&str>,
    sender: &Contact,
    customer: &Contact,
    message: u64,
    status: MessageStatus,
    due: Duration,
) -> Value {
    // As in the documented example of a failure.
    let failure = (status == MessageStatus::Failed).then_some((
        63016,
        "Template message 24h window expired",
        "Template message 24h window expired - customer must reply first",
    ));
    let time = written(world.clock.timestamp(due));
    json!({
        "event": "message_status",
        "whatsapp_message_id": message,
        "message_sid": Value::Null,
        "meta_message_id": format!("wamid.{message:024}"),
        "conversation_id": conversation.id,
        "assistant_id": assistant,
        "sender": {
            "id": 42,
            "phone_number": sender.phone,
            "display_name": sender.name,
        },
        "to": customer.phone,
        "from": sender.phone,
        "direction": "outbound",
        "status": status.name(),
        "error_code": failure.map(|(code, ..)| code),
        "error_message": failure.map(|(_, message, _)| message),
        "error_description": failure.map(|(_, _, description)| description),
        "timestamp": time,
        "provider_timestamp": failure.is_none().then_some(&time),
    })
}

/// `sha256=` and the HMAC-SHA-256 of the body in hexadecimal.
fn sign(secret: &str, body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(body);
    let mut signature = "sha256=".to_owned();
    for byte in mac.finalize().into_bytes() {
        signature.push_str(&format!("{byte:02x}"));
    }
    Some(signature)
}

#[cfg(test)]
mod tests {
    use super::sign;

    #[test]
    fn a_signature_is_the_one_of_rfc_4231_test_case_2() {
        let signature = sign("Jefe", b"what do ya want for nothing?");
        assert_eq!(
            signature.as_deref(),
            Some("sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        );
    }
}

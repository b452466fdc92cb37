//! A conversation's end: after how much silence, and what is told of it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::courier::{Parcel, Retries};
use super::written;
use crate::agenda::Job;
use crate::lock;
use crate::state::{Assistant, Conversation, Message};
use crate::world::World;

/// Ends the conversation if nobody has said anything for the assistant's
/// timeout; else looks again when that will be so.
pub(crate) fn check_silence(world: &World, id: &str, due: Duration) {
    let mut state = lock(&world.state);
    let Some(conversation) = state.conversation(id) else {
        return;
    };
    let Some(assistant) = state.assistant(conversation.assistant_id).cloned() else {
        return;
    };
    if conversation.ended_at.is_some() {
        return;
    }
    let silent_since = world.clock.elapsed_at(conversation.last_said());
    let ends_at = silent_since + assistant.inactivity_timeout;
    if ends_at > due {
        drop(state);
        world.agenda.watch(id, ends_at);
        return;
    }
    let number = state.number_of(id);
    if let Some(conversation) = state.conversation_mut(id) {
        report(world, conversation, number, &assistant, due);
    }
}

/// Ends it now, whatever was said when; false: there is no such conversation.
pub(crate) fn end_now(world: &World, id: &str) -> bool {
    let mut state = lock(&world.state);
    let assistant = state
        .conversation(id)
        .and_then(|conversation| state.assistant(conversation.assistant_id))
        .cloned();
    let number = state.number_of(id);
    let Some(conversation) = state.conversation_mut(id) else {
        return false;
    };
    if let Some(assistant) = assistant {
        report(
            world,
            conversation,
            number,
            &assistant,
            world.clock.elapsed(),
        );
    }
    true
}

fn report(
    world: &World,
    conversation: &mut Conversation,
    number: u64,
    assistant: &Assistant,
    due: Duration,
) {
    let now = world.clock.timestamp(due);
    conversation.ended_at = Some(now.into());
    let Some(url) = &assistant.ended_webhook else {
        return;
    };
    let payload = payload(conversation, number, assistant, now);
    let parcel = Parcel {
        event: "conversation_ended",
        conversation: conversation.id.clone(),
        url: url.clone(),
        body: payload.to_string().into(),
        payload,
        // No signature is documented for this one.
        signature: None,
        retries: Retries::AnyFailure,
        attempt: 0,
    };
    world.agenda.add(due, Job::Deliver(Box::new(parcel)));
}

fn payload(
    conversation: &Conversation,
    number: u64,
    assistant: &Assistant,
    now: Timestamp,
) -> Value {
    let created = conversation
        .created_at
        .and_then(|time| Timestamp::try_from(time).ok())
        .unwrap_or(now);
    let said_at = |message: &Message| {
        message
            .sent_at
            .and_then(|time| Timestamp::try_from(time).ok())
            .unwrap_or(created)
    };
    let transcript: Vec<Value> = conversation
        .history
        .iter()
        .map(|message| {
            json!({
                "role": message.role,
                "content": message.content,
                "timestamp": written(said_at(message)),
                "timestamp_unix": said_at(message).as_second(),
            })
        })
        .collect();
    let lines: Vec<String> = conversation
        .history
        .iter()
        .map(|message| format!("{}: {}", speaker(&message.role), message.content))
        .collect();
    let variables = conversation.variables.clone().unwrap_or_default();
    let name = ["customer_name", "user_name", "name"]
        .iter()
        .find_map(|name| variables.get(*name).cloned());
    let customer = conversation.customer.as_ref();
    json!({
        "id": number,
        "conversation_id": conversation.id,
        "assistant_id": assistant.uuid,
        "type": conversation.kind.name(),
        "message_count": conversation.history.len(),
        "status": "ended",
        "extracted_variables": {
            "status": true,
            // No language model here to sum anything up.
            "summary": format!("A conversation of {} messages", conversation.history.len()),
        },
        "input_variables": variables,
        "transcript": transcript,
        "formatted_transcript": lines.join("\n"),
        "attachments": [],
        "customer_phone": customer.map(|customer| &customer.phone),
        "customer_name": customer
            .and_then(|customer| customer.name.clone().map(Value::from))
            .or(name),
        "sender": conversation.whatsapp_sender.as_ref().map(|sender| json!({
            "phone_number": sender.phone,
            "display_name": sender.name,
        })),
        "created_at": written(created),
        "ended_at": written(now),
    })
}

/// Documented for two roles; the third is inferred.
fn speaker(role: &str) -> &str {
    match role {
        "assistant" => "AI",
        "user" => "Customer",
        _ => "System",
    }
}

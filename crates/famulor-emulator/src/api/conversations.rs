//! `/conversations`: create, read, write.

use http::StatusCode;
use serde::Serialize;

use super::call::Call;
use super::exchange::{exchange, receive};
use super::fields::Field;
use super::refusal::Refusal;
use crate::answer::{Response, ok};
use crate::lock;
use crate::money::Amount;
use crate::state::{
    Contact, Conversation, ConversationKind, FunctionCall, Message, OutOfMoney, Variables, fill_in,
};
use crate::world::Config;

/// Documented for send-message, in characters.
const LONGEST_MESSAGE: usize = 2000;

#[derive(Serialize)]
struct Created {
    status: bool,
    conversation_id: String,
    history: Vec<Message>,
}

/// `POST /conversations`
pub(super) fn create(call: &Call<'_>) -> Result<Response, Refusal> {
    let mut input = call.input();
    let assistant = input.required_string("assistant_id");
    let kind = input.selected("type", |name| match ConversationKind::parse(name)? {
        kind @ (ConversationKind::Widget | ConversationKind::Test) => Some(kind),
        _ => None,
    });
    let variables = input.map("variables");
    input.check()?;
    let kind = kind.unwrap_or_default();
    let variables = variables.filter(|variables| !variables.is_empty());

    let now = call.world.clock.now();
    let mut state = lock(&call.world.state);
    let assistant = state
        .assistant_by_uuid(assistant.unwrap_or_default())
        .ok_or_else(Refusal::assistant_not_found)?;
    let assistant_id = assistant.id;
    let opening = assistant.opening_message.as_ref().map(|template| {
        let none = Variables::new();
        let given = variables.as_ref().unwrap_or(&none);
        Message::new(
            "assistant",
            fill_in(template, &[given, &assistant.variables]),
        )
    });
    if kind == ConversationKind::Widget
        && state.balance(&call.caller) < call.world.config.widget_price
    {
        return Err(Refusal::no_balance_for_conversation());
    }
    let id = state.open(assistant_id, kind, variables, now);
    let history: Vec<Message> = opening.into_iter().collect();
    if let Some(conversation) = state.conversation_mut(&id) {
        conversation.history.clone_from(&history);
    }
    if let Some(conversation) = state.conversation(&id) {
        call.world.watch(&state, conversation);
    }
    Ok(ok(&Created {
        status: true,
        conversation_id: id,
        history,
    }))
}

#[derive(Serialize)]
struct Read<'a> {
    status: bool,
    history: &'a [Message],
    variables: Option<&'a Variables>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_identifier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    whatsapp_sender: Option<&'a Contact>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<&'a Contact>,
}

/// `GET /conversations/{uuid}`
pub(super) fn get(call: &Call<'_>) -> Result<Response, Refusal> {
    let state = lock(&call.world.state);
    let conversation = state
        .conversation(call.uuid)
        .ok_or_else(Refusal::conversation_not_found)?;
    Ok(ok(&Read {
        status: true,
        history: &conversation.history,
        variables: conversation.variables.as_ref(),
        external_identifier: conversation.external_identifier.as_deref(),
        whatsapp_sender: conversation.whatsapp_sender.as_ref(),
        customer: conversation.customer.as_ref(),
    }))
}

#[derive(Serialize)]
struct Sent {
    status: bool,
    /// Null where AI is switched off: inferred, the documentation has no example.
    message: Option<String>,
    function_calls: Vec<FunctionCall>,
}

/// `POST /conversations/{uuid}/messages`
pub(super) async fn send(call: &Call<'_>) -> Result<Response, Refusal> {
    let input = call.input();
    let message = match input.raw("message") {
        Some(Field::Text(message)) => message,
        _ => return Err(invalid("message is required")),
    };
    if message.chars().count() > LONGEST_MESSAGE {
        // Only the limit is documented; the words are inferred from those of a
        // missing message.
        return Err(invalid("message must not be greater than 2000 characters"));
    }
    let exchanged = exchange(call, |state, now| {
        let index = state
            .index(call.uuid)
            .ok_or_else(Refusal::conversation_not_found)?;
        let price = state
            .at(index)
            .and_then(|conversation| price(conversation, &call.world.config));
        let received = receive(call, state, index, message, price, now)
            .map_err(|OutOfMoney| Refusal::no_balance_for_conversation())?;
        Ok((index, received))
    })
    .await?;
    let (message, function_calls) = match exchanged.reply {
        Some(reply) => (Some(reply.text), reply.function_calls),
        None => (None, Vec::new()),
    };
    Ok(ok(&Sent {
        status: true,
        message,
        function_calls,
    }))
}

/// What one message costs (facts, "Billing"): a widget's has a documented price,
/// one in a test is free. What it costs elsewhere is not documented:
/// generate-reply's own price on `api` conversations, a widget's on the others.
fn price(conversation: &Conversation, config: &Config) -> Option<Amount> {
    match conversation.kind {
        ConversationKind::Test => None,
        ConversationKind::Api => Some(config.reply_price),
        ConversationKind::Widget | ConversationKind::Whatsapp => Some(config.widget_price),
    }
}

/// Send-message's own 422 (facts, surprise 6).
fn invalid(error: &str) -> Refusal {
    Refusal::Status(StatusCode::UNPROCESSABLE_ENTITY, error.to_owned())
}

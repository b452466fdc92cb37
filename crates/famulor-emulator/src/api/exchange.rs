//! One message of a customer, and the assistant's answer to it.

use super::call::Call;
use crate::lock;
use crate::money::Amount;
use crate::replies::{Reply, Turn};
use crate::state::{Message, OutOfMoney, State};

/// What one message costs (facts, "Billing"): $0.01 on a widget, nothing in a
/// test. What it costs elsewhere is not documented: generate-reply's own price
/// on `api` conversations, and a widget's on the others.
pub(super) const WIDGET_MESSAGE: f64 = 0.01;

/// Stores the message, bills it, takes the server's time, and answers.
///
/// The message is there from the moment it arrives and the answer follows, as
/// anybody sees who reads the conversation meanwhile; a client that goes away in
/// between changes neither. Where AI is switched off there is no answer and
/// nothing is billed (disable-ai: messages are stored and not answered; that
/// they are free is inferred).
///
/// # Errors
///
/// The balance does not cover the price; nothing is stored.
pub(super) async fn exchange(
    call: &Call,
    conversation: &str,
    message: &str,
    price: Option<Amount>,
) -> Result<Option<Reply>, OutOfMoney> {
    let reply = receive(
        call,
        &mut lock(&call.world.state),
        conversation,
        message,
        price,
    )?;
    call.take_time().await;
    if let Some(reply) = &reply
        && let Some(conversation) = lock(&call.world.state).conversation_mut(conversation)
    {
        let answer = Message {
            role: "assistant".to_owned(),
            content: reply.text.clone(),
            function_calls: reply.function_calls.clone(),
        };
        conversation.say(answer, call.world.clock.now());
    }
    Ok(reply)
}

fn receive(
    call: &Call,
    state: &mut State,
    id: &str,
    message: &str,
    price: Option<Amount>,
) -> Result<Option<Reply>, OutOfMoney> {
    let Some(conversation) = state.conversation(id) else {
        // Gone with a reset between two steps of this call.
        return Ok(None);
    };
    let answers = !conversation.ai_disabled;
    let billed = price.filter(|_| answers);
    let reply = answers.then(|| {
        let turn = Turn {
            conversation: id,
            message,
            history: &conversation.history,
            variables: conversation.variables.as_ref(),
            seeded: call.world.seeded,
        };
        turn.answer()
    });
    if let Some(price) = billed {
        state.charge(&call.caller, price)?;
    }
    if let Some(conversation) = state.conversation_mut(id) {
        let repeated = conversation
            .history
            .iter()
            .any(|said| said.role == "user" && said.content == message);
        conversation.say(Message::new("user", message), call.world.clock.now());
        conversation.pay(billed.unwrap_or_default());
        let customer = conversation.external_identifier.as_deref().unwrap_or(id);
        call.message_stored(customer, repeated, billed);
    }
    Ok(reply)
}

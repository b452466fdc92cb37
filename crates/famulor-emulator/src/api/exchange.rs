//! One message of a customer, and the assistant's answer to it.

use std::time::Duration;

use super::call::Call;
use crate::agenda::Job;
use crate::lock;
use crate::money::Amount;
use crate::replies::{Reply, TakeOver, Turn};
use crate::state::{Message, OutOfMoney, State, Variables};
use crate::webhooks;

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
    let Some(received) = receive(
        call,
        &mut lock(&call.world.state),
        conversation,
        message,
        price,
    )?
    else {
        return Ok(None);
    };
    call.take_time(received.latency).await;
    let world = &call.world;
    let mut state = lock(&world.state);
    let now = world.clock.now();
    if let Some(conversation) = state.conversation_mut(conversation) {
        if let Some(reply) = &received.reply {
            let mut answer = Message::new("assistant", reply.text.clone());
            answer.function_calls.clone_from(&reply.function_calls);
            conversation.say(answer, now);
        }
        if let Some(person) = &received.take_over {
            conversation.hand_over(&person.name, person.says.as_deref(), now);
            if let Some(after) = person.gives_back_after {
                let conversation = conversation.id.clone();
                let due = world.clock.elapsed() + after;
                world.agenda.add(due, Job::GiveBack { conversation });
            }
        }
    }
    if received.reply.is_some()
        && world.config.read_receipts.is_some()
        && let Some(conversation) = state.conversation(conversation)
    {
        let assistant = state.assistant(conversation.assistant_id);
        let assistant = assistant.map(|assistant| assistant.uuid.as_str());
        webhooks::plan_receipts(world, conversation, assistant);
    }
    Ok(received.reply)
}

/// A message that was stored, and what is to follow.
struct Received {
    /// `None`: nobody answers.
    reply: Option<Reply>,
    latency: Option<Duration>,
    take_over: Option<TakeOver>,
}

/// Stores the message and bills it; `None`: AI is switched off.
fn receive(
    call: &Call,
    state: &mut State,
    id: &str,
    message: &str,
    price: Option<Amount>,
) -> Result<Option<Received>, OutOfMoney> {
    let Some(conversation) = state.conversation(id) else {
        // Gone with a reset between two steps of this call.
        return Ok(None);
    };
    let assistant = state.assistant(conversation.assistant_id);
    let none = Variables::new();
    let received = (!conversation.ai_disabled).then(|| {
        let turn = Turn {
            conversation: id,
            customer: conversation.external_identifier.as_deref().unwrap_or(id),
            assistant: conversation.assistant_id,
            kind: conversation.kind,
            message,
            history: &conversation.history,
            variables: conversation.variables.as_ref(),
            assistant_variables: assistant.map_or(&none, |assistant| &assistant.variables),
            seeded: call.world.seeded,
        };
        match turn.rule(&call.world.config.rules) {
            Some(rule) => Received {
                reply: rule.reply(&turn),
                latency: rule.then.latency,
                take_over: rule.then.take_over.clone(),
            },
            None => Received {
                reply: Some(turn.answer()),
                latency: None,
                take_over: None,
            },
        }
    });
    // What nobody answers is free.
    let is_answered = received.as_ref().is_some_and(|it| it.reply.is_some());
    let billed = price.filter(|_| is_answered);
    if let Some(price) = billed {
        state.charge(&call.caller, price)?;
    }
    let again = may_end_again(state, id);
    if let Some(conversation) = state.conversation_mut(id) {
        let repeated = conversation
            .history
            .iter()
            .any(|said| said.role == "user" && said.content == message);
        conversation.say(Message::new("user", message), call.world.clock.now());
        conversation.pay(billed.unwrap_or_default());
        if again {
            conversation.ended_at = None;
        }
        let customer = conversation.external_identifier.as_deref().unwrap_or(id);
        call.message_stored(customer, repeated, billed);
    }
    if let Some(conversation) = state.conversation(id) {
        call.world.watch(state, conversation);
    }
    Ok(received)
}

/// Its assistant reports a second end too (`conversation_ended_retrigger`).
fn may_end_again(state: &State, id: &str) -> bool {
    state
        .conversation(id)
        .and_then(|conversation| state.assistant(conversation.assistant_id))
        .is_some_and(|assistant| assistant.ended_retrigger)
}

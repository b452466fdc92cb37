//! One message of a customer, and the assistant's answer to it.

use std::time::Duration;

use jiff::Timestamp;

use super::call::Call;
use super::refusal::Refusal;
use crate::agenda::Job;
use crate::lock;
use crate::money::Amount;
use crate::replies::{Reply, TakeOver, Turn};
use crate::state::{Message, OutOfMoney, State, Variables};
use crate::webhooks;

/// What came of a message.
pub(super) struct Exchanged {
    /// The conversation that it was said in.
    pub(super) conversation: String,
    /// `None`: nobody answers.
    pub(super) reply: Option<Reply>,
}

/// Takes the message in, takes the server's time, and answers.
///
/// The message is there from the moment it arrives and the answer follows, as
/// anybody sees who reads the conversation meanwhile; a client that goes away in
/// between changes neither. Where AI is switched off there is no answer and
/// nothing is billed (disable-ai: messages are stored and not answered; that
/// they are free is inferred).
///
/// # Errors
///
/// Those of `receive`, which looks the conversation up and [`receive`]s the
/// message; nothing is stored then.
pub(super) async fn exchange(
    call: &Call<'_>,
    receive: impl FnOnce(&mut State, Timestamp) -> Result<(usize, Option<Received>), Refusal>,
) -> Result<Exchanged, Refusal> {
    let (conversation, received, latency) = {
        let mut state = lock(&call.world.state);
        let now = call.world.clock.now();
        let (index, received) = receive(&mut state, now)?;
        let conversation = state.at(index).map(|it| it.id.clone()).unwrap_or_default();
        let latency = match &received {
            Some(received) => call.latency(received.latency),
            // Nobody thinks about what nobody answers.
            None => Duration::ZERO,
        };
        if latency.is_zero() {
            if let Some(received) = &received {
                answer(call, &mut state, index, received, now);
            }
            let reply = received.and_then(|received| received.reply);
            return Ok(Exchanged {
                conversation,
                reply,
            });
        }
        (conversation, received, latency)
    };
    call.take_time(latency).await;
    let mut state = lock(&call.world.state);
    // Looked up again: there may have been a reset meanwhile.
    if let (Some(index), Some(received)) = (state.index(&conversation), &received) {
        answer(call, &mut state, index, received, call.world.clock.now());
    }
    let reply = received.and_then(|received| received.reply);
    Ok(Exchanged {
        conversation,
        reply,
    })
}

/// A message that was stored, and what is to follow.
pub(super) struct Received {
    /// `None`: nobody answers.
    reply: Option<Reply>,
    latency: Option<Duration>,
    take_over: Option<TakeOver>,
}

/// Stores the message and bills it; `None`: AI is switched off.
///
/// # Errors
///
/// The balance does not cover the price; nothing is stored.
pub(super) fn receive(
    call: &Call<'_>,
    state: &mut State,
    index: usize,
    message: &str,
    price: Option<Amount>,
    now: Timestamp,
) -> Result<Option<Received>, OutOfMoney> {
    let Some(conversation) = state.at(index) else {
        return Ok(None);
    };
    let id = conversation.id.as_str();
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
    // It may end again: its assistant reports a second end too (`conversation_ended_retrigger`).
    let again = assistant.is_some_and(|assistant| assistant.ended_retrigger);
    // What nobody answers is free.
    let is_answered = received.as_ref().is_some_and(|it| it.reply.is_some());
    let billed = price.filter(|_| is_answered);
    if let Some(price) = billed {
        state.charge(&call.caller, price)?;
    }
    if let Some(conversation) = state.at_mut(index) {
        let repeated = conversation
            .history
            .iter()
            .any(|said| said.content == message && said.role == "user");
        conversation.say(Message::of_user(message), now);
        conversation.pay(billed.unwrap_or_default());
        if again {
            conversation.ended_at = None;
        }
        let customer = conversation.external_identifier.as_ref();
        let customer = customer.unwrap_or(&conversation.id);
        call.message_stored(customer, repeated, billed);
    }
    if let Some(conversation) = state.at(index) {
        call.world.watch(state, conversation);
    }
    Ok(received)
}

/// Stores what the assistant says, and what else follows from the message.
fn answer(call: &Call<'_>, state: &mut State, index: usize, received: &Received, now: Timestamp) {
    let world = call.world;
    if let Some(conversation) = state.at_mut(index) {
        if let Some(reply) = &received.reply {
            let mut answer = Message::of_assistant(&reply.text);
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
        && let Some(conversation) = state.at(index)
    {
        let assistant = state.assistant(conversation.assistant_id);
        let assistant = assistant.map(|assistant| assistant.uuid.as_str());
        webhooks::plan_receipts(world, conversation, assistant);
    }
}

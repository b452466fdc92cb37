//! `/ai/generate-reply`, and the same at `/user/ai/generate-reply`.

use http::StatusCode;

use super::call::Call;
use super::exchange::{exchange, receive};
use super::refusal::Refusal;
use crate::answer::{Object, Response};
use crate::state::OutOfMoney;

/// Documented for `customer_identifier`, in characters.
const LONGEST_CUSTOMER: usize = 255;

/// `POST /ai/generate-reply`
pub(super) async fn generate(call: &Call<'_>) -> Result<Response, Refusal> {
    let mut input = call.input();
    let assistant = input.required_integer("assistant_id");
    let customer = input.required_string("customer_identifier");
    input.at_most("customer_identifier", LONGEST_CUSTOMER);
    let message = input.required_string("message");
    let variables = input.map("variables");
    input.check()?;
    // Past the check, what is required is there.
    let assistant = assistant.unwrap_or_default();
    let customer = customer.unwrap_or_default();
    let message = message.unwrap_or_default();
    let price = call.world.config.reply_price;

    let exchanged = exchange(call, |state, now| {
        if state.assistant(assistant).is_none() {
            return Err(Refusal::Coded(
                StatusCode::NOT_FOUND,
                "Assistant not found or does not belong to you",
                "ASSISTANT_NOT_FOUND",
            ));
        }
        // A call that cannot be paid leaves no conversation behind.
        let known = state.index_of(assistant, customer);
        let is_answered = known
            .and_then(|index| state.at(index))
            .is_none_or(|conversation| !conversation.ai_disabled);
        if is_answered && state.balance(&call.caller) < price {
            return Err(Refusal::no_balance_for_reply());
        }
        let index = known.unwrap_or_else(|| state.open_for_customer(assistant, customer, now));
        if let (Some(variables), Some(conversation)) = (variables, state.at_mut(index)) {
            conversation.merge(variables);
        }
        let received = receive(call, state, index, message, Some(price), now)
            .map_err(|OutOfMoney| Refusal::no_balance_for_reply())?;
        Ok((index, received))
    })
    .await?;
    let reply = exchanged.reply.as_ref();
    let answer = Object::new()
        .field("success", &true)
        .text("conversation_id", &exchanged.conversation)
        .text("customer_identifier", customer);
    let answer = match reply {
        Some(reply) => answer.text("reply", &reply.text),
        // Where AI is switched off: inferred, the documentation has no example.
        None => answer.field("reply", &None::<&str>),
    };
    let tools = reply.map(|reply| reply.function_calls.as_slice());
    let tools = tools.unwrap_or_default();
    Ok(answer
        .field("function_calls", &tools)
        .field("ai_disabled", &reply.is_none())
        .ok())
}

//! `/ai/generate-reply`, and the same at `/user/ai/generate-reply`.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

use super::call::Call;
use super::exchange::exchange;
use super::refusal::Refusal;
use crate::lock;
use crate::state::{FunctionCall, OutOfMoney};

/// Documented for `customer_identifier`, in characters.
const LONGEST_CUSTOMER: usize = 255;

#[derive(Serialize)]
struct Generated {
    success: bool,
    conversation_id: String,
    customer_identifier: String,
    /// Null where AI is switched off: inferred, the documentation has no example.
    reply: Option<String>,
    function_calls: Vec<FunctionCall>,
    ai_disabled: bool,
}

/// `POST /ai/generate-reply`
pub(super) async fn generate(call: &Call) -> Result<Response, Refusal> {
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

    let conversation_id = {
        let now = call.world.clock.now();
        let mut state = lock(&call.world.state);
        if state.assistant(assistant).is_none() {
            return Err(Refusal::Coded(
                StatusCode::NOT_FOUND,
                "Assistant not found or does not belong to you",
                "ASSISTANT_NOT_FOUND",
            ));
        }
        // A call that cannot be paid leaves no conversation behind.
        let is_answered = state
            .conversation_of(assistant, &customer)
            .is_none_or(|conversation| !conversation.ai_disabled);
        if is_answered && state.balance(&call.caller) < price {
            return Err(Refusal::no_balance_for_reply());
        }
        let conversation = state.open_for_customer(assistant, &customer, now);
        conversation.merge(variables.unwrap_or_default());
        conversation.id.clone()
    };
    let reply = exchange(call, &conversation_id, &message, Some(price))
        .await
        .map_err(|OutOfMoney| Refusal::no_balance_for_reply())?;
    let ai_disabled = reply.is_none();
    let (reply, function_calls) = match reply {
        Some(reply) => (Some(reply.text), reply.function_calls),
        None => (None, Vec::new()),
    };
    Ok(Json(Generated {
        success: true,
        conversation_id,
        customer_identifier: customer,
        reply,
        function_calls,
        ai_disabled,
    })
    .into_response())
}

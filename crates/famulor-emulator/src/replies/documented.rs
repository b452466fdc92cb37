//! The documentation's own questions get the documentation's own answers.

use serde_json::json;

use super::{Reply, Turn};
use crate::state::FunctionCall;

/// Answers a message that stands in an example, as the example answers it.
pub(super) fn answer(turn: &Turn<'_>) -> Option<Reply> {
    match turn.message {
        // generateReply, request example and seed 2's answer.
        "Hi, I would like to schedule an appointment" => Some(Reply::says(format!(
            "Hi{}! I'd be happy to help you schedule an appointment. What day and time work best \
             for you?",
            match turn.first_name() {
                Some(name) => format!(" {name}"),
                None => String::new(),
            }
        ))),
        // sendMessage, request example and "success".
        "I would like to schedule a demo for next week" => Some(Reply::says(
            "I'd be happy to help you schedule a demo! I have availability on Monday at 2 PM, \
             Wednesday at 10 AM, or Friday at 3 PM. Which time works best for you?",
        )),
        // Seed 1, first exchange.
        "I'd like to schedule a demo" => Some(Reply {
            text: "I'd be happy to help you schedule a demo! I have availability tomorrow at 2 PM \
                   or Thursday at 10 AM. Which works better for you?"
                .to_owned(),
            function_calls: vec![FunctionCall {
                name: "check_calendar_availability".to_owned(),
                arguments: json!({"date_range": "next_7_days"}),
                result: json!({"available_slots": ["2025-01-10 14:00", "2025-01-12 10:00"]}),
            }],
        }),
        // Seed 1, second exchange: an answer to the first.
        "Thursday at 10 AM works for me" if !turn.history.is_empty() => Some(Reply {
            text: "I've scheduled your demo for Thursday, January 12th at 10 AM. You'll receive a \
                   calendar invitation shortly. Is there anything specific you'd like us to cover \
                   during the demo?"
                .to_owned(),
            function_calls: vec![FunctionCall {
                name: "book_appointment".to_owned(),
                arguments: json!({"datetime": "2025-01-12T10:00:00", "title": "Product Demo"}),
                result: json!({"success": true, "booking_id": "abc123"}),
            }],
        }),
        _ => None,
    }
}

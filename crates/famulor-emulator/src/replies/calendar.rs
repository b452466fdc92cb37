//! Appointments: the one thing the assistant has tools for.
//!
//! Tools and slots are those of generate-reply's documented example, which is
//! set on Tuesday, 7 January 2025. The calendar stays there, so that a reply
//! does not change with the day on which a test runs.

use serde_json::json;

use super::topics::{Topic, Topics};
use super::{Reply, Turn};
use crate::state::FunctionCall;

const CHECK: &str = "check_availability";
const BOOK: &str = "book_appointment";

/// Answers a message about an appointment; others are left to somebody else.
pub(super) fn answer(turn: &Turn<'_>, topics: Topics) -> Option<Reply> {
    if topics.has(Topic::Friday) && slots_are_offered(turn) {
        return Some(book(turn, "Friday at 10 AM", "2025-01-10T10:00:00"));
    }
    if topics.has(Topic::Tomorrow) && slots_are_offered(turn) {
        return Some(book(turn, "tomorrow at 2 PM", "2025-01-08T14:00:00"));
    }
    topics.has(Topic::Calendar).then(check)
}

/// The assistant's last word on the calendar was an offer, not a booking.
fn slots_are_offered(turn: &Turn<'_>) -> bool {
    turn.history
        .iter()
        .rev()
        .flat_map(|message| &message.function_calls)
        .next()
        .is_some_and(|call| call.name == CHECK)
}

fn check() -> Reply {
    const OFFER: &str = "I've checked our calendar and we have availability tomorrow at 2 PM and \
                         Friday at 10 AM. Which works better for you?";
    Reply {
        text: OFFER.to_owned(),
        function_calls: vec![FunctionCall {
            name: CHECK.to_owned(),
            arguments: json!({"start_date": "2025-01-08", "days": 7}),
            result: json!({"slots": ["2025-01-08 14:00", "2025-01-10 10:00"]}),
        }],
    }
}

fn book(turn: &Turn<'_>, when: &str, datetime: &str) -> Reply {
    let title = match turn.first_name() {
        Some(name) => format!("Appointment with {name}"),
        None => "Appointment".to_owned(),
    };
    let name = format!("booking {} {}", turn.conversation, turn.history.len());
    let booking = format!("bk{:06}", turn.seeded.below(&name, 1_000_000));
    Reply {
        text: format!(
            "Done{}: I've booked {when} for you. Your booking number is {booking}, and a calendar \
             invitation is on its way.",
            turn.comma_name()
        ),
        function_calls: vec![FunctionCall {
            name: BOOK.to_owned(),
            arguments: json!({"datetime": datetime, "title": title}),
            result: json!({"success": true, "booking_id": booking}),
        }],
    }
}

//! A billed message: at most once, and verified where nobody knows.
//!
//! Before sending, the number of the customer's own messages in the conversation is known (the watermark). After an
//! unknown outcome the conversation is read: a message behind the watermark that is this one has arrived.

mod doubt;
mod look_for;
mod position;
mod positions;
mod read_back;
mod same_text;
mod sight;
mod verify;

use std::future::Future;

use tokio::time::Instant;

use famulor_gen::{
    Error as Generated,
    types::{ApiError, Message},
};

pub(crate) use doubt::Doubt;
pub use look_for::Sighting;
pub(crate) use look_for::{look_for, position_of};
pub use position::Position;
pub(crate) use positions::Positions;
use read_back::{Verdict, read_back};
pub use verify::Verification;
pub(crate) use verify::verify;

use crate::call::{Call, OrderTurn, Start, run};
use crate::usage::count;
use crate::{
    AssistantId, ConversationId, CustomerId, Delivery, Error, ErrorKind, OnUnknown, Result,
};

/// To whom a message goes.
#[derive(Clone, Copy)]
pub(crate) enum Recipient<'a> {
    /// A customer of an assistant, by generate-reply.
    Customer {
        assistant: AssistantId,
        customer: &'a CustomerId,
    },
    /// A conversation, by send-message.
    Conversation(&'a ConversationId),
}

impl Recipient<'_> {
    /// What messages are put in order by.
    fn key(&self) -> String {
        match self {
            Self::Customer {
                assistant,
                customer,
            } => format!("{assistant}\n{}", customer.as_str()),
            Self::Conversation(id) => id.as_str().to_owned(),
        }
    }
}

/// A message that is billed.
#[derive(Clone, Copy)]
pub(crate) struct Outgoing<'a> {
    pub(crate) recipient: Recipient<'a>,
    pub(crate) text: &'a str,
}

/// How a message was answered.
pub(crate) struct Delivered<T> {
    pub(crate) answer: Answered<T>,
    pub(crate) attempts: u32,
}

/// Where the answer came from.
pub(crate) enum Answered<T> {
    /// The server's own answer to the call.
    Directly(T),
    /// The conversation, read after the answer was lost.
    ReadBack {
        conversation: ConversationId,
        message: Message,
    },
}

/// Sends a message when it is this customer's turn, and settles an unknown outcome as the policy says.
pub(crate) async fn deliver<T, F, R>(
    mut call: Call<'_>,
    outgoing: Outgoing<'_>,
    conversation_of: impl Fn(&T) -> Option<ConversationId>,
    send: F,
) -> Result<Delivered<T>>
where
    F: Fn(famulor_gen::Client) -> R,
    R: Future<Output = std::result::Result<T, Generated<ApiError>>>,
{
    let shared = call.shared;
    let key = outgoing.recipient.key();
    let _turn = wait_for_turn(&call, &key).await?;
    let mut reservation = shared.counters.reserve_billed()?;

    let policy = call.options.on_unknown;
    let may_look = !call.operation.needs_key || shared.has_key();
    let mut watermark = shared.positions.take(&key);
    if watermark.is_none() && policy != OnUnknown::Resend && may_look {
        watermark = position(&call, &outgoing).await;
    }
    // The failure of an earlier round that was not settled before the message was sent again.
    let mut unsettled: Option<Error> = None;
    loop {
        let sending = |client| {
            reservation.keep();
            send(client)
        };
        let mut error = match run(&call, sending).await {
            Ok(done) => {
                let found = conversation_of(&done.value);
                // After two messages of which one may have arrived, where the conversation stands is not known.
                if let (Some(before), None) = (watermark, unsettled) {
                    shared.positions.advance(key, before, found, outgoing.text);
                }
                count(&shared.counters.replies);
                return Ok(Delivered {
                    answer: Answered::Directly(done.value),
                    attempts: done.attempts,
                });
            }
            Err(error) => error,
        };
        if let Some(id) = watermark.as_ref().and_then(|at| at.conversation.as_ref()) {
            error.black_out(&[id.as_str()]);
        }
        if matches!(error.delivery(), Delivery::NotSent | Delivery::Refused) {
            reservation.give_back();
            if let Some(earlier) = unsettled {
                return Err(still_unknown(earlier, error));
            }
            if let Some(watermark) = watermark {
                shared.positions.set(key, watermark);
            }
            return Err(error);
        }
        let doubt = Doubt::new(&outgoing, watermark.clone());
        let rounds_left = error.attempts() <= call.options.max_retries;
        match (policy, error.delivery()) {
            (OnUnknown::Resend, Delivery::Unknown)
                if rounds_left && !call.start.left().is_zero() =>
            {
                // What is sent now may be billed besides what was sent before.
                let Ok(another) = shared.counters.reserve_billed() else {
                    return Err(error.with_doubt(doubt));
                };
                reservation = another;
                call.attempts_before = error.attempts();
                unsettled = Some(error.with_doubt(doubt));
                continue;
            }
            (OnUnknown::Fail, _) | (OnUnknown::Resend, Delivery::Unknown) => {
                return Err(error.with_doubt(doubt));
            }
            _ => {}
        }
        match read_back(&call, &doubt).await {
            Verdict::Answered {
                conversation,
                message,
            } => {
                count(&shared.counters.replies);
                let answer = Answered::ReadBack {
                    conversation,
                    message,
                };
                return Ok(Delivered {
                    answer,
                    attempts: error.attempts(),
                });
            }
            Verdict::NotThere if error.delivery() == Delivery::Unknown && rounds_left => {
                reservation.give_back();
                call.attempts_before = error.attempts();
                continue;
            }
            Verdict::NotThere | Verdict::Open => {}
            Verdict::Arrived => mark_arrived(&mut error),
            Verdict::Crowded => {
                error = error.with_hint(
                    "other messages reached the conversation meanwhile: a person has to read it and decide",
                );
            }
            Verdict::Unplaced => {
                error = error.with_hint(
                    "a message like it is in the conversation, perhaps an earlier one: a person has to read it and decide",
                );
            }
            Verdict::Closed => {
                error = error.with_hint(
                    "the conversation could not be found or read with this key: a person has to look there and decide",
                );
            }
        }
        return Err(error.with_doubt(doubt));
    }
}

/// A message was sent again and that failed for good: what became of the first one is as open as before.
fn still_unknown(earlier: Error, later: Error) -> Error {
    earlier
        .with_attempts(later.attempts())
        .with_retry_after(later.retry_after())
        .with_source(later)
}

async fn wait_for_turn(call: &Call<'_>, key: &str) -> Result<OrderTurn> {
    let turn = call.shared.order.turn(key.to_owned());
    // A deadline that has passed lets through what is ready on the spot.
    let latest = if call.options.only_now {
        Instant::now()
    } else {
        call.start.deadline
    };
    tokio::time::timeout_at(latest, turn).await.map_err(|_| {
        Error::new(
            ErrorKind::RateLimited,
            Delivery::NotSent,
            "an earlier message of the same customer was still in flight at the deadline",
        )
        .with_hint("messages of one customer go one at a time: allow a longer deadline")
    })
}

/// The watermark that a look at the conversation shows. `None` if it cannot be learned; then a message that is found
/// later proves nothing.
async fn position(call: &Call<'_>, outgoing: &Outgoing<'_>) -> Option<Position> {
    // The message is what matters: a list that stalls must not use its time up.
    let deadline = Instant::now() + call.start.left() / 4;
    let looking = Call {
        start: Start { deadline },
        ..*call
    };
    let sight = sight::look(&looking, outgoing.recipient, None).await.ok()?;
    let texts = sight.user_messages.iter();
    let texts = texts.map(|message| message.text.as_str());
    Some(Position::after(sight.conversation, texts))
}

/// The message is in the conversation, its answer is not.
fn mark_arrived(error: &mut Error) {
    let details = error.details_mut();
    details.delivery = Delivery::Processed;
    details.kind = ErrorKind::Unreadable;
    details.hint = Some(
        "do not repeat it: it is in the conversation; read that later for the answer".to_owned(),
    );
}

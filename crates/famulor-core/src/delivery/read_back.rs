//! After an unknown outcome: did the message arrive, and what was the answer?

use std::time::Duration;

use famulor_gen::types::Message;
use tokio::time::Instant;

use super::same_text::is_same;
use super::sight::{Sight, UserMessage, find, look};
use super::{Doubt, Recipient};
use crate::call::Call;
use crate::{ConversationId, Error, ErrorKind};

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Looks that must show nothing, two apart in time, before "it is not there" can be believed.
const PROOF_LOOKS: u32 = 2;

/// What reading back showed.
pub(super) enum Verdict {
    /// It arrived, and here is the answer.
    Answered {
        conversation: ConversationId,
        message: Message,
    },
    /// It arrived; its answer did not come before the deadline.
    Arrived,
    /// It is proved not to have arrived.
    NotThere,
    /// Other messages came meanwhile, or several like it: a person has to decide.
    Crowded,
    /// A message like it is there, and where the conversation stood before is not known.
    Unplaced,
    /// The conversation cannot be found or read with this key.
    Closed,
    /// Nothing is known before the deadline.
    Open,
}

/// Reads the conversation until there is a verdict or the deadline comes.
pub(super) async fn read_back(call: &Call<'_>, doubt: &Doubt) -> Verdict {
    // A quiet time beyond what the clock can hold never ends.
    let quiet_until = doubt.since.checked_add(call.options.doubt_wait);
    let left_of_quiet = || match quiet_until {
        Some(until) => until.saturating_duration_since(Instant::now()),
        None => Duration::MAX,
    };
    let mut known = doubt
        .watermark
        .as_ref()
        .and_then(|position| position.conversation.clone());
    let mut pause = FIRST_PAUSE;
    let mut empty_looks = 0;
    let mut arrived = false;
    loop {
        let quiet = left_of_quiet().is_zero();
        match look(call, doubt.recipient(), known.as_ref()).await {
            Ok(sight) => {
                known = sight.conversation.clone().or(known);
                match judge(sight, doubt) {
                    Judgement::Nothing => empty_looks += 1,
                    Judgement::Changed => empty_looks = 0,
                    Judgement::Waiting => arrived = true,
                    Judgement::Verdict(verdict) => return verdict,
                }
                // The look must have begun after the quiet time.
                if !arrived
                    && quiet
                    && empty_looks >= PROOF_LOOKS
                    && is_the_only_place(call, doubt.recipient(), known.as_ref()).await
                {
                    return Verdict::NotThere;
                }
            }
            Err(error) if !arrived && is_final(&error, known.is_some()) => return Verdict::Closed,
            Err(_) => {}
        }
        // The first look after the quiet time comes right after it.
        let rest = left_of_quiet();
        let wait = if rest.is_zero() {
            pause
        } else {
            pause.min(rest)
        };
        if call.start.left() <= wait {
            return if arrived {
                Verdict::Arrived
            } else {
                Verdict::Open
            };
        }
        tokio::time::sleep(wait).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Whether another look would fail the same way. A conversation that was there and is not found may be back soon.
pub(super) fn is_final(error: &Error, was_there: bool) -> bool {
    match error.kind() {
        ErrorKind::Auth | ErrorKind::Refused | ErrorKind::InvalidRequest => true,
        ErrorKind::NotFound => !was_there,
        _ => false,
    }
}

/// Whether the message can have gone nowhere else: a customer's next message may begin another conversation.
pub(super) async fn is_the_only_place(
    call: &Call<'_>,
    recipient: Recipient<'_>,
    known: Option<&ConversationId>,
) -> bool {
    match (recipient, known) {
        (
            Recipient::Customer {
                assistant,
                customer,
            },
            Some(known),
        ) => find(call, assistant, customer)
            .await
            .is_ok_and(|found| found.as_ref() == Some(known)),
        // A conversation is one place; of a customer without one, the list was the look.
        _ => true,
    }
}

pub(super) enum Judgement {
    /// The message is not there.
    Nothing,
    /// The history does not show what it showed before: it says nothing about the message.
    Changed,
    /// The message is there, without an answer yet.
    Waiting,
    Verdict(Verdict),
}

pub(super) fn judge(sight: Sight, doubt: &Doubt) -> Judgement {
    let is_it = |message: &UserMessage| is_same(&message.text, doubt.text());
    let Some(watermark) = &doubt.watermark else {
        // Without a watermark an old message like this one looks the same; only its absence says anything.
        return if sight.user_messages.iter().any(is_it) {
            Judgement::Verdict(Verdict::Unplaced)
        } else {
            Judgement::Nothing
        };
    };
    let texts: Vec<&str> = sight
        .user_messages
        .iter()
        .map(|message| message.text.as_str())
        .collect();
    if !watermark.is_behind(&texts) {
        return Judgement::Changed;
    }
    let mut newer = sight
        .user_messages
        .into_iter()
        .skip(watermark.user_messages);
    let Some(first) = newer.next() else {
        return Judgement::Nothing;
    };
    if !is_it(&first) || newer.next().is_some() {
        return Judgement::Verdict(Verdict::Crowded);
    }
    let id = match (sight.conversation, doubt.recipient()) {
        (Some(id), _) => id,
        (None, Recipient::Conversation(id)) => id.clone(),
        (None, Recipient::Customer { .. }) => return Judgement::Nothing,
    };
    match first.answer {
        Some(message) => Judgement::Verdict(Verdict::Answered {
            conversation: id,
            message,
        }),
        None => Judgement::Waiting,
    }
}

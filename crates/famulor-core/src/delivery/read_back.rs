//! After an unknown outcome: did the message arrive, and what was the answer?

use std::time::Duration;

use famulor_gen::types::Message;
use tokio::time::Instant;

use super::sight::{Sight, look};
use super::{Doubt, Recipient};
use crate::ConversationId;
use crate::call::Call;

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
        if let Ok(sight) = look(call, doubt.recipient(), known.as_ref()).await {
            known = sight.conversation.clone().or(known);
            match judge(sight, doubt) {
                Judgement::Nothing => empty_looks += 1,
                Judgement::Waiting => arrived = true,
                Judgement::Verdict(verdict) => return verdict,
            }
            // The look must have begun after the quiet time.
            if !arrived && quiet && empty_looks >= PROOF_LOOKS {
                return Verdict::NotThere;
            }
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

enum Judgement {
    /// The message is not there.
    Nothing,
    /// The message is there, without an answer yet.
    Waiting,
    Verdict(Verdict),
}

fn judge(sight: Sight, doubt: &Doubt) -> Judgement {
    let watermark = doubt.watermark.as_ref();
    let seen = watermark.map_or(0, |position| position.user_messages);
    // The backend's framework takes spaces off both ends of what it is sent.
    let text = doubt.text().trim();
    let mut newer = sight.user_messages.into_iter().skip(seen);
    let Some(first) = newer.next() else {
        return Judgement::Nothing;
    };
    if watermark.is_none() {
        // Without a watermark an old message like this one looks the same; only its absence says anything.
        let absent = first.text.trim() != text && newer.all(|message| message.text.trim() != text);
        return if absent {
            Judgement::Nothing
        } else {
            Judgement::Verdict(Verdict::Crowded)
        };
    }
    if first.text.trim() != text || newer.next().is_some() {
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

//! After an unknown outcome: did the message arrive, and what was the answer?

use std::time::Duration;

use famulor_gen::types::Message;
use tokio::time::Instant;

use super::positions::Position;
use super::sight::{Sight, look};
use super::{Outgoing, Recipient};
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
pub(super) async fn read_back(
    call: &Call<'_>,
    outgoing: &Outgoing<'_>,
    watermark: Option<&Position>,
) -> Verdict {
    let quiet_until = Instant::now()
        + call
            .options
            .doubt_wait
            .min(call.start.left() + LONGEST_PAUSE);
    let mut known = watermark.and_then(|position| position.conversation.clone());
    let mut pause = FIRST_PAUSE;
    let mut empty_looks = 0;
    let mut arrived = false;
    loop {
        if let Ok(sight) = look(call, outgoing.recipient, known.as_ref()).await {
            known = sight.conversation.clone().or(known);
            match judge(sight, outgoing, watermark) {
                Judgement::Nothing => empty_looks += 1,
                Judgement::Waiting => arrived = true,
                Judgement::Verdict(verdict) => return verdict,
            }
            if !arrived && empty_looks >= PROOF_LOOKS && Instant::now() >= quiet_until {
                return Verdict::NotThere;
            }
        }
        if call.start.left() <= pause {
            return if arrived {
                Verdict::Arrived
            } else {
                Verdict::Open
            };
        }
        // The last look before the end of the quiet time comes right after it.
        let until_quiet = quiet_until.saturating_duration_since(Instant::now());
        tokio::time::sleep(if until_quiet.is_zero() {
            pause
        } else {
            pause.min(until_quiet)
        })
        .await;
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

fn judge(sight: Sight, outgoing: &Outgoing<'_>, watermark: Option<&Position>) -> Judgement {
    let seen = watermark.map_or(0, |position| position.user_messages);
    // The backend's framework takes spaces off both ends of what it is sent.
    let text = outgoing.text.trim();
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
    let id = match (sight.conversation, outgoing.recipient) {
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

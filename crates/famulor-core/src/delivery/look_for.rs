//! One look for a message whose outcome is not known, for senders that keep the times themselves.

use super::position::Position;
use super::read_back::{Judgement, is_final, is_the_only_place, judge};
use super::sight::look;
use super::{Answered, Delivered, Doubt, Outgoing, Recipient};
use crate::call::{Call, Start};
use crate::operations::HISTORY;
use crate::{AssistantId, Client, CustomerId, Reply, Result};

/// What one look at a customer's conversation shows of a message.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Sighting {
    /// It arrived, and this is the answer. [`Reply::attempts`] is 0: a look sends nothing.
    Answered(Reply),
    /// It arrived; its answer is not there yet. Never send it again.
    Arrived,
    /// It is not there, in the only place where it could be. No proof yet: the server may still be working on it.
    /// Believe it after a second look, begun when the quiet time has passed.
    NotThere,
    /// The conversation no longer shows what it showed before the message: this look says nothing.
    Changed,
    /// Other messages came meanwhile, or several like it: a person has to decide.
    Crowded,
    /// A message like it is there, and where the conversation stood before is not known: a person has to decide.
    Unplaced,
    /// The conversation cannot be found or read with this key: a person has to decide.
    Closed,
}

/// Where a customer's conversation stands.
pub(crate) async fn position_of(
    client: &Client,
    assistant: AssistantId,
    customer: &CustomerId,
) -> Result<Position> {
    let private = [customer.as_str()];
    let recipient = Recipient::Customer {
        assistant,
        customer,
    };
    let sight = look(&reading(client, &private), recipient, None).await?;
    let texts = sight.user_messages.iter();
    let texts = texts.map(|message| message.text.as_str());
    Ok(Position::after(sight.conversation, texts))
}

/// Looks once.
pub(crate) async fn look_for(
    client: &Client,
    assistant: AssistantId,
    customer: &CustomerId,
    text: &str,
    position: Option<&Position>,
) -> Result<Sighting> {
    let recipient = Recipient::Customer {
        assistant,
        customer,
    };
    let doubt = Doubt::new(&Outgoing { recipient, text }, position.cloned());
    let known = position.and_then(|position| position.conversation.as_ref());
    let mut private = vec![text, customer.as_str()];
    private.extend(known.map(|id| id.as_str()));
    let call = reading(client, &private);
    let sight = match look(&call, recipient, known).await {
        Ok(sight) => sight,
        Err(error) if is_final(&error, known.is_some()) => return Ok(Sighting::Closed),
        Err(error) => return Err(error),
    };
    let found = sight.conversation.clone();
    Ok(match judge(sight, &doubt) {
        Judgement::Verdict(verdict) => verdict.into_sighting(customer),
        Judgement::Waiting => Sighting::Arrived,
        Judgement::Changed => Sighting::Changed,
        Judgement::Nothing => match is_the_only_place(&call, recipient, found.as_ref()).await {
            true => Sighting::NotThere,
            false => Sighting::Changed,
        },
    })
}

fn reading<'a>(client: &'a Client, private: &'a [&'a str]) -> Call<'a> {
    Call {
        shared: &client.shared,
        operation: &HISTORY,
        options: &client.options,
        start: Start::now(&client.options),
        private,
        attempts_before: 0,
    }
}

impl super::Verdict {
    fn into_sighting(self, customer: &CustomerId) -> Sighting {
        match self {
            Self::Answered {
                conversation,
                message,
            } => Sighting::Answered(Reply::new(
                Delivered {
                    answer: Answered::ReadBack {
                        conversation,
                        message,
                    },
                    attempts: 0,
                },
                customer,
            )),
            Self::Arrived => Sighting::Arrived,
            Self::Crowded => Sighting::Crowded,
            Self::Unplaced => Sighting::Unplaced,
            Self::Closed => Sighting::Closed,
            // A single look gives neither: they take several.
            Self::NotThere | Self::Open => Sighting::Changed,
        }
    }
}

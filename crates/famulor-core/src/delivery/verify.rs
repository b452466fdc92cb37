//! Asking later what became of a message.

use super::Answered;
use super::Delivered;
use super::read_back::{Verdict, read_back};
use crate::answers::Turn;
use crate::call::{Call, Start};
use crate::operations::HISTORY;
use crate::{Client, Error, Result};

/// What a conversation shows of a message whose outcome was not known.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Verification {
    /// It arrived, and this is the answer.
    Answered(Turn),
    /// It arrived; its answer is not there yet. Do not send it again.
    Arrived,
    /// It is proved not to have arrived: it can be sent again.
    NotThere,
    /// Other messages came meanwhile, or several like it, or where the conversation stood before is not known: a
    /// person has to read it and decide.
    NeedsReview,
    /// Neither its presence nor its absence is proved yet: ask again later.
    Open,
}

/// Looks until there is a verdict or the client's deadline comes.
pub(crate) async fn verify(client: &Client, error: &Error) -> Result<Verification> {
    let Some(doubt) = error.doubt() else {
        return Err(Error::invalid_request(
            "there is nothing to verify: this is no error of a message whose outcome is unknown",
            "look at its delivery first",
        ));
    };
    let private = doubt.private();
    let call = Call {
        shared: &client.shared,
        operation: &HISTORY,
        options: &client.options,
        start: Start::now(&client.options),
        private: &private,
        attempts_before: 0,
    };
    Ok(match read_back(&call, doubt).await {
        Verdict::Answered {
            conversation,
            message,
        } => {
            let answer = Answered::ReadBack {
                conversation,
                message,
            };
            Verification::Answered(Turn::new(Delivered {
                answer,
                attempts: error.attempts(),
            }))
        }
        Verdict::Arrived => Verification::Arrived,
        Verdict::NotThere => Verification::NotThere,
        Verdict::Crowded => Verification::NeedsReview,
        Verdict::Open => Verification::Open,
    })
}

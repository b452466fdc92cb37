//! The message that is under way, so that an interruption can say what became of it.

use std::sync::{Mutex, PoisonError};

use famulor_core::{Client, Delivery};

use crate::exit::Exit;
use crate::failure::Failure;

/// What is under way, if anything.
#[derive(Default)]
pub(crate) struct Flight(Mutex<Option<UnderWay>>);

struct UnderWay {
    what: &'static str,
    client: Client,
    calls_before: u64,
}

impl Flight {
    /// Runs a call that adds something: a message, a conversation. Dropped in
    /// the middle, it stays "under way": that is when somebody asks.
    pub(crate) async fn during<T>(
        &self,
        what: &'static str,
        client: &Client,
        call: impl Future<Output = T>,
    ) -> T {
        let under_way = UnderWay {
            what,
            client: client.clone(),
            calls_before: client.usage().calls,
        };
        self.set(Some(under_way));
        let result = call.await;
        self.set(None);
        result
    }

    fn set(&self, under_way: Option<UnderWay>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = under_way;
    }

    /// What to tell somebody who has just stopped the command.
    pub(crate) fn stopped(&self, exit: Exit) -> Failure {
        let word = if exit == Exit::Terminated {
            "terminated"
        } else {
            "interrupted"
        };
        let under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*under_way {
            None => Failure::by_signal(
                exit,
                Delivery::NotSent,
                format!("{word}; no message was under way"),
            ),
            Some(call) if call.client.usage().calls == call.calls_before => Failure::by_signal(
                exit,
                Delivery::NotSent,
                format!("{word} before {} was sent: nothing was billed", call.what),
            ),
            Some(call) => Failure::by_signal(
                exit,
                Delivery::Unknown,
                format!(
                    "{word} while {} was under way: it may be processed, and billed",
                    call.what
                ),
            )
            .next(
                "look at the conversation (famulor conversation list, famulor conversation get) \
                 before sending it again",
            ),
        }
    }
}

//! What became of rows in doubt.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use famulor_core::{AssistantId, CustomerId, Sighting};
use futures_util::future::join_all;
use tokio::time::timeout;

use super::dispatch::give_up_or_wait;
use super::send::answer;
use super::shared::{Account, Shared};
use crate::store::{Doubt, Looked, NextPosition, Outcome, TakeDoubts, Verdict};

/// Looks at a time.
const MOST: usize = 8;

/// How soon a doubt that another process has put in is found.
const POLL: Duration = Duration::from_secs(1);

/// Assistants of whom it is known that the account's list shows what their replies are in.
#[derive(Default)]
struct Evidence(Mutex<HashSet<AssistantId>>);

/// Reads rows in doubt back, until the worker halts.
pub(super) async fn read_back(shared: Arc<Shared>, account: Arc<Account>) {
    let evidence = Evidence::default();
    while !shared.halt.is_cancelled() {
        let told = shared.store.news().notified();
        let due = match shared.store.next_look(account.number, shared.job).await {
            Ok(due) => due.map(|due| Duration::from_millis(due.unsigned_abs())),
            Err(error) => {
                give_up_or_wait(&shared, error).await;
                continue;
            }
        };
        let pause = due.unwrap_or(POLL).min(POLL);
        if !pause.is_zero() {
            tokio::select! {
                () = shared.halt.cancelled() => {}
                _ = timeout(pause, told) => {}
            }
            continue;
        }
        let take = TakeDoubts {
            account: account.number,
            job: shared.job,
            most: MOST,
            looker: shared.owner(),
        };
        let doubts = match shared.store.write(take).await {
            Ok(doubts) => doubts,
            Err(error) => {
                give_up_or_wait(&shared, error).await;
                continue;
            }
        };
        let looks = doubts
            .iter()
            .map(|doubt| look(&shared, &account, &evidence, doubt));
        join_all(looks).await;
    }
}

async fn look(shared: &Shared, account: &Account, evidence: &Evidence, doubt: &Doubt) {
    let quiet = shared.settings.doubt_wait;
    let quiet = quiet.unwrap_or_else(|| account.client.doubt_wait());
    let quiet_ms = i64::try_from(quiet.as_millis()).unwrap_or(i64::MAX / 16);
    shared.settings.checkpoint.reached("looking");
    let looking = account.client.look_for(
        doubt.assistant,
        &doubt.customer,
        &doubt.text,
        doubt.position.as_ref(),
    );
    let seen = tokio::select! {
        // Given back, so that the next worker need not wait for it.
        () = shared.halt.cancelled() => None,
        seen = looking => Some(seen),
    };
    let review = |reason: &str| {
        Verdict::Settled(Outcome::Review {
            reason: reason.to_owned(),
        })
    };
    let verdict = match seen {
        // Where the conversation stands now is looked up before the next message.
        Some(Ok(Sighting::Answered(reply))) => {
            Verdict::Settled(answer(&reply, NextPosition::Unknown))
        }
        Some(Ok(Sighting::Arrived)) => Verdict::Arrived,
        Some(Ok(Sighting::NotThere)) => {
            let quiet_over = doubt.began >= doubt.since.saturating_add(quiet_ms);
            let proves = !quiet_over || evidence.is_there(shared, account, doubt).await;
            Verdict::NotThere { proves }
        }
        Some(Ok(Sighting::Crowded)) => review("other messages reached the conversation meanwhile"),
        Some(Ok(Sighting::Unplaced)) => {
            review("a message like it is in the conversation, perhaps an earlier one")
        }
        Some(Ok(Sighting::Closed)) => {
            review("the conversation could not be found or read with the account's key")
        }
        Some(Ok(_)) => Verdict::Nothing,
        Some(Err(_)) | None => Verdict::Failed,
    };
    let looked = Looked {
        id: doubt.id,
        attempt: doubt.attempt,
        began: doubt.began,
        quiet_ms,
        verdict,
    };
    // What fails here is looked for again when its time to be written down has passed.
    if let Ok(state) = shared.store.write(looked).await {
        shared.came_to(state);
    }
}

impl Evidence {
    /// Whether a conversation that the list does not show is not there.
    ///
    /// Of a customer who had a conversation that is read itself. Of a first message the list has to tell, and that it
    /// names conversations by customer is inferred (facts page, surprise 8): it is believed of an account once it shows
    /// the conversation of another reply.
    async fn is_there(&self, shared: &Shared, account: &Account, doubt: &Doubt) -> bool {
        let position = doubt.position.as_ref();
        if position.is_some_and(|position| position.conversation_id().is_some()) {
            return true;
        }
        if self.known().contains(&doubt.assistant) {
            return true;
        }
        let other = shared
            .store
            .answered_lately(account.number, doubt.assistant.get())
            .await;
        let Ok(Some((customer, conversation))) = other else {
            return false;
        };
        let Ok(customer) = CustomerId::raw(customer) else {
            return false;
        };
        let listed = account.client.position(doubt.assistant, &customer).await;
        let shown = listed.is_ok_and(|position| {
            let listed = position.conversation_id().map(|id| id.as_str());
            listed == Some(conversation.as_str())
        });
        if shown {
            self.known().insert(doubt.assistant);
        }
        shown
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashSet<AssistantId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

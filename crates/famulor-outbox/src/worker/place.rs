//! Looking ahead: where a conversation stands has to be known before its customer's turn comes.

use std::sync::Arc;

use famulor_core::ErrorKind;
use futures_util::future::join_all;
use tokio::time::timeout;

use super::dispatch::give_up_or_wait;
use super::send::back_off;
use super::shared::{Account, Shared};
use crate::store::Place;

/// Looks at a time. They count in the limits of all endpoints, which replies need too.
const MOST: usize = 16;

/// Customers that are to be ready for each call that may be under way.
const AHEAD: usize = 2;

/// Looks where customers' conversations stand, until the worker halts.
pub(super) async fn look_ahead(shared: Arc<Shared>, account: Arc<Account>) {
    let mut failures = 0;
    while !shared.halt.is_cancelled() {
        let told = shared.store.news().notified();
        let places = match wanted(&shared, &account).await {
            Ok(places) => places,
            Err(error) => {
                give_up_or_wait(&shared, error).await;
                continue;
            }
        };
        if places.is_empty() {
            tokio::select! {
                () = shared.halt.cancelled() => {}
                _ = timeout(shared.store.poll(), told) => {}
            }
            continue;
        }
        let looks = places.iter().map(|place| look(&shared, &account, place));
        let looks = tokio::select! {
            () = shared.halt.cancelled() => return,
            looks = join_all(looks) => looks,
        };
        failures = if looks.into_iter().all(|done| done) {
            0
        } else {
            failures + 1
        };
        if failures > 0 {
            back_off(&shared, failures).await;
        }
    }
}

/// Customers in turn whose conversations have to be looked at now.
async fn wanted(shared: &Shared, account: &Account) -> crate::Result<Vec<Place>> {
    let places = shared
        .store
        .places(account.number, shared.job, MOST)
        .await?;
    let Some(first) = places.first() else {
        return Ok(places);
    };
    // Who waits for longer than those who are ready comes first, however many are ready.
    let enough = shared.settings.concurrency.saturating_mul(AHEAD);
    let ready = shared
        .store
        .placed_before(account.number, first.served(), enough)
        .await?;
    let mut places = places;
    places.truncate(enough.saturating_sub(ready));
    Ok(places)
}

/// False: another look may show what this one did not.
async fn look(shared: &Shared, account: &Account, place: &Place) -> bool {
    let seen = account
        .client
        .position(place.assistant, &place.customer)
        .await;
    let placed = match seen {
        Ok(position) => place.seen(serde_json::to_string(&position).ok()),
        Err(error) if may_pass(error.kind()) => return false,
        // It cannot be learned. After an unknown outcome a person has to look, then.
        Err(_) => place.seen(None),
    };
    shared.store.write(placed).await.is_ok()
}

fn may_pass(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Network | ErrorKind::Server | ErrorKind::RateLimited
    )
}

//! From a free slot to a message under way.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use famulor_core::ReplySlot;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::keep::forget_unsent;
use super::send::send;
use super::shared::{Account, Shared};
use crate::store::Claim;
use crate::{Error, ErrorKind};

/// Messages of one claim.
const MOST: usize = 64;

/// Sends an account's messages as slots come free, until the worker halts.
pub(super) async fn dispatch(shared: Arc<Shared>, account: Arc<Account>) {
    // After a claim that seemed to fail.
    let mut unsure = false;
    while !shared.halt.is_cancelled() {
        let pause = account.pace.left();
        if !pause.is_zero() {
            shared.sleep(pause).await;
            continue;
        }
        if unsure {
            match forget_unsent(&shared).await {
                Ok(()) => unsure = false,
                Err(error) => {
                    give_up_or_wait(&shared, error).await;
                    continue;
                }
            }
        }
        let told = shared.store.news().notified();
        match shared.store.has_work(account.number, shared.job).await {
            Ok(true) => {}
            Ok(false) => {
                tokio::select! {
                    () = shared.halt.cancelled() => {}
                    _ = timeout(shared.store.poll(), told) => {}
                }
                continue;
            }
            Err(error) => {
                give_up_or_wait(&shared, error).await;
                continue;
            }
        }
        let Some(slots) = slots(&shared, &account).await else {
            continue;
        };
        // The worker is about to end, and may not have noticed yet.
        if shared.has_failed_enough() {
            return;
        }
        match claim_and_send(&shared, &account, slots).await {
            Ok(true) => {}
            // Others were quicker, or have taken this worker for dead.
            Ok(false) => {
                shared.sleep(Duration::from_millis(50)).await;
            }
            Err(error) => {
                unsure = true;
                give_up_or_wait(&shared, error).await;
            }
        }
    }
}

type Slot = (OwnedSemaphorePermit, ReplySlot);

/// Waits for a place and a slot; takes as many more as there are. `None`: it has to look again.
async fn slots(shared: &Shared, account: &Account) -> Option<Vec<Slot>> {
    let waiting = async {
        let place = Arc::clone(&account.calls).acquire_owned().await.ok()?;
        match account.client.reply_slot().await {
            Ok(slot) => Some((place, slot)),
            Err(error) => {
                // The quota's store is away, or its wait was limited.
                account.pace.failed();
                tracing::warn!(kind = %error.kind(), "no slot of the quota: {error}");
                None
            }
        }
    };
    let first = tokio::select! {
        () = shared.halt.cancelled() => return None,
        first = waiting => first?,
    };
    let mut slots = vec![first];
    while slots.len() < MOST
        && let Ok(place) = Arc::clone(&account.calls).try_acquire_owned()
        && let Ok(slot) = account.client.try_reply_slot().await
    {
        slots.push((place, slot));
    }
    Some(slots)
}

/// False: there was nothing to claim.
async fn claim_and_send(
    shared: &Arc<Shared>,
    account: &Arc<Account>,
    slots: Vec<Slot>,
) -> Result<bool, Error> {
    let claiming = shared.claiming.read().await;
    let claim = Claim {
        owner: shared.owner(),
        account: account.number,
        job: shared.job,
        most: slots.len(),
        checkpoint: shared.settings.checkpoint,
        found: AtomicBool::new(false),
    };
    let claimed = shared.store.write(claim).await?;
    let any = !claimed.is_empty();
    // From here to the spawned task nothing waits: what is committed is sent.
    shared.sending().extend(claimed.iter().map(|row| row.id));
    for (row, (place, slot)) in claimed.into_iter().zip(slots) {
        let (shared, account) = (Arc::clone(shared), Arc::clone(account));
        tokio::spawn(async move {
            send(&shared, &account, row, slot).await;
            drop(place);
        });
    }
    drop(claiming);
    Ok(any)
}

/// A store that is away comes back; one that is full or broken needs somebody.
pub(super) async fn give_up_or_wait(shared: &Shared, error: Error) {
    if error.kind() == ErrorKind::Unreachable {
        shared.sleep(Duration::from_millis(500)).await;
    } else {
        shared.fail(error);
    }
}

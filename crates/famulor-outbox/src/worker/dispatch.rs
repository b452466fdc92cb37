//! From a free slot to a message under way.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use famulor_core::ReplySlot;
use famulor_quota::{Ask, SharedDatabase};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::keep::forget_unsent;
use super::send::send;
use super::shared::{Account, Shared};
use crate::store::{Claim, Claimed, Taking};
use crate::{Error, ErrorKind};

/// Messages of one claim.
const MOST: usize = 64;

/// Sends an account's messages as slots come free, until the worker halts.
pub(super) async fn dispatch(shared: Arc<Shared>, account: Arc<Account>) {
    // After a claim that seemed to fail.
    let mut unsure = false;
    let mut joint = Joint::default();
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
        let round = match joint.find(&shared, &account).await {
            Ok(Some(quota)) => in_one(&shared, &account, quota).await,
            Ok(None) => in_two(&shared, &account).await,
            Err(error) => {
                give_up_or_wait(&shared, error).await;
                continue;
            }
        };
        match round {
            Ok(Round::Sent | Round::LookAgain) => {}
            // The worker is about to end, and may not have noticed yet.
            Ok(Round::Enough) => return,
            // Others were quicker, or have taken this worker for dead.
            Ok(Round::Nothing) => {
                shared.sleep(Duration::from_millis(50)).await;
            }
            Ok(Round::Elsewhere) => joint.is_elsewhere(),
            Err(error) => {
                unsure = true;
                give_up_or_wait(&shared, error).await;
            }
        }
    }
}

/// What came of a look for a slot and messages.
enum Round {
    Sent,
    /// There was nothing to claim.
    Nothing,
    /// No slot, or the worker halts.
    LookAgain,
    /// So many messages have failed that no more are begun.
    Enough,
    /// The quota was thought to be in the store's own database, and is not.
    Elsewhere,
}

/// Messages and slots in one transaction, where both are kept in one database.
async fn in_one(
    shared: &Arc<Shared>,
    account: &Arc<Account>,
    quota: SharedDatabase,
) -> Result<Round, Error> {
    let waiting = async {
        let place = Arc::clone(&account.calls).acquire_owned().await.ok()?;
        let turn = account.client.reply_turn().await;
        let turn = turn.map_err(|error| no_slot(account, &error)).ok()??;
        Some((place, turn))
    };
    let waited = tokio::select! {
        () = shared.halt.cancelled() => return Ok(Round::LookAgain),
        waited = waiting => waited,
    };
    let Some((place, mut turn)) = waited else {
        return Ok(Round::LookAgain);
    };
    let mut places = vec![place];
    loop {
        if shared.has_failed_enough() {
            return Ok(Round::Enough);
        }
        while places.len() < MOST
            && let Ok(place) = Arc::clone(&account.calls).try_acquire_owned()
        {
            places.push(place);
        }
        let claiming = shared.claiming.read().await;
        let most = turn.most(places.len());
        let claim = claim(shared, account, most, Some((quota.clone(), turn.ask())));
        let ready_in = match shared.store.claim(claim).await? {
            Taking::Took(rows, Some(slots)) => {
                let slots = places.into_iter().zip(turn.granted(*slots)).collect();
                send_each(shared, account, rows, slots);
                return Ok(Round::Sent);
            }
            Taking::Took(_, None) => return Ok(Round::Nothing),
            Taking::NoSlot(ready_in) => ready_in,
            Taking::NoQuota(error) => {
                account.pace.failed();
                tracing::warn!("no slot of the quota: {error}");
                return Ok(Round::LookAgain);
            }
            Taking::Elsewhere => return Ok(Round::Elsewhere),
        };
        drop(claiming);
        places.truncate(1);
        let denied = tokio::select! {
            () = shared.halt.cancelled() => return Ok(Round::LookAgain),
            denied = turn.denied(ready_in) => denied,
        };
        if let Err(error) = denied {
            no_slot(account, &error);
            return Ok(Round::LookAgain);
        }
        // Meanwhile the server may have become unreachable.
        if !account.pace.left().is_zero() {
            return Ok(Round::LookAgain);
        }
    }
}

/// Slots first, and then messages for them.
async fn in_two(shared: &Arc<Shared>, account: &Arc<Account>) -> Result<Round, Error> {
    let Some(slots) = slots(shared, account).await else {
        return Ok(Round::LookAgain);
    };
    if shared.has_failed_enough() {
        return Ok(Round::Enough);
    }
    let claiming = shared.claiming.read().await;
    let claim = claim(shared, account, slots.len(), None);
    let Taking::Took(rows, _) = shared.store.claim(claim).await? else {
        return Ok(Round::Nothing);
    };
    let round = match rows.is_empty() {
        true => Round::Nothing,
        false => Round::Sent,
    };
    send_each(shared, account, rows, slots);
    drop(claiming);
    Ok(round)
}

type Slot = (OwnedSemaphorePermit, ReplySlot);

/// Waits for a place and a slot; takes as many more as there are. `None`: it has to look again.
async fn slots(shared: &Shared, account: &Account) -> Option<Vec<Slot>> {
    let waiting = async {
        let place = Arc::clone(&account.calls).acquire_owned().await.ok()?;
        let slot = account.client.reply_slot().await;
        let slot = slot.map_err(|error| no_slot(account, &error)).ok()?;
        Some((place, slot))
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

/// The quota's store is away, or its wait was limited.
fn no_slot(account: &Account, error: &famulor_core::Error) {
    account.pace.failed();
    tracing::warn!(kind = %error.kind(), "no slot of the quota: {error}");
}

fn claim(
    shared: &Shared,
    account: &Account,
    most: usize,
    quota: Option<(SharedDatabase, Ask)>,
) -> Claim {
    Claim {
        owner: shared.owner(),
        account: account.number,
        job: shared.job,
        most,
        checkpoint: shared.settings.checkpoint,
        quota,
        found: AtomicBool::new(false),
    }
}

/// What is committed is sent: nothing waits between the commit and the tasks that send. Whoever calls it has `claiming`.
fn send_each(shared: &Arc<Shared>, account: &Arc<Account>, rows: Vec<Claimed>, slots: Vec<Slot>) {
    shared.sending().extend(rows.iter().map(|row| row.id));
    for (row, (place, slot)) in rows.into_iter().zip(slots) {
        let (shared, account) = (Arc::clone(shared), Arc::clone(account));
        tokio::spawn(async move {
            send(&shared, &account, row, slot).await;
            drop(place);
        });
    }
}

/// Whether an account's quota is kept in the store's own database.
#[derive(Default)]
struct Joint(Option<(SharedDatabase, bool)>);

impl Joint {
    /// That database, if it is. Both are asked again once one of them has seen another.
    async fn find(
        &mut self,
        shared: &Shared,
        account: &Account,
    ) -> Result<Option<SharedDatabase>, Error> {
        let Some(quota) = account.client.quota_database().await else {
            return Ok(None);
        };
        let is_here = match &self.0 {
            Some((known, is_here)) if *known == quota => *is_here,
            _ => {
                let is_here = match shared.store.is_home_of(&quota).await {
                    Err(error) if error.kind() == ErrorKind::Unreachable => return Err(error),
                    // A server that does not say where it is: two transactions work everywhere.
                    is_here => is_here.unwrap_or(false),
                };
                self.0 = Some((quota.clone(), is_here));
                is_here
            }
        };
        Ok(is_here.then_some(quota))
    }

    fn is_elsewhere(&mut self) {
        if let Some((_, is_here)) = &mut self.0 {
            *is_here = false;
        }
    }
}

/// A store that is away comes back; one that is full or broken needs somebody.
pub(super) async fn give_up_or_wait(shared: &Shared, error: Error) {
    if error.kind() == ErrorKind::Unreachable {
        shared.sleep(Duration::from_millis(500)).await;
    } else {
        shared.fail(error);
    }
}

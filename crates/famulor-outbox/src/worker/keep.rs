//! Staying alive, and finding out who is not.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::owner_file::OwnerFile;
use super::shared::Shared;
use crate::store::{Forget, OwnerGone, Register, Renew, Store};
use crate::{ErrorKind, Result};

/// How often a worker looks for others that are gone: a look at the locks costs next to nothing.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A worker's registration: its number, and its file where the store is one. Dropped, as a program does that ends at once, it
/// leaves others to find that out.
pub(super) struct Registration {
    pub(super) owner: i64,
    file: Option<OwnerFile>,
}

impl Registration {
    pub(super) async fn new(store: &Store, lease_ms: i64) -> Result<Self> {
        let owner = store.write(Register { lease_ms }).await?;
        Ok(Self {
            owner,
            file: OwnerFile::lock(store.location(), owner),
        })
    }

    /// The store knows that it has ended.
    pub(super) fn end(self) {
        if let Some(file) = self.file {
            file.tidy();
        }
    }
}

/// Renews the lease until all calls have ended.
pub(super) async fn keep(shared: Arc<Shared>, mut registration: Registration) -> Registration {
    let every = shared.settings.lease / 3;
    let lease_ms = shared.settings.lease_ms();
    let mut renew_at = Instant::now() + every;
    loop {
        let pause = every.min(LOOK_EVERY);
        tokio::select! {
            () = shared.over.cancelled() => return registration,
            () = sleep(pause) => {}
        }
        if Instant::now() >= renew_at {
            let owner = registration.owner;
            match shared.store.write(Renew { owner, lease_ms }).await {
                Ok(true) => {}
                // Others have taken it for dead, and its rows are in doubt: it begins anew.
                Ok(false) => {
                    if let Ok(new) = Registration::new(&shared.store, lease_ms).await {
                        shared.owner.store(new.owner, Ordering::Release);
                        std::mem::replace(&mut registration, new).end();
                    }
                }
                // The store is away; so it is for the others.
                Err(error) if error.kind() == ErrorKind::Unreachable => continue,
                // It is full or broken, which somebody has to be told.
                Err(error) => {
                    shared.fail(error);
                    continue;
                }
            }
            renew_at = Instant::now() + every;
        }
        let _ = find_lost(
            &shared.store,
            shared.owner(),
            shared.settings.without_intents,
        )
        .await;
    }
}

/// Has rows of workers that are gone come into doubt.
pub(super) async fn find_lost(store: &Store, me: i64, as_if_unsent: bool) -> Result<()> {
    let location = store.location();
    let others = store.owners().await?;
    let others = others.into_iter().filter(|(owner, _)| *owner != me);
    let lost: Vec<(i64, bool)> = others
        .filter(|(owner, expired)| *expired || OwnerFile::is_abandoned(location, *owner))
        .collect();
    if lost.is_empty() {
        return Ok(());
    }
    let abandoned = lost.iter().filter(|(_, expired)| !expired);
    let known = abandoned.map(|(owner, _)| *owner).collect();
    let gone = OwnerGone {
        known,
        as_if_unsent,
    };
    let rows = store.write(gone).await?;
    for (owner, _) in lost {
        OwnerFile::remove(location, owner);
    }
    if rows > 0 {
        tracing::warn!(rows, "a worker is gone; what it was sending is read back");
    }
    Ok(())
}

/// A claim seemed to fail and may be in the store all the same: what was claimed so was not sent.
pub(super) async fn forget_unsent(shared: &Shared) -> Result<()> {
    // Nobody claims meanwhile, so that what is not being sent never will be.
    let _alone = shared.claiming.write().await;
    let except = shared.sending().iter().copied().collect();
    let owner = shared.owner();
    shared.store.write(Forget { owner, except }).await.map(drop)
}

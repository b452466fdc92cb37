//! The lines of all accounts, and a place in one of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::line::{Line, Standing};
use super::{AcquireRequest, Lane};
use crate::{AccountKey, Limit};

/// Everyone in this process who waits, by account.
#[derive(Debug, Default)]
pub(super) struct Lines {
    lines: Mutex<HashMap<AccountKey, Line>>,
    /// How many lines there are: most of the time none, and then nobody has to
    /// take the lock to learn it.
    count: AtomicUsize,
}

impl Lines {
    pub(super) fn nobody_waits(&self, account: AccountKey) -> bool {
        self.count.load(Ordering::Acquire) == 0 || !self.lock().contains_key(&account)
    }

    pub(super) fn ahead_of(&self, request: &AcquireRequest) -> usize {
        if self.count.load(Ordering::Acquire) == 0 {
            return 0;
        }
        self.lock().get(&request.account).map_or(0, |line| {
            line.ahead_of(&request.limits, request.lane, request.at_head)
        })
    }

    pub(super) fn join(
        self: &Arc<Self>,
        request: &AcquireRequest,
        deadline: Option<Instant>,
    ) -> Place {
        let bell = Arc::new(Notify::new());
        let mut lines = self.lock();
        let line = lines.entry(request.account).or_default();
        let ticket = line.join(
            &request.limits,
            request.lane,
            request.at_head,
            deadline,
            Arc::clone(&bell),
            Instant::now(),
        );
        self.count.store(lines.len(), Ordering::Release);
        drop(lines);
        Place {
            lines: Arc::clone(self),
            account: request.account,
            limits: Arc::clone(&request.limits),
            lane: request.lane,
            ticket,
            bell,
            served: false,
        }
    }

    /// A slot came free before its time.
    pub(super) fn wake_first(&self, account: AccountKey) {
        self.with(account, |line| line.wake_first(Instant::now()));
    }

    pub(super) fn frozen(&self, account: AccountKey, until: Instant) {
        self.with(account, |line| line.frozen(until));
    }

    pub(super) fn waiting_for(&self, account: AccountKey, limit: &Limit) -> usize {
        self.lock()
            .get(&account)
            .map_or(0, |line| line.waiting_for(limit))
    }

    fn with(&self, account: AccountKey, act: impl FnOnce(&mut Line)) {
        if self.count.load(Ordering::Acquire) != 0
            && let Some(line) = self.lock().get_mut(&account)
        {
            act(line);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AccountKey, Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in a line; dropping it leaves the line.
#[derive(Debug)]
pub(super) struct Place {
    lines: Arc<Lines>,
    account: AccountKey,
    limits: Arc<[Limit]>,
    lane: Lane,
    ticket: u64,
    bell: Arc<Notify>,
    served: bool,
}

impl Place {
    pub(super) fn account(&self) -> AccountKey {
        self.account
    }

    pub(super) fn standing(&self, now: Instant) -> Standing {
        let mut lines = self.lines.lock();
        let line = lines.get_mut(&self.account);
        line.and_then(|line| line.standing(&self.limits, self.lane, self.ticket, now))
            .unwrap_or(Standing::FIRST)
    }

    /// Whether nobody else waits under the same limits.
    pub(super) fn is_alone(&self) -> bool {
        let lines = self.lines.lock();
        let line = lines.get(&self.account);
        line.is_none_or(|line| line.group_of(&self.limits) <= 1)
    }

    pub(super) fn denied(&self, ready_at: Instant) {
        self.lines
            .with(self.account, |line| line.denied(&self.limits, ready_at));
    }

    /// Ends when there may be news for this place.
    pub(super) async fn rung(&self) {
        self.bell.notified().await;
    }

    /// Leaves the line with a slot.
    pub(super) fn served(mut self) {
        self.served = true;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut lines = self.lines.lock();
        let Some(line) = lines.get_mut(&self.account) else {
            return;
        };
        let now = Instant::now();
        line.leave(&self.limits, self.lane, self.ticket, self.served, now);
        if line.is_empty() {
            lines.remove(&self.account);
        }
        if lines.is_empty() {
            // A rush of callers is over: do not keep its table.
            lines.shrink_to(16);
        }
        self.lines.count.store(lines.len(), Ordering::Release);
    }
}

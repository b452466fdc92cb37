//! What this process remembers of accounts that it was the last to change.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::AccountKey;
use crate::ledger::{Ledger, Moment};

/// How far an assumed time may be from the server's, before or after, in
/// microseconds: this to begin with, more when a busy machine was off by more,
/// and less again when it was not. What is held is held for longer by so much.
const OFF_BY: i64 = 10_000;
const OFF_BY_AT_MOST: i64 = 100_000;

/// No more than this lies between the earliest and the latest that it can be.
pub(super) const MARGIN: Duration = Duration::from_millis(200);

/// After this, two clocks may have parted by too much.
const REMEMBERED: Duration = Duration::from_secs(10);

/// Accounts that are remembered; all are forgotten when there are more.
const MOST: usize = 1024;

/// The last word on accounts, as far as this process can tell.
///
/// An operation on such an account need not load it: it is applied to what is
/// remembered, at a time that is assumed, and written in one step, on condition
/// that nobody else has changed the account and that the server's clock agrees
/// with what was assumed. If not, nothing is written, and the operation is done
/// as if nothing were known.
///
/// `Mark` is what tells this state of the account from any other one.
#[derive(Debug)]
pub(super) struct Known<Mark> {
    accounts: Mutex<HashMap<AccountKey, Account<Mark>>>,
    off_by: AtomicI64,
}

#[derive(Debug)]
enum Account<Mark> {
    Last(Box<Last<Mark>>),
    /// Somebody else has changed it meanwhile, so others use it too: it is not
    /// remembered this once.
    Shared,
}

/// An account as this process has just written it.
#[derive(Debug)]
pub(super) struct Last<Mark> {
    pub(super) ledger: Ledger,
    /// The account's own time, and the server's clock at that moment.
    pub(super) at: Moment,
    pub(super) clock: i64,
    pub(super) mark: Mark,
    /// The server's clock as it was read last, and just before it was asked for.
    pub(super) seen: i64,
    pub(super) asked: Instant,
}

/// Which of two moments an operation happens at that does not know better: the
/// one that makes room later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// Slots are taken: the earlier one, when fewer are free. What is held from
    /// then on has to be held for [`MARGIN`] longer.
    Earliest,
    /// Slots are given back: the later one.
    Latest,
}

/// An account as it is if nobody else has changed it, and the time if the
/// server's clock is not off.
pub(super) struct Guess<Mark> {
    pub(super) ledger: Ledger,
    pub(super) mark: Mark,
    /// The account's time, and the server's clock, at the earliest that it can be.
    pub(super) at: Moment,
    pub(super) clock: i64,
    /// The server's clock at the latest that it can be.
    pub(super) latest_clock: i64,
    /// Just before the server is asked.
    asked: Instant,
}

impl<Mark> Default for Known<Mark> {
    fn default() -> Self {
        Self {
            accounts: Mutex::default(),
            off_by: AtomicI64::new(OFF_BY),
        }
    }
}

impl<Mark> Known<Mark> {
    #[cfg(any(feature = "postgres", test))]
    pub(super) fn has(&self, account: AccountKey) -> bool {
        matches!(self.accounts().get(&account), Some(Account::Last(_)))
    }

    /// Takes what is remembered, so that no other task assumes the same.
    pub(super) fn take(&self, account: AccountKey) -> Option<Guess<Mark>> {
        let taken = match self.accounts().entry(account) {
            Entry::Occupied(known) if matches!(known.get(), Account::Last(_)) => known.remove(),
            _ => return None,
        };
        match taken {
            Account::Last(last) => last.guess(Instant::now(), self.off_by.load(Ordering::Relaxed)),
            Account::Shared => None,
        }
    }

    /// Somebody else had changed what was taken.
    pub(super) fn was_changed(&self, account: AccountKey) {
        self.insert(account, Account::Shared);
    }

    /// Nobody had, and the server's clock was off by more than was allowed for.
    pub(super) fn was_off(&self) {
        self.allow_for(|off_by| (2 * off_by).min(OFF_BY_AT_MOST));
    }

    fn allow_for(&self, change: impl Fn(i64) -> i64) {
        let was = self.off_by.load(Ordering::Relaxed);
        // Two at once: whichever, it is a matter of speed alone.
        self.off_by.store(change(was), Ordering::Relaxed);
    }

    /// It was right: nobody had changed the account, and the server's clock was
    /// `seen`.
    pub(super) fn was_right(&self, account: AccountKey, guess: Guess<Mark>, mark: Mark, seen: i64) {
        self.allow_for(|off_by| (off_by - off_by / 16).max(OFF_BY));
        let last = Last {
            ledger: guess.ledger,
            at: guess.at,
            clock: guess.clock,
            mark,
            seen,
            asked: guess.asked,
        };
        self.learn(account, last);
    }

    /// This process has just written the account.
    pub(super) fn learn(&self, account: AccountKey, last: Last<Mark>) {
        let mut accounts = self.accounts();
        if matches!(accounts.get(&account), Some(Account::Shared)) {
            accounts.remove(&account);
            return;
        }
        drop(accounts);
        self.insert(account, Account::Last(Box::new(last)));
    }

    fn insert(&self, account: AccountKey, what: Account<Mark>) {
        let mut accounts = self.accounts();
        if accounts.len() >= MOST && !accounts.contains_key(&account) {
            accounts.clear();
        }
        accounts.insert(account, what);
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<AccountKey, Account<Mark>>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Mark> Last<Mark> {
    /// The way to the server takes about as long now as it did then, so the
    /// server's clock will have moved on by as much as ours since we last asked.
    fn guess(self, now: Instant, off_by: i64) -> Option<Guess<Mark>> {
        let passed = now.saturating_duration_since(self.asked);
        if passed > REMEMBERED {
            return None;
        }
        let about = self.seen.saturating_add(micros(passed));
        let clock = about.saturating_sub(off_by).max(self.clock);
        let since = u64::try_from(clock.saturating_sub(self.clock)).unwrap_or(0);
        Some(Guess {
            ledger: self.ledger,
            mark: self.mark,
            at: self.at.plus(Duration::from_micros(since)),
            clock,
            latest_clock: clock.saturating_add(2 * off_by),
            asked: now,
        })
    }
}

impl<Mark> Guess<Mark> {
    /// Lets `act` change the ledger; its bytes afterwards if they are others.
    pub(super) fn apply<T>(
        &mut self,
        when: When,
        act: impl FnOnce(&mut Ledger, Moment) -> T,
    ) -> (T, Option<Vec<u8>>) {
        let now = match when {
            When::Earliest => self.at,
            When::Latest => {
                let later = u64::try_from(self.latest_clock - self.clock).unwrap_or(0);
                self.at.plus(Duration::from_micros(later))
            }
        };
        let before = self.ledger.encode();
        let value = act(&mut self.ledger, now);
        let after = self.ledger.encode();
        (value, (after != before).then_some(after))
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(seen: i64) -> Last<u8> {
        Last {
            ledger: Ledger::new(Moment::from_micros(1)),
            at: Moment::from_micros(5_000_000),
            clock: 1_000_000,
            mark: 7,
            seen,
            asked: Instant::now(),
        }
    }

    #[test]
    fn time_passes_for_an_account_as_it_does_here() {
        let account = AccountKey::new("token");
        let known = Known::default();
        let mut one = last(1_200_000);
        one.asked = one.asked.checked_sub(Duration::from_secs(3)).unwrap();
        known.learn(account, one);
        let guess = known.take(account).unwrap();
        let passed = guess.clock - 1_000_000;
        assert!((3_190_000..4_000_000).contains(&passed), "{passed}");
        assert_eq!(guess.at.as_micros() as i64, 5_000_000 + passed);
        assert_eq!(guess.latest_clock - guess.clock, 20_000);
        assert!(known.take(account).is_none(), "another task has it");
    }

    #[test]
    fn time_never_runs_backwards() {
        let guess = last(1_000_001).guess(Instant::now(), OFF_BY).unwrap();
        assert!(guess.clock >= 1_000_000 && guess.at.as_micros() >= 5_000_000);
    }

    #[test]
    fn slots_are_taken_by_the_earlier_moment_and_given_back_by_the_later_one() {
        let mut guess = last(2_000_000).guess(Instant::now(), OFF_BY).unwrap();
        let (early, _) = guess.apply(When::Earliest, |_, now| now);
        let (late, changed) = guess.apply(When::Latest, |_, now| now);
        assert_eq!(early, guess.at);
        assert_eq!(late, guess.at.plus(Duration::from_millis(20)));
        assert!(changed.is_none());
    }

    #[test]
    fn an_account_that_others_use_too_is_not_remembered_once() {
        let account = AccountKey::new("token");
        let known = Known::default();
        known.was_changed(account);
        assert!(!known.has(account));
        known.learn(account, last(1));
        assert!(!known.has(account));
        known.learn(account, last(1));
        assert!(known.has(account));
    }

    #[test]
    fn what_was_off_is_allowed_for_until_it_is_right_again() {
        let account = AccountKey::new("token");
        let known = Known::default();
        let margin = |known: &Known<u8>| {
            known.learn(account, last(1_000_000));
            let guess = known.take(account).unwrap();
            (guess.latest_clock - guess.clock, guess)
        };
        for _ in 0..10 {
            known.was_off();
        }
        let (most, _) = margin(&known);
        assert_eq!(most as u128, MARGIN.as_micros());
        for _ in 0..100 {
            let (_, guess) = margin(&known);
            known.was_right(account, guess, 7, 1_000_000);
        }
        assert_eq!(margin(&known).0, 20_000);
    }

    #[test]
    fn what_is_remembered_is_soon_forgotten() {
        let mut old = last(1);
        old.asked = old.asked.checked_sub(Duration::from_secs(11)).unwrap();
        assert!(old.guess(Instant::now(), OFF_BY).is_none());
        let known = Known::default();
        for number in 0..3000_u32 {
            known.learn(AccountKey::new(number.to_le_bytes()), last(1));
        }
        assert!(known.accounts().len() <= MOST);
    }
}

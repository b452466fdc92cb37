//! Forgetting accounts that have nothing left to remember.

use std::collections::HashMap;
use std::time::Duration;

use super::keyed::KeyHash;
use crate::AccountKey;
use crate::ledger::{Ledger, Moment};

/// How often idle accounts are looked for: about as long as a slot is held.
const SWEEP_EVERY: Duration = Duration::from_secs(120);

/// Too few accounts to be worth a look.
const FEW: usize = 16;

/// A part of a memory store's accounts, behind one lock.
#[derive(Default)]
pub(super) struct Shard {
    // Boxed: the table is twice as large as it is full at times, and moves
    // when it grows.
    ledgers: HashMap<AccountKey, Box<Ledger>, KeyHash>,
    swept: Moment,
}

impl Shard {
    pub(super) fn len(&self) -> usize {
        self.ledgers.len()
    }

    pub(super) fn get(&self, account: AccountKey) -> Option<&Ledger> {
        self.ledgers.get(&account).map(|ledger| &**ledger)
    }

    /// The ledger of an account. One that is not here was never used, or had
    /// nothing to remember: either way, all since the store `began` is known.
    pub(super) fn ledger(
        &mut self,
        account: AccountKey,
        began: Moment,
        now: Moment,
    ) -> &mut Ledger {
        if now.since(self.swept) >= SWEEP_EVERY {
            self.sweep(now);
        }
        let ledger = self.ledgers.entry(account);
        ledger.or_insert_with(|| Box::new(Ledger::new(began)))
    }

    fn sweep(&mut self, now: Moment) {
        self.swept = now;
        if self.ledgers.len() < FEW {
            return;
        }
        self.ledgers.retain(|_, ledger| {
            let keep = !ledger.is_idle(now);
            if keep {
                ledger.shrink(now);
            }
            keep
        });
        if self.ledgers.len() < self.ledgers.capacity() / 4 {
            self.ledgers.shrink_to_fit();
        }
    }
}

//! The ledgers in the transaction of somebody who keeps other things in the same
//! file.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use tokio::runtime::Handle;

use super::Shared;
use super::clock::Reading;
use super::failure::Failure;
use super::file::{Known, LOAD, LedgerFile, SAVE_IN_TRANSACTION, column, is_lot, time_of};
use crate::ledger::{Ledger, Moment};
use crate::store::host::{self, Facts, Loaded, Statement, bytes, int};
use crate::store::{SqlType, SqlValue};
use crate::{AccountKey, StoreError};

/// A store, as those who share its file know it.
pub(super) struct Resident {
    shared: Arc<Shared>,
    facts: Facts,
}

impl Resident {
    pub(super) fn new(shared: &Arc<Shared>, facts: Facts) -> Self {
        Self {
            shared: Arc::clone(shared),
            facts,
        }
    }
}

impl host::Resident for Resident {
    fn facts(&self) -> Facts {
        self.facts
    }

    /// Whoever has the file open may do to it what its owner may.
    fn introduction(&self) -> Option<Statement> {
        None
    }

    /// `BEGIN IMMEDIATE` has locked all of the file.
    fn lock(&self, account: AccountKey) -> Statement {
        Statement {
            sql: LOAD,
            values: vec![SqlValue::Bytes(account.as_bytes().to_vec())],
            columns: &[
                SqlType::Int,
                SqlType::Int,
                SqlType::Int,
                SqlType::Int,
                SqlType::Bytes,
            ],
        }
    }

    fn create(&self, _: AccountKey) -> Option<Statement> {
        None
    }

    fn read(&self, row: &[SqlValue]) -> Result<Option<Loaded>, StoreError> {
        if !self.facts.are(row) {
            return Ok(None);
        }
        // Read now that nobody else can write, or time could run backwards.
        let clock = Reading::now();
        let (ledger, now, new) = match bytes(row, 4) {
            Some(state) => {
                let ledger = Ledger::decode(state).map_err(Failure::from);
                let ledger = ledger.map_err(|failure| failure.of(&self.shared.path))?;
                (ledger, time_of(int(row, 2), int(row, 3), clock), false)
            }
            // Never used, or with nothing to remember: either way, all since
            // the file was created is known. 0 would mean "never".
            None => {
                let began = Moment::from_micros(1);
                let created = Reading::from_column(int(row, 0));
                (Ledger::new(began), began.plus(clock.since(created)), true)
            }
        };
        Ok(Some(Loaded {
            ledger,
            now,
            clock: clock.to_column(),
            // How often a slot had come free before its time.
            version: int(row, 1),
            new,
            asked: Instant::now(),
        }))
    }

    fn save(&self, account: AccountKey, loaded: &Loaded, state: Vec<u8>) -> Statement {
        Statement {
            sql: SAVE_IN_TRANSACTION,
            values: vec![
                SqlValue::Bytes(account.as_bytes().to_vec()),
                SqlValue::Int(column(loaded.now)),
                SqlValue::Int(loaded.clock),
                SqlValue::Bytes(state),
            ],
            columns: &[],
        }
    }

    fn heard(&self, loaded: &Loaded) {
        self.shared.heard.store(loaded.version, Ordering::Release);
    }

    fn committed(&self, account: AccountKey, loaded: Loaded, state: Vec<u8>) {
        let new = loaded.new;
        let known = Known {
            ledger: loaded.ledger,
            at: loaded.now,
            clock: Reading::from_column(loaded.clock),
            state,
        };
        // If the store is busy, what it remembers is out of date, and it will
        // see that.
        if let Ok(mut file) = self.shared.file.try_lock()
            && let Some(file) = file.as_mut()
        {
            file.learn(account, known);
        }
        if new
            && is_lot(account)
            && let Ok(runtime) = Handle::try_current()
        {
            let shared = Arc::clone(&self.shared);
            runtime.spawn(async move {
                let sweep = async |file: &mut LedgerFile| file.sweep(account).await;
                let _ = shared.with_file(sweep).await;
            });
        }
    }
}

//! The ledgers in the transaction of somebody who keeps other things in the same
//! database.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use sqlx::Row;
use tokio::runtime::Handle;

use super::failure::Failure;
use super::tables::{self, Mark, column, time_of};
use super::{Shared, is_lot};
use crate::ledger::{Ledger, Moment};
use crate::store::host::{self, Facts, Loaded, Statement, bytes, int};
use crate::store::known::Last;
use crate::store::news::News;
use crate::store::{SqlType, SqlValue};
use crate::{AccountKey, StoreError};

/// A copy of a server has the same numbers as the server, but was started at
/// another microsecond. The table's is that of whichever table the connection's
/// `search_path` leads to. Null, and no error, where there is none.
const INTRODUCTION: &str = "
    SELECT (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint,
        (SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
        ledger::bigint,
        CASE WHEN has_table_privilege(ledger, 'SELECT') AND has_table_privilege(ledger, 'INSERT')
            AND has_table_privilege(ledger, 'UPDATE') AND has_table_privilege(store, 'SELECT')
            THEN 1::bigint ELSE 0::bigint END
    FROM (SELECT to_regclass('famulor_quota_ledger')::oid AS ledger,
        to_regclass('famulor_quota_store')::oid AS store) AS tables";

/// As the store itself locks a row, with the same facts of the place first. The
/// time is read again after waiting for the lock. Whoever is suspended with the
/// lock loses it after two seconds.
const LOCK: &str = "
    SELECT (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint,
        (SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
        famulor_quota_ledger.tableoid::bigint,
        (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
        version, at, clock, state,
        set_config('idle_in_transaction_session_timeout', '2000', true)
    FROM famulor_quota_ledger WHERE account = $1
    FOR UPDATE OF famulor_quota_ledger";

/// An account that was never used, or has nothing to remember: either way, all
/// since the tables were created is known.
const CREATE: &str = "
    INSERT INTO famulor_quota_ledger (account, version, at, clock, state)
    SELECT $1, now.clock, 1 + greatest(now.clock - created, 0), now.clock, $2
    FROM famulor_quota_store,
        (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS clock) AS now
    ON CONFLICT (account) DO NOTHING";

/// A store, as those who share its database know it.
pub(super) struct Resident {
    shared: Arc<Shared>,
    news: Arc<News>,
    facts: Facts,
}

impl Resident {
    /// Asks the server again only when there was a connection since that it was
    /// not asked on.
    pub(super) async fn of(shared: &Arc<Shared>, news: Arc<News>) -> Result<Self, Failure> {
        let known = *shared.facts.lock().unwrap_or_else(PoisonError::into_inner);
        let facts = match known {
            Some((opened, facts)) if opened == shared.connections.opened() => facts,
            _ => shared.ask_for_facts().await?,
        };
        Ok(Self {
            shared: Arc::clone(shared),
            news,
            facts,
        })
    }
}

impl Shared {
    async fn ask_for_facts(&self) -> Result<Facts, Failure> {
        let mut lease = self.connections.lease().await?;
        let mut found = sqlx::query(INTRODUCTION).fetch_one(&mut lease.sql).await;
        if found.is_err() && lease.was_idle {
            // The server was restarted; the others will be no better.
            self.connections.drop_idle();
            lease = self.connections.lease().await?;
            found = sqlx::query(INTRODUCTION).fetch_one(&mut lease.sql).await;
        }
        let opened = self.connections.opened();
        let row = found?;
        lease.keep();
        let facts = Facts::Server {
            started: row.try_get(0)?,
            database: row.try_get(1)?,
            table: row.try_get(2)?,
        };
        let mut known = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((opened, facts));
        Ok(facts)
    }
}

impl host::Resident for Resident {
    fn facts(&self) -> Facts {
        self.facts
    }

    fn introduction(&self) -> Option<Statement> {
        Some(Statement {
            sql: INTRODUCTION,
            values: Vec::new(),
            columns: &[SqlType::Int; 4],
        })
    }

    fn lock(&self, account: AccountKey) -> Statement {
        const COLUMNS: [SqlType; 8] = {
            let mut columns = [SqlType::Int; 8];
            columns[7] = SqlType::Bytes;
            columns
        };
        Statement {
            sql: LOCK,
            values: vec![SqlValue::Bytes(account.as_bytes().to_vec())],
            columns: &COLUMNS,
        }
    }

    fn create(&self, account: AccountKey) -> Option<Statement> {
        let idle = Ledger::new(Moment::from_micros(1)).encode();
        Some(Statement {
            sql: CREATE,
            values: vec![
                SqlValue::Bytes(account.as_bytes().to_vec()),
                SqlValue::Bytes(idle),
            ],
            columns: &[],
        })
    }

    fn read(&self, row: &[SqlValue]) -> Result<Option<Loaded>, StoreError> {
        if !self.facts.are(row) {
            return Ok(None);
        }
        let of_us = |failure: Failure| failure.of(&self.shared.place);
        let ledger = Ledger::decode(bytes(row, 7).unwrap_or_default());
        let clock = int(row, 3);
        Ok(Some(Loaded {
            ledger: ledger.map_err(|error| of_us(error.into()))?,
            now: time_of(int(row, 5), int(row, 6), clock),
            clock,
            version: int(row, 4),
            new: false,
            asked: Instant::now(),
        }))
    }

    fn save(&self, account: AccountKey, loaded: &Loaded, state: Vec<u8>) -> Statement {
        Statement {
            sql: tables::UPDATE,
            values: vec![
                SqlValue::Bytes(account.as_bytes().to_vec()),
                SqlValue::Int(loaded.version),
                SqlValue::Int(column(loaded.now)),
                SqlValue::Int(loaded.clock),
                SqlValue::Bytes(state),
            ],
            columns: &[],
        }
    }

    fn asked(&self, account: AccountKey) {
        self.news.asked(account);
    }

    fn committed(&self, account: AccountKey, loaded: Loaded, _: Vec<u8>) {
        let (version, clock) = (loaded.version.wrapping_add(1), loaded.clock);
        let last = Last {
            ledger: loaded.ledger,
            at: loaded.now,
            clock,
            mark: Mark { version, clock },
            seen: clock,
            asked: loaded.asked,
        };
        self.shared.known.learn(account, last);
        // As the store does it when it adds an account, and not in the host's
        // transaction, which would lock accounts in an order of its own.
        if loaded.new
            && is_lot(account)
            && let Ok(runtime) = Handle::try_current()
        {
            let shared = Arc::clone(&self.shared);
            runtime.spawn(async move {
                if let Ok(mut lease) = shared.connections.lease().await
                    && tables::sweep(&mut lease.sql, account).await.is_ok()
                {
                    lease.keep();
                }
            });
        }
    }
}

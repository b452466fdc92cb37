//! An account's ledger in somebody else's transaction.
//!
//! Whoever keeps other things in the database in which a store keeps its ledgers
//! can take slots in the transaction that says what they are taken for: then both
//! are there, or neither.

use std::fmt;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::{Ask, SlotId, StoreError};
use crate::AccountKey;
use crate::ledger::{Ledger, Moment};

/// How often a row is looked for that is removed whenever it was created.
const TRIES: usize = 10;

/// Somebody else's connection to a database that may be a store's, too.
///
/// Statements of one call are run in its order, on one connection. For
/// [`SharedDatabase::visit`] and [`Visit::take`] it is in a transaction, begun
/// with `BEGIN IMMEDIATE` in SQLite and at `READ COMMITTED` in PostgreSQL, whose
/// commit waits for the disk.
pub trait SqlHost: Send {
    /// What this connection fails with.
    type Error: Send;

    /// Runs a statement and returns its rows, each with a value of each of its
    /// columns' types.
    fn query(
        &mut self,
        statement: Statement,
    ) -> impl Future<Output = Result<Vec<Vec<SqlValue>>, Self::Error>> + Send;

    /// Runs a statement and returns how many rows it changed.
    fn execute(
        &mut self,
        statement: Statement,
    ) -> impl Future<Output = Result<u64, Self::Error>> + Send;

    /// What it speaks.
    fn dialect(&self) -> SqlDialect;

    /// The file that this connection has open, if it is one; as it was when it
    /// was opened: others may have put another one in its place.
    fn file(&self) -> Option<FileId>;
}

/// What a database speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SqlDialect {
    /// SQLite's.
    Sqlite,
    /// PostgreSQL's.
    Postgres,
}

/// A statement, in the database's own dialect.
#[derive(Clone, Debug)]
pub struct Statement {
    /// With `$1`, `$2`, … (PostgreSQL) or `?1`, `?2`, … (SQLite) for values.
    pub sql: &'static str,
    /// The values, in order.
    pub values: Vec<SqlValue>,
    /// The types of the columns of its result that are of use; there may be more.
    pub columns: &'static [SqlType],
}

/// A value of a statement or of its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqlValue {
    /// `BIGINT`, or SQLite's `INTEGER`.
    Int(i64),
    /// `BYTEA`, or SQLite's `BLOB`.
    Bytes(Vec<u8>),
    /// No value.
    Null,
}

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SqlType {
    /// `BIGINT`, or SQLite's `INTEGER`.
    Int,
    /// `BYTEA`, or SQLite's `BLOB`.
    Bytes,
}

/// Tells a file from every other one on this machine, whatever paths lead to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// The file that `path` leads to now. None if there is none, and on systems
    /// that do not say.
    #[must_use]
    pub fn at(path: &Path) -> Option<Self> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let found = std::fs::metadata(path).ok()?;
            Some(Self {
                device: found.dev(),
                inode: found.ino(),
            })
        }
        #[cfg(not(unix))]
        {
            let _ = path;
            None
        }
    }
}

/// The database in which a store keeps its ledgers, for those who keep other
/// things there: [`QuotaStore::database`](crate::QuotaStore::database).
///
/// Whether it is the same one is told by what both connections see of it, never
/// by names: the server's start, the database and the table, or the file's device
/// and inode and when the ledgers in it were begun.
///
/// # Locks
///
/// [`visit`](Self::visit) locks the account's row until the transaction ends, and
/// the store's own statements hold no other lock while they wait for it. So hosts
/// that lock rows of their own take them all before the first account's, or all
/// after it, and accounts in the order of their keys.
#[derive(Clone)]
pub struct SharedDatabase {
    resident: Arc<dyn Resident>,
}

/// What a store says of its database.
pub(super) trait Resident: Send + Sync + 'static {
    /// By what the database is told from others.
    fn facts(&self) -> Facts;
    /// Whether `host` may read and write the tables, if it has to be asked.
    fn introduction(&self) -> Option<Statement>;
    /// Loads an account, and locks it if it has a row to be locked.
    fn lock(&self, account: AccountKey) -> Statement;
    /// Makes a row to be locked, where one is needed.
    fn create(&self, account: AccountKey) -> Option<Statement>;
    /// What [`Resident::lock`] found. None when it is another database.
    fn read(&self, row: &[SqlValue]) -> Result<Option<Loaded>, StoreError>;
    /// Writes what was loaded, changed to `state`.
    fn save(&self, account: AccountKey, loaded: &Loaded, state: Vec<u8>) -> Statement;
    /// The store is being asked for a slot.
    fn asked(&self, _: AccountKey) {}
    /// It was asked, and this is what it knew.
    fn heard(&self, _: &Loaded) {}
    /// What was loaded is written, and committed.
    fn committed(&self, account: AccountKey, loaded: Loaded, state: Vec<u8>);
}

/// By what a database is told from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Facts {
    #[cfg(feature = "sqlite")]
    File { id: FileId, created: i64 },
    #[cfg(feature = "postgres")]
    Server {
        started: i64,
        database: i64,
        table: i64,
    },
    /// Of a program without either.
    #[cfg(not(any(feature = "sqlite", feature = "postgres")))]
    #[allow(dead_code, reason = "an enum has to have a variant to be compared")]
    None,
}

/// An account as a host's transaction has it.
pub(super) struct Loaded {
    pub(super) ledger: Ledger,
    pub(super) now: Moment,
    /// The store's clock at that moment.
    pub(super) clock: i64,
    /// What else the store keeps beside it.
    pub(super) version: i64,
    /// It has no row that was written before this transaction.
    pub(super) new: bool,
    /// Just before the store's clock was asked for.
    pub(super) asked: Instant,
}

/// Why an account cannot be visited.
#[derive(Debug)]
#[non_exhaustive]
pub enum VisitError<E> {
    /// The host's connection failed, and with it the transaction.
    Host(E),
    /// The ledger cannot be used. The transaction can go on.
    Store(StoreError),
    /// This connection leads to another database. The transaction can go on.
    Elsewhere,
}

impl SharedDatabase {
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(super) fn new(resident: impl Resident) -> Self {
        Self {
            resident: Arc::new(resident),
        }
    }

    /// Whether `host` is a connection to this very database, and may change what
    /// the store keeps there.
    ///
    /// # Errors
    ///
    /// As the host fails.
    pub async fn is_behind<H: SqlHost>(&self, host: &mut H) -> Result<bool, H::Error> {
        if !self.resident.facts().may_be_behind(host) {
            return Ok(false);
        }
        let Some(introduction) = self.resident.introduction() else {
            return Ok(true);
        };
        let rows = host.query(introduction).await?;
        let seen = rows.first().map_or(&[][..], Vec::as_slice);
        Ok(self.resident.facts().are(seen) && seen.last() == Some(&SqlValue::Int(1)))
    }

    /// Locks an account in the host's transaction, and loads it.
    ///
    /// # Errors
    ///
    /// [`VisitError::Elsewhere`] if the connection leads somewhere else by now.
    pub async fn visit<H: SqlHost>(
        &self,
        host: &mut H,
        ask: Ask,
    ) -> Result<Visit, VisitError<H::Error>> {
        if !self.resident.facts().may_be_behind(host) {
            return Err(VisitError::Elsewhere);
        }
        let account = ask.account;
        self.resident.asked(account);
        let mut created = false;
        for _ in 0..TRIES {
            // Before the ledger's own time is read, so that a permit is never
            // taken for younger than its slot.
            let asked = (tokio::time::Instant::now(), SystemTime::now());
            let found = host.query(self.resident.lock(account)).await;
            if let Some(row) = found.map_err(VisitError::Host)?.first() {
                let loaded = self.resident.read(row).map_err(VisitError::Store)?;
                let mut loaded = loaded.ok_or(VisitError::Elsewhere)?;
                loaded.new |= created;
                loaded.asked = asked.0.into_std();
                self.resident.heard(&loaded);
                return Ok(Visit {
                    database: self.clone(),
                    ask,
                    loaded,
                    asked,
                });
            }
            let Some(create) = self.resident.create(account) else {
                break;
            };
            let rows = host.execute(create).await.map_err(VisitError::Host)?;
            created = rows > 0;
        }
        let said = "the account's row is removed whenever it was created";
        Err(VisitError::Store(StoreError::new(said)))
    }
}

impl Facts {
    /// As far as can be told without asking.
    fn may_be_behind(self, host: &impl SqlHost) -> bool {
        match self {
            #[cfg(feature = "sqlite")]
            Self::File { id, .. } => {
                host.dialect() == SqlDialect::Sqlite && host.file() == Some(id)
            }
            #[cfg(feature = "postgres")]
            Self::Server { .. } => host.dialect() == SqlDialect::Postgres,
            #[cfg(not(any(feature = "sqlite", feature = "postgres")))]
            Self::None => {
                let _ = host;
                false
            }
        }
    }

    /// Whether a row begins with these.
    pub(super) fn are(self, row: &[SqlValue]) -> bool {
        match self {
            #[cfg(feature = "sqlite")]
            Self::File { created, .. } => row.first() == Some(&SqlValue::Int(created)),
            #[cfg(feature = "postgres")]
            Self::Server {
                started,
                database,
                table,
            } => row.starts_with(&[started, database, table].map(SqlValue::Int)),
            #[cfg(not(any(feature = "sqlite", feature = "postgres")))]
            Self::None => row.is_empty(),
        }
    }
}

/// The same database, as far as both stores' connections see.
impl PartialEq for SharedDatabase {
    fn eq(&self, other: &Self) -> bool {
        self.resident.facts() == other.resident.facts()
    }
}

impl Eq for SharedDatabase {}

impl fmt::Debug for SharedDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedDatabase")
            .field(&self.resident.facts())
            .finish()
    }
}

/// An account that is locked in a host's transaction.
///
/// Dropping it takes nothing; the lock ends with the transaction.
#[must_use = "nothing is taken before `take`"]
pub struct Visit {
    database: SharedDatabase,
    ask: Ask,
    loaded: Loaded,
    asked: (tokio::time::Instant, SystemTime),
}

impl Visit {
    /// How many slots are free, counted up to `most`.
    ///
    /// # Errors
    ///
    /// If there is none, for how long there is no use in asking again.
    pub fn free(&self, most: usize) -> Result<usize, Duration> {
        let mut ledger = self.loaded.ledger.clone();
        let (taken, ready) = take(&mut ledger, self.loaded.now, &self.ask, most);
        match (taken.len(), ready) {
            (0, Some(ready)) => Err(ready.since(self.loaded.now)),
            (free, _) => Ok(free),
        }
    }

    /// Takes so many slots, or as many as are [free](Self::free), and writes that
    /// in the host's transaction. They are taken once that is committed.
    ///
    /// # Errors
    ///
    /// As the host fails; [`VisitError::Store`], with nothing written, if somebody
    /// else has changed the account in spite of the lock.
    pub async fn take<H: SqlHost>(
        mut self,
        host: &mut H,
        slots: usize,
    ) -> Result<Taken, VisitError<H::Error>> {
        let account = self.ask.account;
        let loaded = &mut self.loaded;
        let (slots, _) = take(&mut loaded.ledger, loaded.now, &self.ask, slots);
        let state = loaded.ledger.encode();
        if !slots.is_empty() {
            let save = self.database.resident.save(account, loaded, state.clone());
            let saved = host.execute(save).await.map_err(VisitError::Host)?;
            if saved != 1 {
                let said = "the account was changed while it was locked";
                return Err(VisitError::Store(StoreError::new(said)));
            }
        }
        Ok(Taken {
            database: self.database,
            account,
            slots,
            loaded: self.loaded,
            state,
            asked: self.asked,
        })
    }
}

fn take(ledger: &mut Ledger, now: Moment, ask: &Ask, most: usize) -> (Vec<SlotId>, Option<Moment>) {
    let mut slots = Vec::new();
    while slots.len() < most {
        match ledger.acquire(now, &ask.limits, ask.hold) {
            Ok(slot) => slots.push(slot),
            Err(ready) => return (slots, Some(ready)),
        }
    }
    (slots, None)
}

impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visit")
            .field("account", &self.ask.account)
            .finish_non_exhaustive()
    }
}

/// Slots that were taken in a host's transaction: for
/// [`Turn::granted`](crate::Turn::granted), once that is committed.
///
/// If it is undone, they were never taken: drop this. If nobody knows, drop it
/// too: should they be taken, they come free by themselves when they run out.
#[must_use = "a committed slot that is not used is busy until it runs out"]
pub struct Taken {
    database: SharedDatabase,
    account: AccountKey,
    slots: Vec<SlotId>,
    loaded: Loaded,
    state: Vec<u8>,
    asked: (tokio::time::Instant, SystemTime),
}

impl Taken {
    /// How many there are.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    /// The transaction is committed: the slots, and when they were asked for.
    pub(crate) fn committed(self) -> (Vec<SlotId>, (tokio::time::Instant, SystemTime)) {
        if !self.slots.is_empty() {
            let resident = &self.database.resident;
            resident.committed(self.account, self.loaded, self.state);
        }
        (self.slots, self.asked)
    }
}

impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taken")
            .field("account", &self.account)
            .field("slots", &self.slots.len())
            .finish_non_exhaustive()
    }
}

/// The number in a column; 0 if it is null.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) fn int(row: &[SqlValue], column: usize) -> i64 {
    match row.get(column) {
        Some(SqlValue::Int(number)) => *number,
        _ => 0,
    }
}

/// The bytes in a column, unless it is null.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) fn bytes(row: &[SqlValue], column: usize) -> Option<&[u8]> {
    match row.get(column) {
        Some(SqlValue::Bytes(bytes)) => Some(bytes),
        _ => None,
    }
}

//! Ledgers in a file, for the processes of one machine.

mod clock;
mod failure;
mod file;
mod identity;
mod resident;
mod tables;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::write::Write;
use super::{Answer, Ask, Completion, QuotaStore, SharedDatabase, SlotId, StoreError, StoreFuture};
use crate::ledger::{Ledger, Moment};
use crate::{AccountKey, Limit, Usage};
use failure::Failure;
use file::LedgerFile;
use resident::Resident;

/// How long to wait for other processes' transactions, which take a few
/// milliseconds each.
const BUSY: Duration = Duration::from_secs(5);

/// How often to look whether another process has given a slot back: seldom
/// enough to cost nothing, often enough that a person does not notice.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The ledgers of any number of accounts, in a SQLite file that the processes of
/// one machine share.
///
/// ```
/// # use famulor_quota::{AccountKey, AcquireRequest, Quota, SqliteStore};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("quota.db");
/// let quota = Quota::with_store(SqliteStore::open(&path).await?);
/// let limits = std::sync::Arc::new(["1/60s".parse()?]);
/// let request = AcquireRequest::new(AccountKey::new("token"), limits);
/// let permit = quota.acquire(request.clone()).await?;
///
/// // The same file, opened by another process: its only slot is taken.
/// let other = Quota::with_store(SqliteStore::open(&path).await?);
/// assert!(other.try_acquire(request).await.is_err());
/// # drop(permit);
/// # Ok(())
/// # }
/// ```
///
/// Every operation is one transaction: `BEGIN IMMEDIATE`, or one statement on
/// condition that the account is still as this process wrote it last. A slot that was granted
/// is on the disk, so neither a process that is killed nor a power failure makes
/// it free; how a call ended is written without waiting for the disk, because a
/// power failure that undoes it keeps a slot busy for longer, and no more. The clock is the machine's, counted from its start: it
/// does not jump when somebody sets the time of day. A ledger outlives a restart
/// of the machine, and slots may then be busy for longer than they need be,
/// never shorter.
///
/// A file is created for its owner alone (0600), with two more beside it, whose
/// names end in `-wal` and `-shm`; it must be on a disk of this machine, not on a
/// network's. A file that is deleted while in use is created anew by the next
/// operation, and what it knew is lost: calls may be refused for one window.
///
/// It may be the file of an outbox of `famulor-outbox`, whichever of the two comes
/// first: then messages and the slots that they are sent in are taken in one
/// transaction.
///
/// A waiting call learns within a quarter of a second when another process gives
/// back a slot it has not used. It needs a tokio runtime with its timer enabled.
pub struct SqliteStore {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    /// None when it was never open, when the last operation failed, and while an
    /// operation runs: one that is dropped in its middle is undone.
    file: Mutex<Option<LedgerFile>>,
    /// The count of news when a caller last asked for a slot.
    heard: AtomicI64,
    looked: Mutex<Option<(Instant, i64)>>,
}

impl SqliteStore {
    /// Opens the file at `path`, or creates it; its folder must be there.
    ///
    /// # Errors
    ///
    /// With the path and what is wrong with it: it cannot be opened or written
    /// to, the disk is full, the file is damaged, belongs to another program, or
    /// was written by a newer version of this one.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let file = LedgerFile::open(path)
            .await
            .map_err(|failure| failure.of(path))?;
        Ok(Self {
            shared: Arc::new(Shared {
                path: path.to_owned(),
                file: Mutex::new(Some(file)),
                heard: AtomicI64::new(0),
                looked: Mutex::default(),
            }),
        })
    }

    /// The file's path, as it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    fn change<T: Send + 'static>(
        &self,
        account: AccountKey,
        how: Write,
        act: impl Fn(&mut Ledger, Moment) -> T + Send + Sync + 'static,
    ) -> StoreFuture<T> {
        let shared = Arc::clone(&self.shared);
        StoreFuture::new(async move {
            let running = async |file: &mut LedgerFile| file.change(account, how, act).await;
            let (value, news) = shared.with_file(running).await?;
            if let Some(news) = news {
                shared.heard.store(news, Ordering::Release);
            }
            Ok(value)
        })
    }

    fn look<T: Send + 'static>(
        &self,
        account: AccountKey,
        see: impl FnOnce(&Ledger, Moment) -> T + Send + 'static,
    ) -> StoreFuture<T> {
        let shared = Arc::clone(&self.shared);
        StoreFuture::new(async move {
            shared
                .with_file(async |file: &mut LedgerFile| file.look(account, see).await)
                .await
        })
    }
}

impl Shared {
    async fn with_file<T>(
        &self,
        act: impl AsyncFnOnce(&mut LedgerFile) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let mut place = self.file.lock().await;
        let open = place.take().filter(|file| file.is_current(&self.path));
        let done = async {
            let mut file = match open {
                Some(file) => file,
                None => LedgerFile::open(&self.path).await?,
            };
            let value = act(&mut file).await?;
            *place = Some(file);
            Ok(value)
        };
        done.await
            .map_err(|failure: Failure| failure.of(&self.path))
    }

    /// The count of news, read from the file by one of those who wait for all.
    async fn news(&self) -> Result<i64, StoreError> {
        let mut looked = self.looked.lock().await;
        match *looked {
            Some((at, news)) if at.elapsed() < LOOK_EVERY / 2 => Ok(news),
            _ => {
                let news = self.with_file(LedgerFile::news).await?;
                *looked = Some((Instant::now(), news));
                Ok(news)
            }
        }
    }
}

impl QuotaStore for SqliteStore {
    fn acquire(&self, ask: Ask) -> StoreFuture<Answer> {
        self.change(
            ask.account,
            Write::Durable,
            move |ledger, now| match ledger.acquire(now, &ask.limits, ask.hold) {
                Ok(slot) => Answer::Granted(slot),
                Err(ready) => Answer::Wait {
                    ready_in: ready.since(now),
                },
            },
        )
    }

    fn complete(&self, account: AccountKey, slot: SlotId, how: Completion) -> StoreFuture<()> {
        let write = Write::of(&how);
        self.change(account, write, move |ledger, now| {
            ledger.complete(now, slot, how.clone())
        })
    }

    fn reject(
        &self,
        account: AccountKey,
        slot: SlotId,
        retry_after: Option<Duration>,
    ) -> StoreFuture<Duration> {
        self.change(account, Write::Durable, move |ledger, now| {
            ledger.reject(now, slot, retry_after)
        })
    }

    fn freeze(&self, account: AccountKey, time: Duration) -> StoreFuture<()> {
        self.change(account, Write::Durable, move |ledger, now| {
            ledger.freeze(now, time)
        })
    }

    fn ready_in(
        &self,
        account: AccountKey,
        limits: Arc<[Limit]>,
        ahead: usize,
    ) -> StoreFuture<Duration> {
        self.look(account, move |ledger, now| {
            ledger.ready_at(now, &limits, ahead).since(now)
        })
    }

    fn usage(&self, account: AccountKey, limits: Arc<[Limit]>) -> StoreFuture<Vec<Usage>> {
        self.look(account, move |ledger, now| ledger.usage(now, &limits))
    }

    fn changed(&self, _: AccountKey) -> StoreFuture<()> {
        let shared = Arc::clone(&self.shared);
        let heard = shared.heard.load(Ordering::Acquire);
        StoreFuture::new(async move {
            loop {
                sleep(LOOK_EVERY).await;
                if shared.news().await? != heard {
                    return Ok(());
                }
            }
        })
    }

    /// None where the system does not tell files apart.
    fn database(&self) -> StoreFuture<Option<SharedDatabase>> {
        let shared = Arc::clone(&self.shared);
        StoreFuture::new(async move {
            let facts = shared.with_file(async |file| Ok(file.facts())).await?;
            Ok(facts.map(|facts| SharedDatabase::new(Resident::new(&shared, facts))))
        })
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.shared.path)
            .finish_non_exhaustive()
    }
}

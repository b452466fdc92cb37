//! Opening a connection.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use famulor_quota::store::FileId;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use tokio::time::{sleep, timeout};

use super::{Failure, Location, Sql, migrations};
use crate::{Error, ErrorKind};

/// How long others may hold a lock on a file before that is an error.
const BUSY: Duration = Duration::from_secs(10);

/// 8 MiB, which sorting at the end of an import takes once more. SQLite's default is 2, enough for those who read.
/// And 16 MiB of journal before it is brought into the file, so that an import does not wait for the disk all the time.
const WRITE_CACHE: &str = "PRAGMA cache_size = -8192; PRAGMA wal_autocheckpoint = 4000";

/// A server that takes longer to let us in is as good as one that is not there.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// The connection of the one who writes.
pub(crate) struct WriteConnection {
    pub(crate) sql: Sql,
    /// The file that it has open, if it is one.
    pub(super) file: Option<FileId>,
}

impl Location {
    /// A connection to a store that is there, and of our version.
    pub(crate) async fn connect(&self) -> Result<Sql, Failure> {
        match self {
            Self::File(path) => Ok(Sql::Sqlite(file(path).connect().await?)),
            Self::Server(options) => server(self, options).await,
        }
    }

    /// The same for the one who writes: with room in memory for what is written all over.
    pub(crate) async fn connect_to_write(&self) -> Result<WriteConnection, Failure> {
        let before = self.file();
        let mut sql = self.connect().await?;
        if self.is_file() {
            sql.script(WRITE_CACHE).await?;
        }
        // Whoever puts another file in its place meanwhile has us not know.
        let file = before.filter(|before| self.file() == Some(*before));
        Ok(WriteConnection { sql, file })
    }

    /// Which file is there now, if it is one.
    pub(crate) fn file(&self) -> Option<FileId> {
        match self {
            Self::File(path) => FileId::at(path),
            Self::Server(_) => None,
        }
    }

    /// Creates the store where there is none, brings an older one up to date, refuses a newer one and what is none.
    pub(crate) async fn prepare(&self) -> Result<(), Failure> {
        let Self::File(path) = self else {
            let mut sql = self.connect().await?;
            migrations::prepare(&mut sql, self).await?;
            sql.close().await;
            return Ok(());
        };
        create(path).map_err(|error| self.cannot_create(path, &error))?;
        // Several processes may find the file new at the same time, and SQLite waits for no lock while it changes the
        // journal.
        let began = Instant::now();
        loop {
            match self.prepare_file(path).await {
                Err(failure) if failure.is_passing() && began.elapsed() < BUSY => {
                    sleep(Duration::from_millis(10)).await;
                }
                other => return other,
            }
        }
    }

    async fn prepare_file(&self, path: &Path) -> Result<(), Failure> {
        // Looked at before the journal is changed: it may be another program's file.
        let mut sql = Sql::Sqlite(file(path).connect().await?);
        if !migrations::is_current(&mut sql, self).await? {
            sql.close().await;
            let options = file(path).journal_mode(SqliteJournalMode::Wal);
            sql = Sql::Sqlite(options.connect().await?);
            migrations::prepare(&mut sql, self).await?;
        }
        sql.close().await;
        Ok(())
    }

    fn cannot_create(&self, path: &Path, error: &io::Error) -> Failure {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let (kind, text) = match (folder, error.kind()) {
            (Some(folder), _) if !folder.exists() => (
                ErrorKind::Location,
                format!(
                    "{self} cannot be opened: there is no folder {}; create it",
                    folder.display()
                ),
            ),
            (_, io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => (
                ErrorKind::ReadOnly,
                format!(
                    "{self} or its folder cannot be written to; check whose they are, or choose another place"
                ),
            ),
            (_, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => (
                ErrorKind::Full,
                format!("{self} cannot be created: the disk is full; make room"),
            ),
            _ => (
                ErrorKind::Location,
                format!("{self} cannot be opened: {error}"),
            ),
        };
        Failure::Said(Error::new(kind, text))
    }
}

fn file(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        // An intent must outlast a loss of power.
        .synchronous(SqliteSynchronous::Full)
        // Few statements have many shapes; each takes some memory.
        .statement_cache_capacity(64)
        .disable_statement_logging()
}

/// The file, which only its owner may read. SQLite gives the files beside it the same mode.
fn create(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

async fn server(location: &Location, options: &PgConnectOptions) -> Result<Sql, Failure> {
    let connecting = timeout(CONNECT_WITHIN, options.connect()).await;
    let connection = connecting.map_err(|_| Failure::silent(location))??;
    let mut sql = Sql::Postgres(connection);
    // An intent must outlast the server's loss of power, whatever its users' default is. A process that is suspended
    // must not keep others waiting for longer than this.
    sql.script(
        "SELECT CASE current_setting('synchronous_commit') WHEN 'off'
            THEN set_config('synchronous_commit', 'on', false) END;
        SET idle_in_transaction_session_timeout = 5000;
        SET lock_timeout = 10000",
    )
    .await?;
    Ok(sql)
}

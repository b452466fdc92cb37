//! PostgreSQL.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Durability;
use crate::programs::{find, missing};
use crate::watched::{Folder, Watched, user, we_are_root};

const FOLDERS: &[&str] = &[
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql/*/bin",
    "/usr/local/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/bin",
];

/// A PostgreSQL that only we can reach, over a socket in a private folder.
#[derive(Debug)]
pub struct PostgresServer {
    watched: Watched,
    programs: PathBuf,
    places: AtomicU32,
}

impl PostgresServer {
    /// The one of this process, for tests that do it no harm. `None` when there
    /// is no PostgreSQL here.
    #[must_use]
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<PostgresServer>> = OnceLock::new();
        SHARED
            .get_or_init(|| Self::start(Durability::Fast))
            .as_ref()
    }

    /// One of its own for a test that stops it. `None` when there is no
    /// PostgreSQL here.
    ///
    /// # Panics
    ///
    /// When there is one that does not start.
    #[must_use]
    pub fn start(durability: Durability) -> Option<Self> {
        let found =
            find("initdb", FOLDERS).filter(|path| path.with_file_name("postgres").is_file());
        let Some(initdb) = found else {
            missing("PostgreSQL", "postgresql");
            return None;
        };
        let programs = initdb.parent().unwrap_or(Path::new("/")).to_owned();
        // It refuses to run as root.
        let owner = we_are_root().then(|| user("postgres").or_else(|| user("nobody")));
        let owner =
            owner.map(|owner| owner.expect("a user postgres or nobody for PostgreSQL to run as"));
        let folder = Folder::new(owner);
        let data = folder.path.join("data");
        let made = folder
            .command(&initdb)
            .args([
                "-A",
                "trust",
                "-U",
                "postgres",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
                "-D",
            ])
            .arg(&data)
            .output()
            .expect("initdb");
        assert!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        let mut command = vec![
            programs.join("postgres").display().to_string(),
            "-D".to_owned(),
            data.display().to_string(),
            "-k".to_owned(),
            folder.path.display().to_string(),
        ];
        let mut settings = vec![
            "listen_addresses=",
            "max_connections=200",
            "shared_buffers=16MB",
        ];
        if durability == Durability::Fast {
            settings.extend(["fsync=off", "full_page_writes=off"]);
        }
        for setting in settings {
            command.extend(["-c".to_owned(), setting.to_owned()]);
        }
        let server = Self {
            watched: Watched::new(folder, command, "QUIT"),
            programs,
            places: AtomicU32::new(0),
        };
        server.restart();
        Some(server)
    }

    /// Starts it once more after [`PostgresServer::kill`].
    pub fn restart(&self) {
        self.watched.start(|| {
            let mut ready = Command::new(self.programs.join("pg_isready"));
            let ready = ready
                .arg("-q")
                .arg("-h")
                .arg(&self.watched.folder.path)
                .status();
            ready.is_ok_and(|status| status.success())
        });
    }

    /// Where its data and its socket are; gone when it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.watched.folder.path
    }

    /// Kills it as a crash would.
    pub fn kill(&self) {
        self.watched.kill();
    }

    /// Stops it where it is, with all of its connections: they stay open, and nothing answers, as of a machine that is
    /// suspended.
    ///
    /// # Panics
    ///
    /// When the server does not run.
    pub fn freeze(&self) {
        self.watched.freeze();
    }

    /// Lets it go on after [`PostgresServer::freeze`].
    ///
    /// # Panics
    ///
    /// When the server does not run.
    pub fn thaw(&self) {
        self.watched.thaw();
    }

    /// Has the server carry out a statement at a [place](PostgresServer::place), as somebody at a terminal would.
    ///
    /// # Panics
    ///
    /// When it refuses to.
    pub fn carry_out(&self, place: &str, statement: &str) {
        let name = place.rsplit('=').next().unwrap_or_default();
        let ran = self
            .psql()
            .arg(format!("SET search_path = {name}; {statement}"))
            .output();
        let ran = ran.expect("psql");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{statement}: {said}");
    }

    fn psql(&self) -> Command {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-q", "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-h"])
            .arg(&self.watched.folder.path)
            .arg("-c")
            .stdin(Stdio::null());
        psql
    }

    /// A URL under which nobody else has created a table.
    ///
    /// # Panics
    ///
    /// When the server does not run.
    #[must_use]
    pub fn place(&self) -> String {
        let name = format!("place{}", self.places.fetch_add(1, Ordering::Relaxed));
        let created = self.psql().arg(format!("CREATE SCHEMA {name}")).status();
        assert!(created.is_ok_and(|status| status.success()), "psql");
        let folder = self.watched.folder.path.display();
        format!("postgres://postgres@localhost/postgres?host={folder}&options[search_path]={name}")
    }
}

//! Redis, or Valkey.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::Durability;
use crate::programs::{find, missing};
use crate::watched::{Folder, Watched};

const FOLDERS: &[&str] = &["/usr/local/bin", "/opt/homebrew/bin"];

/// A Redis or Valkey that only we can reach, over a socket in a private folder.
#[derive(Debug)]
pub struct RedisServer {
    watched: Watched,
    places: AtomicU32,
}

impl RedisServer {
    /// The one of this process, for tests that do it no harm. `None` when there
    /// is no Redis here.
    #[must_use]
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<RedisServer>> = OnceLock::new();
        SHARED
            .get_or_init(|| Self::start(Durability::Fast))
            .as_ref()
    }

    /// One of its own for a test that stops it. `None` when there is no Redis
    /// here. With [`Durability::Disk`] every write is on the disk before it is
    /// answered; without, what it held is lost when it is killed.
    ///
    /// # Panics
    ///
    /// When there is one that does not start.
    #[must_use]
    pub fn start(durability: Durability) -> Option<Self> {
        Self::start_with(durability, &[])
    }

    /// One that is a cluster all by itself: it refuses scripts that name keys of
    /// different slots, or keys that they have not declared.
    ///
    /// # Panics
    ///
    /// When there is one that does not start.
    #[must_use]
    pub fn start_cluster() -> Option<Self> {
        let server = Self::start_with(Durability::Fast, &["--cluster-enabled", "yes"])?;
        let answer = server.ask("CLUSTER ADDSLOTSRANGE 0 16383\r\n");
        assert_eq!(answer.as_deref(), Some("+OK\r\n"));
        while !server
            .ask("CLUSTER INFO\r\n")
            .unwrap_or_default()
            .contains("cluster_state:ok")
        {
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(server)
    }

    fn start_with(durability: Durability, more: &[&str]) -> Option<Self> {
        let found = find("valkey-server", FOLDERS).or_else(|| find("redis-server", FOLDERS));
        let Some(program) = found else {
            missing("Redis or Valkey", "redis-server");
            return None;
        };
        let folder = Folder::new(None);
        let mut command = vec![program.display().to_string()];
        let path = folder.path.display().to_string();
        let socket = folder.path.join("s").display().to_string();
        let mut settings = vec![
            "--port",
            "0",
            "--dir",
            &path,
            "--unixsocket",
            &socket,
            "--save",
            "",
        ];
        if more.is_empty() {
            settings.extend(["--databases", "1000"]);
        }
        if durability == Durability::Disk {
            settings.extend(["--appendonly", "yes", "--appendfsync", "always"]);
        }
        settings.extend(more);
        command.extend(settings.into_iter().map(str::to_owned));
        let server = Self {
            watched: Watched::new(folder, command, "KILL"),
            places: AtomicU32::new(0),
        };
        server.restart();
        Some(server)
    }

    /// Starts it once more after [`RedisServer::kill`].
    pub fn restart(&self) {
        self.watched
            .start(|| self.ask("PING\r\n").as_deref() == Some("+PONG\r\n"));
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

    /// A URL under which nobody else has a key; of a cluster, the only one.
    #[must_use]
    pub fn place(&self) -> String {
        let number = self.places.fetch_add(1, Ordering::Relaxed);
        format!("redis+unix://{}?db={number}", self.socket().display())
    }

    fn socket(&self) -> PathBuf {
        self.watched.folder.path.join("s")
    }

    /// Sends one line and returns what comes back.
    fn ask(&self, line: &str) -> Option<String> {
        let mut server = UnixStream::connect(self.socket()).ok()?;
        server.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
        server.write_all(line.as_bytes()).ok()?;
        let mut answer = [0; 4096];
        let length = server.read(&mut answer).ok()?;
        Some(String::from_utf8_lossy(&answer[..length]).into_owned())
    }
}

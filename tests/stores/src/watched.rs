//! A server program that ends when we do.

use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A shell that waits for the end of its input, which comes when our process
/// ends, however it does; then it ends the server, also a frozen one, and
/// removes its folder. The line "keep" means: only wait for a server that was
/// killed.
const WATCH: &str = r#"
    folder=$1; signal=$2; shift 2
    "$@" </dev/null >>"$folder/log" 2>&1 &
    server=$!
    echo $server
    read -r word
    [ "$word" = keep ] || { kill -s "$signal" $server; kill -s CONT $server $(pgrep -P $server); }
    wait $server
    [ "$word" = keep ] || rm -rf "$folder"
"#;

/// A folder that a server owns, and the way to run programs in it.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    /// Whom programs run as, when we are root and they refuse to be.
    owner: Option<(u32, u32)>,
}

impl Folder {
    pub(crate) fn new(owner: Option<(u32, u32)>) -> Self {
        // Short: a socket's path has room for a hundred bytes.
        let folder = tempfile::Builder::new()
            .prefix("fq")
            .tempdir()
            .expect("a temporary folder");
        let path = folder.keep();
        fs::set_permissions(&path, Permissions::from_mode(0o700)).expect("a folder of our own");
        if let Some((user, group)) = owner {
            chown(&path, Some(user), Some(group)).expect("root may give its folders away");
        }
        Self { path, owner }
    }

    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command.current_dir(&self.path).env("LC_ALL", "C");
        command
    }
}

/// A server, and the shell that watches over it.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) folder: Folder,
    command: Vec<String>,
    /// What makes the server end at once, and tidily.
    signal: &'static str,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    shell: Child,
    input: ChildStdin,
    server: u32,
}

impl Watched {
    pub(crate) fn new(folder: Folder, command: Vec<String>, signal: &'static str) -> Self {
        Self {
            folder,
            command,
            signal,
            running: Mutex::default(),
        }
    }

    /// Starts the server and waits until it is `ready`.
    pub(crate) fn start(&self, ready: impl Fn() -> bool) {
        let mut shell = self
            .folder
            .command(Path::new("/bin/sh"))
            .args(["-c", WATCH, "watch"])
            .arg(&self.folder.path)
            .arg(self.signal)
            .args(&self.command)
            // Of its own, so that Ctrl-C reaches us alone.
            .process_group(0)
            .stdin(Stdio::piped())
            // It reports that its child was killed, which we know.
            .stderr(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let input = shell.stdin.take().expect("its input");
        let mut line = String::new();
        BufReader::new(shell.stdout.take().expect("its output"))
            .read_line(&mut line)
            .expect("a line");
        let server = line.trim().parse().expect("a process id");
        *self.lock() = Some(Running {
            shell,
            input,
            server,
        });
        let began = Instant::now();
        while !ready() {
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "{} does not start: {}",
                self.command[0],
                fs::read_to_string(self.folder.path.join("log")).unwrap_or_default()
            );
            sleep(Duration::from_millis(10));
        }
    }

    /// Kills the server as a crash would, and waits for its end.
    pub(crate) fn kill(&self) {
        let Some(mut running) = self.lock().take() else {
            return;
        };
        let server = running.server.to_string();
        // A server's own children hold on to what the next one needs.
        let children = children(&server);
        let killed = kill("KILL", &[&server]);
        assert!(killed, "the server had ended by itself");
        for child in &children {
            kill("KILL", &[child]);
            while kill("0", &[child]) {
                sleep(Duration::from_millis(2));
            }
        }
        running
            .input
            .write_all(b"keep\n")
            .expect("a shell that reads");
        running.shell.wait().expect("the shell's end");
    }

    /// Stops the server where it is: its sockets stay, and nothing answers.
    pub(crate) fn freeze(&self) {
        self.signal_all("STOP");
    }

    /// Lets it go on after [`Watched::freeze`].
    pub(crate) fn thaw(&self) {
        self.signal_all("CONT");
    }

    fn signal_all(&self, signal: &str) {
        let running = self.lock();
        let server = running.as_ref().map(|running| running.server.to_string());
        let server = server.expect("a server that runs");
        // First: it begins no more children then.
        assert!(kill(signal, &[&server]), "the server had ended by itself");
        for child in children(&server) {
            // It may have ended a moment ago.
            kill(signal, &[&child]);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(Running {
            mut shell, input, ..
        }) = self.lock().take()
        {
            drop(input);
            let _ = shell.wait();
        } else {
            let _ = fs::remove_dir_all(&self.folder.path);
        }
    }
}

fn children(server: &str) -> Vec<String> {
    let found = Command::new("pgrep").args(["-P", server]).output();
    let found = found.map(|found| String::from_utf8_lossy(&found.stdout).into_owned());
    let found = found.unwrap_or_default();
    found.split_whitespace().map(str::to_owned).collect()
}

/// Sends a signal, as `kill` names it, if there is such a process.
fn kill(signal: &str, processes: &[&str]) -> bool {
    let mut kill = Command::new("kill");
    kill.args(["-s", signal])
        .args(processes)
        .stderr(Stdio::null());
    kill.status().is_ok_and(|status| status.success())
}

/// Whether we are root: then files of ours are root's.
pub(crate) fn we_are_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    let file = tempfile::tempfile().and_then(|file: File| file.metadata());
    file.is_ok_and(|file| file.uid() == 0)
}

/// The numbers of a user who is there.
pub(crate) fn user(name: &str) -> Option<(u32, u32)> {
    let number = |flag: &str| {
        let output = Command::new("id")
            .args([flag, name])
            .stderr(Stdio::null())
            .output()
            .ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    Some((number("-u")?, number("-g")?))
}

//! One test's world: an emulator, an empty home, and the program.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use famulor_emulator::{Conversation, Emulator, EmulatorBuilder, Message};
use famulor_test_judge::{Witness, emulator};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// No output may ever show it. It looks like one of the vendor's.
pub(crate) const KEY: &str = "1|qV7secretKeyOfNobody";
pub(crate) const UUID: &str = "550e8400-e29b-41d4-a716-446655440000";
/// The emulator's documented conversation.
pub(crate) const CONVERSATION: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

pub(crate) struct Fixture {
    /// The emulator lives on it.
    _runtime: Runtime,
    pub(crate) emulator: Emulator,
    /// Judges what emulators inside of the program answer.
    pub(crate) witness: Witness,
    home: TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(|emulator| emulator)
    }

    pub(crate) fn with(set_up: impl FnOnce(EmulatorBuilder) -> EmulatorBuilder) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let emulator = runtime
            .block_on(set_up(emulator()).start())
            .expect("an emulator");
        Self {
            _runtime: runtime,
            emulator,
            witness: Witness::new(),
            home: TempDir::new().expect("a home"),
        }
    }

    /// The program, told by its environment to talk to the emulator.
    pub(crate) fn famulor<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Invocation {
        self.bare(arguments)
            .env("FAMULOR_BASE_URL", self.emulator.base_url())
            .env("FAMULOR_API_KEY", KEY)
    }

    /// The program, told nothing.
    pub(crate) fn bare<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Invocation {
        let mut command = Command::new(env!("CARGO_BIN_EXE_famulor"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.home.path())
            .envs([self.witness.variable()])
            // A table would be as wide as the terminal that the tests run in.
            .env("COLUMNS", "100")
            .env("XDG_CONFIG_HOME", self.home.path().join("config"))
            .env("XDG_STATE_HOME", self.home.path().join("state"))
            .current_dir(self.home.path());
        Invocation {
            command,
            input: None,
            output: None,
        }
    }

    /// A file in the home.
    pub(crate) fn file(&self, name: &str, contents: &str) -> PathBuf {
        let path = self.home.path().join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).expect("a folder");
        }
        std::fs::write(&path, contents).expect("a file");
        path
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// What the emulator has stored of a customer's conversation, by role.
    pub(crate) fn said(&self, customer: &str, role: &str) -> Vec<String> {
        let conversation = self
            .emulator
            .conversation_of(123, customer)
            .expect("a conversation");
        texts(&conversation.history, role)
    }

    /// Nothing at all arrived.
    pub(crate) fn assert_untouched(&self) {
        assert_eq!(format!("{:?}", self.emulator.journal()), "[]");
    }

    /// The paths of everything that was sent to change something.
    pub(crate) fn posts(&self) -> Vec<String> {
        let mut entries = self.emulator.journal();
        entries.retain(|entry| entry.method == "POST");
        entries.into_iter().map(|entry| entry.path).collect()
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        self.emulator
            .journal()
            .into_iter()
            .map(|entry| entry.path)
            .collect()
    }
}

pub(crate) fn texts(history: &[Message], role: &str) -> Vec<String> {
    history
        .iter()
        .filter(|message| message.role == role)
        .map(|message| message.content.clone())
        .collect()
}

pub(crate) struct Invocation {
    command: Command,
    input: Option<Vec<u8>>,
    output: Option<String>,
}

impl Invocation {
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    pub(crate) fn args(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    pub(crate) fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = Some(input.into());
        self
    }

    /// Sends standard output to a file instead.
    pub(crate) fn output_to(mut self, file: &str) -> Self {
        self.output = Some(file.to_owned());
        self
    }

    pub(crate) fn start(mut self) -> Running {
        let input = if self.input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        };
        let output = match &self.output {
            None => Stdio::piped(),
            Some(file) => {
                let file = std::fs::OpenOptions::new().write(true).open(file);
                Stdio::from(file.expect("it can be written"))
            }
        };
        let child = self
            .command
            .stdin(input)
            .stdout(output)
            .stderr(Stdio::piped())
            .spawn()
            .expect("famulor starts");
        Running(Some(child))
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Ran {
        let input = self.input.clone();
        let mut running = self.start();
        if let (Some(input), Some(mut stdin)) = (input, running.child().stdin.take()) {
            // It may end without reading everything.
            let _ = stdin.write_all(&input);
        }
        running.end()
    }
}

/// A run that is under way. Nothing outlives its test.
pub(crate) struct Running(Option<Child>);

impl Running {
    #[cfg(unix)]
    pub(crate) fn of(child: Child) -> Self {
        Self(Some(child))
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        self.0.as_mut().expect("it has not ended")
    }

    /// Sends a signal, as a shell does.
    #[track_caller]
    pub(crate) fn signal(&mut self, name: &str) {
        let sent = Command::new("kill")
            .arg(name)
            .arg(self.child().id().to_string())
            .status();
        assert!(sent.expect("kill runs").success());
    }

    /// Whether it has a handler of its own for an interruption already. Without
    /// `/proc`, it is given time to.
    pub(crate) fn hears_interrupts(&mut self) -> bool {
        let Ok(status) = std::fs::read_to_string(format!("/proc/{}/status", self.child().id()))
        else {
            std::thread::sleep(Duration::from_secs(1));
            return true;
        };
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        // SIGINT is signal 2, the mask's second bit.
        caught.is_some_and(|mask| mask & 0b10 != 0)
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ran {
        let child = self.0.take().expect("it has not ended");
        Ran::of(child.wait_with_output().expect("famulor ends"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("famulor writes UTF-8");
        let ran = Self {
            code: output.status.code().expect("famulor ends by itself"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        assert!(
            !ran.stdout.contains("qV7secret") && !ran.stderr.contains("qV7secret"),
            "{ran:?}"
        );
        ran
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// Standard output as one JSON value.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The JSON error, which is the last line of standard error.
    #[track_caller]
    pub(crate) fn error(&self) -> Value {
        let line = self.stderr.lines().last().unwrap_or_default();
        let error: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        assert_eq!(error["error"]["exit"], self.code, "{self:?}");
        error["error"].clone()
    }

    /// All that was written, compared with `golden/NAME.txt`.
    #[track_caller]
    pub(crate) fn matches_golden(self, world: &Fixture, name: &str) -> Self {
        crate::golden::compare(&self, world, name);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(self.stderr.contains(words), "no \"{words}\" in {self:?}");
        self
    }
}

/// The names of an object's fields, in their order.
#[track_caller]
pub(crate) fn fields(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}

/// Waits until something is so. Ten seconds are for a machine that is very busy.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "{what}: still not so"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// The arguments of a reply to somebody.
pub(crate) fn reply(rest: &[&str]) -> Vec<String> {
    ["reply", "--assistant-id", "123", "--customer", "crm-42"]
        .iter()
        .chain(rest)
        .map(|argument| (*argument).to_owned())
        .collect()
}

/// A conversation that the emulator is to have.
pub(crate) fn conversation(id: &str, history: Vec<Message>) -> Conversation {
    Conversation {
        id: id.to_owned(),
        assistant_id: 123,
        history,
        ..Conversation::default()
    }
}

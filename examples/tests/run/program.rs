//! An example's program, as a person would run it.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, SystemTime};

use famulor_emulator::Emulator;
use tokio::process::Command;

/// Longer than any example takes on a machine that is busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// The folder of the examples.
pub(crate) fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// An example, with nothing of this machine's Famulor in its environment.
pub(crate) fn example(name: &str) -> Command {
    let mut command = Command::new(built(name));
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("FAMULOR_") {
            command.env_remove(variable);
        }
    }
    command
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// The same, with a key and an address: what it does on an account.
pub(crate) fn example_on(emulator: &Emulator, name: &str) -> Command {
    let mut command = example(name);
    command
        .env("FAMULOR_BASE_URL", emulator.base_url())
        .env("FAMULOR_API_KEY", "test-key")
        .env("FAMULOR_ASSISTANT_ID", "123");
    command
}

/// Runs it to its end.
pub(crate) async fn finish(command: &mut Command) -> Finished {
    let output = tokio::time::timeout(PATIENCE, command.output())
        .await
        .expect("an example that ends")
        .expect("an example that starts");
    Finished::new(&output)
}

/// What an example has said.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Finished {
    fn new(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Asserts that it went well and said each of these.
    #[track_caller]
    pub(crate) fn said(&self, texts: &[&str]) {
        assert_eq!(self.code, Some(0), "{self:?}");
        for text in texts {
            assert!(self.out.contains(text), "{text:?} is not in {self:?}");
        }
    }
}

/// Where cargo has put it. `cargo test -p famulor-examples` builds the examples, `cargo test --tests` does not.
fn built(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a path of our own");
    let folder_of_all = own.ancestors().nth(2).expect("a folder of the profile");
    let program = folder_of_all
        .join("examples")
        .join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let built_at = program.metadata().and_then(|file| file.modified()).ok();
    let own = [folder().join(name), folder().join(format!("{name}.rs"))];
    let sources = own.iter().filter(|path| path.exists());
    let is_fresh = built_at.is_some_and(|at| {
        let changed = sources.map(|path| newest(path)).max();
        at >= newest(&folder().join("src")) && changed.is_some_and(|changed| at >= changed)
    });
    assert!(
        is_fresh,
        "the example {name} is not built as its source stands: cargo build --workspace --examples"
    );
    program
}

/// When a file, or one in this folder, was last changed.
fn newest(path: &Path) -> SystemTime {
    if !path.is_dir() {
        return path
            .metadata()
            .and_then(|file| file.modified())
            .expect("a time");
    }
    let entries = path.read_dir().expect("a folder").flatten();
    let times = entries.map(|entry| newest(&entry.path()));
    times.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

//! `cargo xtask bench cli`: what a command costs, beside curl and a Python script that do the same.
//!
//! Whole processes, from their start to their end, by turns in one run, so that whatever slows the machine slows all of
//! them. CPU time is the kernel's own count for children that have ended (user and system); it leaves out the emulator,
//! which lives in this process.

mod cpu;

use std::path::{Path, PathBuf};
use std::process::Command;

use famulor_emulator::Emulator;

use crate::call::python_with_requests;
use crate::figure::Figure;
use crate::section::Section;
use crate::size::Size;
use cpu::{Contender, Meter};

/// Enough for the second digit to stand still.
const TURNS: u32 = 200;

/// What was promised, times curl's CPU.
const STARTING: f64 = 2.0;
const REPLYING: f64 = 1.5;
const LARGEST: f64 = 20.0;
const MIB: f64 = 1024.0 * 1024.0;

const SCRIPT: &str = "\
import os, sys, requests
answer = requests.post(
    os.environ['FAMULOR_BASE_URL'] + '/ai/generate-reply',
    headers={'Authorization': 'Bearer ' + os.environ['FAMULOR_API_KEY']},
    json={'assistant_id': 123, 'customer_identifier': sys.argv[1], 'message': 'Hello'},
    timeout=60,
)
answer.raise_for_status()
print(answer.json()['reply'])
";

const METHOD: &str = "\
Whole processes from their start to their end, by turns, medians: `famulor` as `cargo xtask dist` makes it, beside curl, \
and beside a Python script with requests, which all make the same call to the same emulator. CPU is user and system \
time; the emulator's is not in it. `famulor reply` does all that it does by default: it keeps the quota's books in their \
file and looks up where the customer's conversation stands.";

pub(crate) fn run(size: Size) -> Result<Section, String> {
    let mut section = Section::new("Command line", "cargo xtask bench cli", METHOD);
    let turns = size.pick(TURNS, 50, 2);
    let famulor = built()?;
    let size_of_binary = std::fs::metadata(&famulor)
        .map_err(|e| e.to_string())?
        .len();
    let runtime = super::call::runtime()?;
    let emulator = runtime
        .block_on(Emulator::builder().balance(1e9).start())
        .map_err(|e| format!("the emulator does not start: {e}"))?;
    let world = World {
        famulor,
        url: emulator.base_url(),
        python: python_with_requests(),
        home: Home::new()?,
    };
    let starting = Meter::by_turns(
        turns,
        &[
            ("curl --version", &|_| world.curl(&["--version"])),
            ("famulor --version", &|_| world.famulor(&["--version"])),
            ("famulor reply --dry-run", &|_| world.dry_run()),
        ],
    )?;
    let curl = |turn| world.curl_reply(turn);
    let famulor = |turn| world.reply(turn);
    let python = |turn| world.python(turn);
    let mut contenders: Vec<Contender<'_>> = vec![("curl", &curl), ("famulor reply", &famulor)];
    match world.python {
        Some(_) => contenders.push(("a Python script", &python)),
        None => section.note("Python with requests is not installed here, and was not measured."),
    }
    let replying = Meter::by_turns(turns, &contenders)?;
    section.add(starting.cpu(1).ratio_at_most(STARTING));
    section.add(starting.cpu(2).ratio_at_most(STARTING));
    section.add(replying.cpu(1).ratio_at_most(REPLYING));
    for figure in [starting.time(1), starting.time(2), replying.time(1)] {
        section.add(figure);
    }
    if world.python.is_some() {
        section.add(replying.cpu_beside(1, 2));
        section.add(replying.time_beside(1, 2));
    }
    let size = Figure::new("size of the binary", "MiB", size_of_binary as f64 / MIB);
    section.add(size.at_most(LARGEST));
    Ok(section)
}

/// The binary as `cargo xtask dist` makes it.
fn built() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let target = own.ancestors().nth(2).unwrap_or(Path::new("target"));
    let name = format!("famulor{}", std::env::consts::EXE_SUFFIX);
    let path = target.join("dist").join(name);
    if path.exists() {
        return Ok(path);
    }
    Err(format!(
        "{} is not built; run: cargo xtask bench cli",
        path.display()
    ))
}

/// What every command is run with.
struct World {
    famulor: PathBuf,
    url: String,
    /// The interpreter itself: a shim in front of it is not what a script costs.
    python: Option<String>,
    home: Home,
}

impl World {
    fn famulor(&self, arguments: &[&str]) -> Command {
        let mut command = self.clean(&self.famulor);
        command.args(arguments);
        command
    }

    fn dry_run(&self) -> Command {
        let arguments = [
            "--dry-run",
            "--assistant-id",
            "123",
            "--customer",
            "crm-1",
            "Hello",
        ];
        let mut command = self.famulor(&["reply"]);
        command.args(arguments).env("FAMULOR_API_KEY", "bench");
        command
    }

    /// With all it does by default: the ledger of the quota in its file, the order of the customer's messages looked up.
    fn reply(&self, turn: u32) -> Command {
        let mut command = self.famulor(&["reply", "--assistant-id", "123", "--customer"]);
        command.arg(format!("crm-{turn}")).arg("Hello");
        self.account("famulor", turn, &mut command);
        command
    }

    fn curl(&self, arguments: &[&str]) -> Command {
        let mut command = self.clean(Path::new("curl"));
        command.args(arguments);
        command
    }

    fn curl_reply(&self, turn: u32) -> Command {
        let url = format!("{}/ai/generate-reply", self.url);
        let body = format!(
            r#"{{"assistant_id":123,"customer_identifier":"curl-{turn}","message":"Hello"}}"#
        );
        let key = format!("Authorization: Bearer curl-{turn}");
        self.curl(&[
            "--silent",
            "--fail",
            "--header",
            &key,
            "--header",
            "Content-Type: application/json",
            "--data",
            &body,
            &url,
        ])
    }

    fn python(&self, turn: u32) -> Command {
        let mut command = self.clean(Path::new(self.python.as_deref().unwrap_or("python3")));
        command.args(["-c", SCRIPT]).arg(format!("python-{turn}"));
        self.account("python", turn, &mut command);
        command
    }

    /// An account for each call: the limit of replies is real, and a wait for it would be measured.
    fn account(&self, who: &str, turn: u32, command: &mut Command) {
        command
            .env("FAMULOR_BASE_URL", &self.url)
            .env("FAMULOR_API_KEY", format!("{who}-{turn}"));
    }

    fn clean(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.home.0);
        command
    }
}

/// A home of its own, gone afterwards.
struct Home(PathBuf);

impl Home {
    fn new() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("famulor-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

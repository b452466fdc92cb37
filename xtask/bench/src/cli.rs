//! `cargo xtask bench cli`: what a command costs, beside curl and a Python script that do the same.
//!
//! Whole processes, from their start to their end, by turns in one run, so that whatever slows the machine slows all of
//! them. CPU time is the kernel's own count for children that have ended (user and system); it leaves out the emulator,
//! which lives in this process.

mod cpu;

use std::path::{Path, PathBuf};
use std::process::Command;

use famulor_emulator::Emulator;

use cpu::Meter;

/// Enough for the second digit to stand still.
const TURNS: u32 = 200;

/// What was promised, times curl's CPU.
const STARTING: f64 = 2.0;
const REPLYING: f64 = 1.5;
const LARGEST: u64 = 20 * 1024 * 1024;

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

pub(crate) fn run() -> Result<(), String> {
    let famulor = built()?;
    let size = std::fs::metadata(&famulor)
        .map_err(|e| e.to_string())?
        .len();
    let runtime = super::call::runtime()?;
    let emulator = runtime
        .block_on(Emulator::builder().balance(1e9).start())
        .map_err(|e| format!("the emulator does not start: {e}"))?;
    let world = World {
        famulor,
        url: emulator.base_url(),
        home: Home::new()?,
    };
    let starting = Meter::by_turns(
        TURNS,
        &[
            ("curl --version", &|_| world.curl(&["--version"])),
            ("famulor --version", &|_| world.famulor(&["--version"])),
            ("famulor reply --dry-run", &|_| world.dry_run()),
        ],
    )?;
    let replying = Meter::by_turns(
        TURNS,
        &[
            ("curl", &|turn| world.curl_reply(turn)),
            ("famulor reply", &|turn| world.reply(turn)),
            ("python requests", &|turn| world.python(turn)),
        ],
    )?;
    println!("{TURNS} turns; a process each, CPU (user and system) and time from start to end\n");
    println!("| command | CPU ms | time ms | CPU, times curl |\n|---|---|---|---|");
    starting.print();
    println!("| *one whole reply* | | | |");
    replying.print();
    println!(
        "\nthe binary: {:.1} MB, at most 20 are promised",
        size as f64 / 1024.0 / 1024.0
    );
    starting.at_most(1, STARTING)?;
    starting.at_most(2, STARTING)?;
    replying.at_most(1, REPLYING)?;
    if size > LARGEST {
        return Err(format!(
            "the binary has {size} bytes, at most {LARGEST} are promised"
        ));
    }
    Ok(())
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
        let mut command = self.clean(Path::new(&python()));
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

/// The interpreter itself: a shim in front of it is not what a script costs.
fn python() -> String {
    let own = "import sys; print(sys.executable)";
    let asked = Command::new("python3").args(["-c", own]).output();
    let path = asked
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok());
    let path = path.map(|path| path.trim().to_owned());
    path.filter(|path| !path.is_empty())
        .unwrap_or_else(|| "python3".to_owned())
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

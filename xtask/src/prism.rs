//! `cargo xtask judge prism`: the client against a mock server that other people wrote.
//!
//! Prism serves openapi.yaml: it looks at every request and answers with the documented examples. The tests are
//! `tests/tests/prism`.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::lint_spec::Outcome;
use crate::program::{cargo_command, succeed, target, tools_are_required};
use crate::{Failure, npm, workspace};

/// The tests of `tests/tests/prism`, which nothing else runs. The whole workspace is selected as everywhere, so that what
/// is built is shared.
const TESTS: &str = "cargo test --quiet --workspace --test prism -- --ignored --nocapture";

/// Judges, or says in one line what is missing.
pub(crate) fn run() -> Result<(), Failure> {
    if let Outcome::Skipped(why) = judge()? {
        println!("skipped: {why}");
    }
    Ok(())
}

/// Judges, or says why it cannot; an error where tools are required.
pub(crate) fn judge() -> Result<Outcome, Failure> {
    let source = workspace().join("xtask/judges/prism");
    let programs = match npm::install("Prism", &source, &target().join("judges/prism")) {
        Ok(programs) => programs,
        Err(missing) if tools_are_required() => return Err(missing),
        Err(missing) => return Ok(Outcome::Skipped(missing.to_string())),
    };
    let prism = Prism::start(&programs)?;
    let mut command = cargo_command();
    command
        .args(TESTS.split(' ').skip(1))
        .env("FAMULOR_PRISM", &prism.address);
    succeed(&mut command, "the client's tests against Prism")?;
    Ok(Outcome::Done)
}

/// Prism as a process of its own, ended with this value.
struct Prism {
    process: Child,
    address: String,
}

impl Prism {
    fn start(programs: &Path) -> Result<Self, Failure> {
        let wrong = |e: std::io::Error| Failure::new(format!("Prism cannot be run: {e}"));
        // Prism does not tell the port that it was given for 0.
        let free = TcpListener::bind("127.0.0.1:0").map_err(wrong)?;
        let address = free.local_addr().map_err(wrong)?;
        drop(free);
        let process = Command::new(programs.join("prism"))
            // One process: with more, the one that serves would outlive the one that is ended here.
            .args([
                "mock",
                "--multiprocess=false",
                "--host",
                "127.0.0.1",
                "--port",
            ])
            .arg(address.port().to_string())
            .arg(workspace().join("openapi.yaml"))
            .stdin(Stdio::null())
            // A line for each request; what it has against one is in its answer too.
            .stdout(Stdio::null())
            .spawn()
            .map_err(wrong)?;
        let mut prism = Self {
            process,
            address: address.to_string(),
        };
        let patience = Instant::now();
        while patience.elapsed() < Duration::from_secs(60) {
            if TcpStream::connect(address).is_ok() {
                return Ok(prism);
            }
            if let Some(status) = prism.process.try_wait().map_err(wrong)? {
                return Err(Failure::new(format!("Prism ended by itself: {status}")));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(Failure::new("Prism does not come up"))
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

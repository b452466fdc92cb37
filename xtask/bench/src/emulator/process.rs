//! A server as a process of its own, measured from outside, ended with its value.

use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::load;

pub(super) struct Process {
    child: Child,
    pub(super) address: SocketAddr,
    /// From the start of the process to its first answer.
    pub(super) first_answer: Duration,
}

impl Process {
    /// A server that answers with `body`, where it does not think of one itself.
    pub(super) fn start(server: &str, body: &str) -> Result<Self, String> {
        let own = std::env::current_exe().map_err(|e| e.to_string())?;
        let address = free_port()?;
        let command = match server {
            "prism" => prism(&own, address)?,
            _ => {
                let mut command = Command::new(own);
                command.args(["serve", server, &address.to_string(), body]);
                command
            }
        };
        Self::begin(server, command, Stdio::null(), address)
    }

    /// The same in callgrind, which counts on its standard error when it is asked to end.
    pub(super) fn counted(server: &str, body: &str) -> Result<Self, String> {
        let own = std::env::current_exe().map_err(|e| e.to_string())?;
        let address = free_port()?;
        let mut command = Command::new("valgrind");
        command
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(own)
            .args(["serve", server, &address.to_string(), body]);
        Self::begin(server, command, Stdio::piped(), address)
    }

    fn begin(
        server: &str,
        mut command: Command,
        errors: Stdio,
        address: SocketAddr,
    ) -> Result<Self, String> {
        let start = Instant::now();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .map_err(|e| format!("{server}: {e}"))?;
        let mut process = Self {
            child,
            address,
            first_answer: Duration::ZERO,
        };
        let path = match server {
            "prism" => "/ai/generate-reply",
            _ => "/api/ai/generate-reply",
        };
        while !load::answers(address, path) {
            if start.elapsed() > Duration::from_secs(30) {
                return Err(format!("{server} does not come up"));
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        process.first_answer = start.elapsed();
        Ok(process)
    }

    /// The processor time that it has taken, its own and the system's for it.
    pub(super) fn cpu(&self) -> Result<Duration, String> {
        /// What Linux counts in, whatever the machine.
        const TICKS_A_SECOND: f64 = 100.0;
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = std::fs::read_to_string(&path).map_err(|e| format!("{path}: {e}"))?;
        // Fields 14 and 15; the second one is a name in brackets that may hold spaces.
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let ticks = |nth| after_name.split_whitespace().nth(nth)?.parse::<f64>().ok();
        let (Some(user), Some(system)) = (ticks(11), ticks(12)) else {
            return Err(format!("{path} has no times"));
        };
        Ok(Duration::from_secs_f64((user + system) / TICKS_A_SECOND))
    }

    /// Ends a counted process: how many instructions it took.
    pub(super) fn instructions(mut self) -> Result<u64, String> {
        let asked = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        asked.map_err(|e| format!("kill: {e}"))?;
        let mut text = String::new();
        if let Some(mut errors) = self.child.stderr.take() {
            errors
                .read_to_string(&mut text)
                .map_err(|e| e.to_string())?;
        }
        text.lines()
            .find_map(|line| line.split("Collected :").nth(1)?.trim().parse().ok())
            .ok_or_else(|| format!("callgrind gave no count:\n{text}"))
    }

    /// What it has in memory, in kB.
    pub(super) fn memory(&self) -> Result<u64, String> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(&path).map_err(|e| format!("{path}: {e}"))?;
        status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|size| size.split_whitespace().next()?.parse().ok())
            .ok_or_else(|| format!("{path} has no VmRSS"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where npm puts it; the figure is left out where it is not installed.
fn prism(own: &std::path::Path, address: SocketAddr) -> Result<Command, String> {
    let target = own
        .ancestors()
        .nth(2)
        .map(PathBuf::from)
        .unwrap_or_default();
    let program = target.join("judges/prism/node_modules/.bin/prism");
    if !program.exists() {
        return Err("it is not installed; run: npm install --prefix target/judges/prism @stoplight/prism-cli@5.14.2".to_owned());
    }
    let mut command = Command::new(program);
    command
        .args(["mock", "--host", "127.0.0.1", "--port"])
        .arg(address.port().to_string())
        .arg("openapi.yaml");
    Ok(command)
}

/// Free a moment ago; a server of another program cannot pick one by itself.
fn free_port() -> Result<SocketAddr, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
    listener.local_addr().map_err(|e| e.to_string())
}

//! The processes that send, and the ones that kill them.

use std::fmt::Write as _;
use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::{Value, json};

use crate::points::{self, AT_RANDOM, DURING_EXPORT, Kills, Order};
use crate::report::Exports;
use crate::server::Server;
use crate::{DOUBT_WAIT, LEASE, Plan, TIMEOUT, customer_of, limit_of, millis, text_of};

/// The job is called by it.
const INPUT: &str = "crash.jsonl";

const TICK: Duration = Duration::from_millis(3);
/// A worker that has not come to its point by then is killed where it is.
const ON_ITS_WAY: Duration = Duration::from_secs(8);
/// Kills of workers for each export that is killed.
const KILLS_AN_EXPORT: u64 = 15;
const SIGKILL: i32 = 9;

pub(crate) struct Workers<'p> {
    plan: &'p Plan,
    folder: PathBuf,
    base_url: String,
    store: String,
    rng: Rng,
    running: Vec<Worker>,
    started: u64,
    pub(crate) kills: Kills,
    pub(crate) last_kill: Instant,
    pub(crate) exports: Exports,
}

struct Worker {
    child: Child,
    /// When it is killed from outside, if it is to be killed.
    killed_at: Option<Instant>,
    /// Where it kills itself, if it gets there.
    point: Option<&'static str>,
    /// It was killed from outside.
    overtaken: bool,
    /// `batch run`, which ends by itself, or `batch work`.
    ends: bool,
    log: PathBuf,
}

impl<'p> Workers<'p> {
    pub(crate) fn new(plan: &'p Plan, folder: &Path, server: &Server) -> Result<Self, String> {
        let input = folder.join(INPUT);
        let mut lines = String::new();
        for line in 1..=plan.messages {
            let message = json!({
                "assistant_id": 123,
                "customer_identifier": customer_of(plan, line),
                "message": text_of(line),
                "id": format!("m-{line}"),
            });
            let _ = writeln!(lines, "{message}");
        }
        std::fs::write(&input, lines).map_err(|e| format!("the input: {e}"))?;
        let own = folder.join("outbox.sqlite").display().to_string();
        Ok(Self {
            plan,
            folder: folder.to_owned(),
            base_url: server.base_url.clone(),
            store: plan.store.clone().unwrap_or(own),
            rng: Rng::with_seed(plan.seed),
            running: Vec::new(),
            started: 0,
            kills: Kills::new(),
            last_kill: Instant::now(),
            exports: Exports::default(),
        })
    }

    /// Keeps so many workers going, and kills them until enough were killed.
    pub(crate) fn kill_until_done(&mut self, latest: Instant) -> Result<(), String> {
        while self.killed() < self.plan.kills || self.is_point_missed() {
            self.in_time(latest, "the kills")?;
            while self.running.len() < self.plan.workers {
                let worker = self.start_one_to_kill()?;
                self.running.push(worker);
            }
            self.reap()?;
            // Some of what is killed is an export.
            if self.exports.killed < (self.killed() + 5) / KILLS_AN_EXPORT {
                self.kill_an_export()?;
            }
            sleep(TICK);
        }
        Ok(())
    }

    /// Kills who is still there, and lets others do the rest undisturbed.
    pub(crate) fn finish(&mut self, latest: Instant) -> Result<(), String> {
        self.kill_all()?;
        self.start_all()?;
        self.wait_for_end(latest)
    }

    /// Kills who is still there.
    pub(crate) fn kill_all(&mut self) -> Result<(), String> {
        for worker in &mut self.running {
            worker.child.kill().map_err(|e| e.to_string())?;
            worker.child.wait().map_err(|e| e.to_string())?;
            self.last_kill = Instant::now();
        }
        self.running.clear();
        Ok(())
    }

    /// Starts workers that nobody kills; the first of them ends with the job.
    pub(crate) fn start_all(&mut self) -> Result<(), String> {
        for index in 0..self.plan.workers {
            let worker = self.start(index == 0, None)?;
            self.running.push(worker);
        }
        Ok(())
    }

    /// Waits for the end of the job, and ends the other workers.
    pub(crate) fn wait_for_end(&mut self, latest: Instant) -> Result<(), String> {
        let status = loop {
            if let Some(status) = self.running[0]
                .child
                .try_wait()
                .map_err(|e| e.to_string())?
            {
                break status;
            }
            if self.in_time(latest, "the rest").is_err() {
                let status = self.famulor(&["batch", "status", "--json"]).output();
                let status = status.map_err(|e| e.to_string())?.stdout;
                let status = String::from_utf8_lossy(&status).into_owned();
                return Err(format!(
                    "the rest is not over in time: {status}{}",
                    self.running[0].said()
                ));
            }
            sleep(TICK);
        };
        if !matches!(status.code(), Some(0 | 10)) {
            return Err(format!(
                "the last batch run: {status}: {}",
                self.running[0].said()
            ));
        }
        for worker in &mut self.running[1..] {
            let id = worker.child.id().to_string();
            let sent = Command::new("kill").args(["-TERM", &id]).status();
            sent.map_err(|e| format!("kill: {e}"))?;
            let status = worker.child.wait().map_err(|e| e.to_string())?;
            if status.code() != Some(143) {
                return Err(format!(
                    "batch work, terminated: {status}: {}",
                    worker.said()
                ));
            }
        }
        self.running.clear();
        Ok(())
    }

    /// The store's own account of every message.
    pub(crate) fn export(&mut self) -> Result<Vec<Value>, String> {
        let out = self.folder.join("export.jsonl");
        let mut command = self.famulor(&["batch", "export", "--job", "crash"]);
        let ran = command
            .arg("--out")
            .arg(&out)
            .output()
            .map_err(|e| e.to_string())?;
        if !ran.status.success() {
            return Err(format!(
                "batch export: {}",
                String::from_utf8_lossy(&ran.stderr)
            ));
        }
        let text = std::fs::read_to_string(&out).map_err(|e| format!("the export: {e}"))?;
        text.lines()
            .map(|line| serde_json::from_str(line).map_err(|e| format!("the export: {e}")))
            .collect()
    }

    fn is_point_missed(&self) -> bool {
        self.plan.all_points && !points::missed(&self.kills).is_empty()
    }

    fn killed(&self) -> u64 {
        self.kills.values().sum()
    }

    fn in_time(&self, latest: Instant, what: &str) -> Result<(), String> {
        if Instant::now() < latest {
            return Ok(());
        }
        Err(format!("{what} took too long: {:?}", self.kills))
    }

    fn start_one_to_kill(&mut self) -> Result<Worker, String> {
        let ends = self.rng.bool();
        let (order, after) = if self.rng.u8(..3) == 0 {
            (None, Duration::from_millis(self.rng.u64(20..900)))
        } else {
            let under_way: Vec<_> = self.running.iter().filter_map(|w| w.point).collect();
            let passes = self.plan.passes;
            let order = points::next(&self.kills, &under_way, passes, &mut self.rng);
            (Some(order), ON_ITS_WAY)
        };
        let mut worker = self.start(ends, order)?;
        worker.killed_at = Some(Instant::now() + after);
        Ok(worker)
    }

    fn start(&mut self, ends: bool, order: Option<Order>) -> Result<Worker, String> {
        self.started += 1;
        let log = self.folder.join(format!("log.{}", self.started));
        let said = File::create(&log).map_err(|e| e.to_string())?;
        let mut command = match ends {
            true => self.famulor(&["batch", "run", INPUT]),
            false => self.famulor(&["batch", "work"]),
        };
        command.args(["--concurrency", "8"]);
        command.args(["--lease", &millis(LEASE)]);
        if let Some((point, nth)) = order {
            command.env("FAMULOR_CRASH_AT", format!("{point}:{nth}"));
        }
        if !self.plan.intents {
            command.env("FAMULOR_NO_INTENTS", "1");
        }
        let child = command
            .stdout(Stdio::null())
            .stderr(said)
            .spawn()
            .map_err(|e| e.to_string())?;
        Ok(Worker {
            child,
            killed_at: None,
            point: order.map(|(point, _)| point),
            overtaken: false,
            ends,
            log,
        })
    }

    /// The program with everything that all of its commands are given here.
    fn famulor(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.plan.program);
        command
            .env_clear()
            .env("HOME", &self.folder)
            .env("FAMULOR_API_KEY", "crash")
            .env("FAMULOR_BASE_URL", &self.base_url)
            .env("FAMULOR_RATE_LIMIT", limit_of(self.plan))
            .env("FAMULOR_QUOTA_STORE", self.folder.join("quota.sqlite"))
            .env("FAMULOR_TIMEOUT", millis(TIMEOUT))
            .env("FAMULOR_DOUBT_WAIT", millis(DOUBT_WAIT))
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .args(arguments)
            .args(["--store", &self.store]);
        command
    }

    /// Kills whose time has come, and counts who is gone.
    fn reap(&mut self) -> Result<(), String> {
        let mut still = Vec::new();
        for mut worker in std::mem::take(&mut self.running) {
            if worker.killed_at.is_some_and(|at| Instant::now() >= at) {
                // It may have ended a moment ago: the status tells.
                let _ = worker.child.kill();
                worker.overtaken = true;
            }
            let status = worker.child.try_wait().map_err(|e| e.to_string())?;
            match status {
                None => still.push(worker),
                Some(status) => self.count(&worker, status)?,
            }
        }
        self.running = still;
        Ok(())
    }

    fn count(&mut self, worker: &Worker, status: ExitStatus) -> Result<(), String> {
        if status.signal() == Some(SIGKILL) {
            let point = worker.point.filter(|_| !worker.overtaken);
            let point = point.unwrap_or(AT_RANDOM);
            self.last_kill = Instant::now();
            *self.kills.entry(point).or_default() += 1;
            return Ok(());
        }
        if worker.ends && matches!(status.code(), Some(0 | 10)) {
            return Err(format!(
                "all messages are sent after {} of {} kills ({:?}): give it more of them",
                self.killed(),
                self.plan.kills,
                self.kills
            ));
        }
        Err(format!(
            "a worker ended by itself: {status}: {}",
            worker.said()
        ))
    }

    /// An export that is killed while it writes leaves what was there before.
    fn kill_an_export(&mut self) -> Result<(), String> {
        const BEFORE: &str = "what was there before\n";
        let out = self.folder.join("killed.jsonl");
        std::fs::write(&out, BEFORE).map_err(|e| e.to_string())?;
        let nth = self.rng.u32(1..40);
        let mut export = self.famulor(&["batch", "export", "--job", "crash"]);
        export
            .arg("--out")
            .arg(&out)
            .env("FAMULOR_CRASH_AT", format!("{DURING_EXPORT}:{nth}"));
        let ran = export.output().map_err(|e| e.to_string())?;
        let left = std::fs::read_to_string(&out).map_err(|e| e.to_string())?;
        if ran.status.signal() == Some(SIGKILL) {
            *self.kills.entry(DURING_EXPORT).or_default() += 1;
            self.exports.killed += 1;
            self.exports.torn += u64::from(left != BEFORE);
        } else if !ran.status.success() {
            let said = String::from_utf8_lossy(&ran.stderr);
            return Err(format!("batch export: {}: {said}", ran.status));
        }
        Ok(())
    }
}

impl Worker {
    /// The end of what it wrote.
    fn said(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(8).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Workers<'_> {
    fn drop(&mut self) {
        for worker in &mut self.running {
            let _ = worker.child.kill();
            let _ = worker.child.wait();
        }
    }
}

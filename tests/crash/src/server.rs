//! The emulator, as a process of its own.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::report::QuotaUse;
use crate::{Plan, TIMEOUT, http, millis};

/// Role and text, oldest first.
pub(crate) type History = Vec<(String, String)>;

/// For so long and a window more nobody has the slots of a worker that was killed: a permit may be used for two seconds,
/// then the call may take its timeout, and half a minute is for an answer that is on its way.
const IDLE_AFTER_A_KILL: Duration = Duration::from_millis(2_000 + 1_200 + 30_000);

pub(crate) struct Server {
    child: Child,
    /// With `/api`.
    pub(crate) base_url: String,
    began: Instant,
}

impl Server {
    pub(crate) fn start(plan: &Plan, folder: &Path) -> Result<Self, String> {
        let ready = folder.join("ready");
        let child = Command::new(&plan.program)
            .args([
                "emulator",
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--rate-limit",
                &crate::limit_of(plan),
                "--quiet",
            ])
            .args(["--latency", &millis(plan.latency)])
            .args(["--seed", &plan.seed.to_string()])
            .arg("--ready-file")
            .arg(&ready)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|e| format!("{}: {e}", plan.program.display()))?;
        let mut server = Self {
            child,
            base_url: String::new(),
            began: Instant::now(),
        };
        while !ready.exists() {
            if server.began.elapsed() > Duration::from_secs(20) {
                return Err("the emulator does not start".to_owned());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        server.began = Instant::now();
        server.base_url = std::fs::read_to_string(&ready).map_err(|e| e.to_string())?;
        if plan.faults {
            server.misbehave(plan.seed)?;
        }
        Ok(server)
    }

    /// What goes wrong with a part of the calls, for as long as it runs. No call is worked on for longer than
    /// `crate::DOUBT_WAIT`: that is what a client has to know of a server.
    fn misbehave(&self, seed: u64) -> Result<(), String> {
        let stall = format!("{}ms", TIMEOUT.as_millis() + 400);
        let error = json!({"status": 500, "body": {"message": "Server Error"}});
        let faults = [
            (
                0.03,
                json!({"operation": "generateReply", "after": "close"}),
            ),
            (
                0.03,
                json!({"operation": "generateReply", "after": {"answer": error}}),
            ),
            (
                0.01,
                json!({"operation": "generateReply", "wire": {"stall": stall}}),
            ),
            (
                0.02,
                json!({"operation": "generateReply", "after": {"cut": 20}}),
            ),
            (
                0.02,
                json!({"operation": "generateReply", "before": "close"}),
            ),
            (
                0.02,
                json!({"operation": "generateReply", "before": {"delay": "300ms"}}),
            ),
            (
                0.02,
                json!({"operation": "generateReply", "before": {"answer": error}}),
            ),
            (
                0.02,
                json!({"operation": "getConversation", "before": {"answer": error}}),
            ),
        ];
        for (index, (share, mut fault)) in (0..).zip(faults) {
            fault["share"] = share.into();
            // Each of them hits calls of its own.
            fault["seed"] = seed.wrapping_add(index).into();
            self.control("POST", "/faults", &fault)?;
        }
        Ok(())
    }

    /// Back to good behaviour: what is asked now is for the books.
    pub(crate) fn behave(&self) -> Result<(), String> {
        self.control("DELETE", "/faults", &Value::Null).map(drop)
    }

    pub(crate) fn stats(&self) -> Result<Value, String> {
        self.control("GET", "/stats", &Value::Null)
    }

    /// How much of the limit of replies was used, from the first reply that it let in to the last; and when nothing but the
    /// limit held it up: after the slots of the last worker to be killed were free again, and before the last tenth, in
    /// which there is not always somebody whose turn it is.
    pub(crate) fn quota_use(
        &self,
        (requests, seconds): (u32, u32),
        last_kill: Instant,
    ) -> Result<QuotaUse, String> {
        let journal = self.control("GET", "/requests", &Value::Null)?;
        let counted: Vec<f64> = journal["requests"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|entry| entry["operation"] == "generateReply" && entry["counted"] == true)
            .filter_map(|entry| entry["elapsed_s"].as_f64())
            .collect();
        let window = f64::from(seconds);
        let slots = f64::from(requests);
        let share = |some: &[f64]| match some {
            // The window of the last one belongs to it.
            [first, .., last] => some.len() as f64 / (((last - first) / window + 1.0) * slots),
            _ => 0.0,
        };
        let idle = IDLE_AFTER_A_KILL.as_secs_f64() + window;
        let free = last_kill
            .saturating_duration_since(self.began)
            .as_secs_f64()
            + idle;
        let most = &counted[..counted.len() - counted.len() / 10];
        let undisturbed = &most[most.partition_point(|at| *at < free)..];
        Ok(QuotaUse {
            whole: share(&counted),
            // Of fewer than three windows' replies nothing can be said.
            undisturbed: (undisturbed.len() as f64 >= 3.0 * slots).then(|| share(undisturbed)),
            idle: Duration::from_secs_f64(idle),
        })
    }

    fn control(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let path = format!("/__emulator{path}");
        http::ask(&self.base_url, "books", method, &path, body)
    }

    /// What all customers' conversations have in them.
    pub(crate) fn histories(&self, plan: &Plan) -> Result<Vec<(String, History)>, String> {
        let all: Vec<u64> = (0..plan.customers).collect();
        // Each answer takes the server its time.
        let part = all.len().div_ceil(16).max(1);
        std::thread::scope(|scope| {
            let asking: Vec<_> = all
                .chunks(part)
                .map(|some| {
                    scope.spawn(move || {
                        let one = |number: &u64| {
                            let customer = format!("customer-{number}");
                            let history = self.history(&customer)?;
                            Ok((customer, history))
                        };
                        some.iter().map(one).collect::<Result<Vec<_>, String>>()
                    })
                })
                .collect();
            let mut found = Vec::with_capacity(all.len());
            for asked in asking {
                let some = asked.join().map_err(|_| "a thread panicked".to_owned())?;
                found.extend(some?);
            }
            Ok(found)
        })
    }

    /// What a customer's conversation has in it.
    fn history(&self, customer: &str) -> Result<History, String> {
        // Each customer's with a token of its own: the limits of the workers' token would refuse so many looks.
        let token = format!("books-{customer}");
        let get = |path: &str| http::ask(&self.base_url, &token, "GET", path, &Value::Null);
        let list = get(&format!(
            "/api/user/conversations?external_identifier={customer}"
        ))?;
        let mut found = Vec::new();
        for row in list["data"].as_array().into_iter().flatten() {
            let id = row["id"].as_str().unwrap_or_default();
            let conversation = get(&format!("/api/conversations/{id}"))?;
            for message in conversation["history"].as_array().into_iter().flatten() {
                let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
                found.push((text("role"), text("content")));
            }
        }
        Ok(found)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! The emulator, as a process of its own.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{Plan, TIMEOUT, http};

pub(crate) struct Server {
    child: Child,
    /// With `/api`.
    pub(crate) base_url: String,
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
            .args(["--latency", "40ms", "--seed", &plan.seed.to_string()])
            .arg("--ready-file")
            .arg(&ready)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|e| format!("{}: {e}", plan.program.display()))?;
        let mut server = Self {
            child,
            base_url: String::new(),
        };
        let began = Instant::now();
        while !ready.exists() {
            if began.elapsed() > Duration::from_secs(20) {
                return Err("the emulator does not start".to_owned());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        server.base_url = std::fs::read_to_string(&ready).map_err(|e| e.to_string())?;
        server.misbehave(plan.seed)?;
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

    /// The share of the reply limit that was used, from the first reply that it let in to the last.
    pub(crate) fn quota_used(&self, (requests, seconds): (u32, u32)) -> Result<f64, String> {
        let journal = self.control("GET", "/requests", &Value::Null)?;
        let counted: Vec<f64> = journal["requests"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|entry| entry["operation"] == "generateReply" && entry["counted"] == true)
            .filter_map(|entry| entry["elapsed_s"].as_f64())
            .collect();
        let (Some(first), Some(last)) = (counted.first(), counted.last()) else {
            return Ok(0.0);
        };
        // The window of the last one belongs to it.
        let windows = (last - first) / f64::from(seconds) + 1.0;
        Ok(counted.len() as f64 / (windows * f64::from(requests)))
    }

    fn control(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        http::ask(&self.base_url, method, &format!("/__emulator{path}"), body)
    }

    /// What a customer's conversation has in it: role and text, oldest first.
    pub(crate) fn history(&self, customer: &str) -> Result<Vec<(String, String)>, String> {
        let get = |path: &str| http::ask(&self.base_url, "GET", path, &Value::Null);
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

//! An emulator that `famulor emulator serve` serves, in a process of its own.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::fixture::{Fixture, Ran, Running, read, wait_until};

pub(crate) struct Served {
    running: Running,
    /// The base URL, with `/api`.
    pub(crate) url: String,
}

/// Serves on a free port, once it is ready.
pub(crate) fn serve(world: &Fixture, flags: &[&str]) -> Served {
    let ready = world.path("ready");
    // Left by a server that the same test has stopped.
    let _ = std::fs::remove_file(&ready);
    let listen = ["--listen", "127.0.0.1:0", "--ready-file", "ready"];
    let running = world
        .bare(["emulator", "serve"])
        .args(&listen)
        .args(flags)
        .start();
    wait_until("it is ready", || ready.exists());
    let url = read(&ready);
    assert!(
        url.starts_with("http://127.0.0.1:") && url.ends_with("/api"),
        "{url:?}"
    );
    Served { running, url }
}

impl Served {
    /// Holds every answer that it gave against openapi.yaml, as
    /// `famulor_test_judge::emulator` does in this process; then stops it.
    #[track_caller]
    pub(crate) fn stop(self, signal: &str) -> Ran {
        let entries = self.control("requests")["requests"].clone();
        for row in entries.as_array().expect("a journal") {
            let entry = self.control(&format!("requests/{}", row["sequence"]));
            let (Some(operation), Some(status)) =
                (entry["operation"].as_str(), entry["status"].as_u64())
            else {
                continue;
            };
            if !entry["fault"].is_null() || !matches!(status, 200..=299 | 400..=499) {
                continue;
            }
            let status = u16::try_from(status).expect("a status");
            let body = entry["answered"].to_string();
            let objection = famulor_test_judge::objection(operation, status, body.as_bytes());
            assert_eq!(objection, None, "{entry}");
        }
        self.stop_now(&[signal])
    }

    /// The same without a look at its answers: for one that has not answered yet.
    #[track_caller]
    pub(crate) fn stop_now(mut self, signals: &[&str]) -> Ran {
        for signal in signals {
            self.running.signal(signal);
        }
        self.running.end()
    }

    /// Reads from the control plane.
    #[track_caller]
    pub(crate) fn control(&self, path: &str) -> Value {
        self.ask("GET", path, "")
    }

    /// Moves its time on.
    #[track_caller]
    pub(crate) fn advance(&self, by: &str) {
        self.ask("POST", "clock", &format!("{{\"advance\":\"{by}\"}}"));
    }

    #[track_caller]
    fn ask(&self, method: &str, path: &str, body: &str) -> Value {
        let address = self.url.trim_start_matches("http://");
        let address = address.trim_end_matches("/api");
        let mut stream = TcpStream::connect(address).expect("it listens");
        write!(
            stream,
            "{method} /__emulator/{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .expect("it is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a whole answer");
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
    }
}

//! An emulator that `famulor emulator serve` serves, in a process of its own.

use std::io::{Read, Write};
use std::net::TcpStream;

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
    /// Ends it; what it answered is judged with its world (`Fixture::witness`).
    #[track_caller]
    pub(crate) fn stop(self, signal: &str) -> Ran {
        self.stop_now(&[signal])
    }

    #[track_caller]
    pub(crate) fn stop_now(mut self, signals: &[&str]) -> Ran {
        for signal in signals {
            self.running.signal(signal);
        }
        self.running.end()
    }

    /// Moves its time on.
    #[track_caller]
    pub(crate) fn advance(&self, by: &str) {
        let address = self.url.trim_start_matches("http://");
        let address = address.trim_end_matches("/api");
        let body = format!("{{\"advance\":\"{by}\"}}");
        let mut stream = TcpStream::connect(address).expect("it listens");
        write!(
            stream,
            "POST /__emulator/clock HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .expect("it is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

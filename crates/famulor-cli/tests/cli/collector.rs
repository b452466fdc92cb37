//! An OpenTelemetry collector that keeps what it is sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// A request: its path, its headers in lower case, its body.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) path: String,
    pub(crate) headers: String,
    pub(crate) body: String,
}

/// On loopback, until the test's process ends.
pub(crate) struct Collector {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Post>>>,
}

impl Collector {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let received = Arc::<Mutex<Vec<Post>>>::default();
        let kept = Arc::clone(&received);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || take(stream, &kept));
            }
        });
        Self { address, received }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn received(&self) -> Vec<Post> {
        self.received.lock().expect("no panic").clone()
    }

    /// The spans, from all that came.
    pub(crate) fn spans(&self) -> Vec<Value> {
        self.innermost(["resourceSpans", "scopeSpans", "spans"])
    }

    /// The figures, from all that came.
    pub(crate) fn figures(&self) -> Vec<Value> {
        self.innermost(["resourceMetrics", "scopeMetrics", "metrics"])
    }

    pub(crate) fn resources(&self) -> Vec<Value> {
        let mut resources = Vec::new();
        for post in self.received() {
            let body: Value = serde_json::from_str(&post.body).expect("JSON");
            for kind in ["resourceSpans", "resourceMetrics"] {
                let lists = body[kind].as_array().cloned().unwrap_or_default();
                resources.extend(lists.into_iter().map(|list| list["resource"].clone()));
            }
        }
        resources
    }

    fn innermost(&self, lists: [&str; 3]) -> Vec<Value> {
        let bodies = self.received().into_iter();
        let mut level: Vec<Value> = bodies
            .map(|post| serde_json::from_str(&post.body).expect("JSON"))
            .collect();
        for list in lists {
            level = level
                .iter()
                .flat_map(|item| item[list].as_array().cloned().unwrap_or_default())
                .collect();
        }
        level
    }
}

/// One request of a connection; what else may come on it is another one's.
fn take(stream: TcpStream, received: &Mutex<Vec<Post>>) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if !reader.read_line(&mut head).is_ok_and(|read| read > 0) {
            return;
        }
    }
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let headers = head.to_ascii_lowercase();
    let length = headers
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length = length.and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let body = String::from_utf8(body).expect("OTLP in JSON");
    received.lock().expect("no panic").push(Post {
        path,
        headers,
        body,
    });
    let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    // It may have gone already.
    let _ = reader.get_mut().write_all(answer.as_bytes());
}

/// An attribute's value, as text whatever its type.
pub(crate) fn attribute(item: &Value, key: &str) -> Option<String> {
    let mut attributes = item["attributes"].as_array()?.iter();
    let found = attributes.find(|attribute| attribute["key"] == key)?;
    let value = found["value"].as_object()?.values().next()?;
    let text = value.as_str().map(str::to_owned);
    Some(text.unwrap_or_else(|| value.to_string()))
}

//! One client for all servers: the same bytes over kept connections, again and again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// As many as keep two cores busy.
const CONNECTIONS: usize = 16;

/// A request as it goes over the wire.
#[derive(Clone)]
pub(super) struct Request(String);

impl Request {
    pub(super) fn reply() -> Self {
        Self::at("/api/ai/generate-reply")
    }

    pub(super) fn at(path: &str) -> Self {
        let body = r#"{"assistant_id":123,"customer_identifier":"+49155551234","message":"Hello"}"#;
        Self(format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer bench\r\n\
             Accept: application/json\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    /// Another customer, so that no conversation is everybody's.
    fn of(&self, connection: usize) -> Vec<u8> {
        let digits = format!("{:04}", 1000 + connection);
        self.0
            .replace("+49155551234", &format!("+4915555{digits}"))
            .into_bytes()
    }
}

/// As many requests as there is time for; how many, and the time it took.
pub(super) async fn during(
    address: SocketAddr,
    request: &Request,
    run: Duration,
) -> Result<(u64, Duration), String> {
    let start = Instant::now();
    let done = drive(address, request, move |_| start.elapsed() < run).await?;
    Ok((done, start.elapsed()))
}

/// So many requests.
pub(super) async fn requests(
    address: SocketAddr,
    request: &Request,
    wanted: u64,
) -> Result<(), String> {
    drive(address, request, move |done| done < wanted)
        .await
        .map(|_| ())
}

async fn drive(
    address: SocketAddr,
    request: &Request,
    goes_on: impl Fn(u64) -> bool + Copy + Send + 'static,
) -> Result<u64, String> {
    let done = Arc::new(AtomicU64::new(0));
    let mut connections = Vec::new();
    for connection in 0..CONNECTIONS {
        let (done, bytes) = (Arc::clone(&done), request.of(connection));
        connections.push(tokio::spawn(async move {
            let mut line = Line::open(address).await?;
            while goes_on(done.load(Ordering::Relaxed)) {
                line.ask(&bytes).await?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<(), String>(())
        }));
    }
    for connection in connections {
        connection.await.map_err(|e| e.to_string())??;
    }
    Ok(done.load(Ordering::Relaxed))
}

/// A kept connection.
pub(super) struct Line {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Line {
    pub(super) async fn open(address: SocketAddr) -> Result<Self, String> {
        let stream = TcpStream::connect(address)
            .await
            .map_err(|e| e.to_string())?;
        stream.set_nodelay(true).map_err(|e| e.to_string())?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(4096),
        })
    }

    /// The body of the last answer.
    fn body(&self) -> String {
        let answer = String::from_utf8_lossy(&self.buffer);
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body);
        body.unwrap_or_default().to_owned()
    }

    /// One request and its whole answer, which has to be a 200.
    pub(super) async fn ask(&mut self, request: &[u8]) -> Result<(), String> {
        self.stream
            .write_all(request)
            .await
            .map_err(|e| e.to_string())?;
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await;
            if read.map_err(|e| e.to_string())? == 0 {
                return Err("the server hung up".to_owned());
            }
            if is_whole(&self.buffer) {
                break;
            }
        }
        if self.buffer.starts_with(b"HTTP/1.1 200") {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&self.buffer);
        Err(format!(
            "no 200: {}",
            text.lines().next().unwrap_or_default()
        ))
    }
}

/// The head has come, and as much of a body as it says.
fn is_whole(answer: &[u8]) -> bool {
    const LENGTH: &[u8] = b"content-length:";
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return false;
    };
    let length = answer[..end].split(|byte| *byte == b'\n').find_map(|line| {
        let (name, value) = line.split_at_checked(LENGTH.len())?;
        name.eq_ignore_ascii_case(LENGTH).then_some(value)
    });
    match length {
        Some(length) => std::str::from_utf8(length)
            .ok()
            .and_then(|length| length.trim().parse::<usize>().ok())
            .is_some_and(|length| answer.len() >= end + 4 + length),
        None => answer.ends_with(b"0\r\n\r\n"),
    }
}

/// Whether the first answer is there; for a server that is starting.
pub(super) async fn answers(address: SocketAddr, path: &str) -> bool {
    let Ok(mut line) = Line::open(address).await else {
        return false;
    };
    line.ask(&Request::at(path).of(0)).await.is_ok()
}

/// What the emulator answers once it knows the customer: the body that every server here is to send.
pub(super) async fn body(address: SocketAddr) -> Result<String, String> {
    let mut line = Line::open(address).await?;
    let request = Request::reply().of(0);
    line.ask(&request).await?;
    line.ask(&request).await?;
    Ok(line.body())
}

//! One client for all servers: the same bytes over kept connections, again and again.
//!
//! It is one thread that waits for all connections at once, and looks at an answer no more than it has to: what the
//! client takes of the machine is missing for the server, and brings all servers closer together than they are. Every
//! connection has one request under way, as a real client's has: nothing is sent before the last answer is there.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

/// With fewer, the servers run out of work while the client has its turn: axum gains 5% from 16 to 64 and nothing after.
const CONNECTIONS: usize = 64;

/// The customers that they speak for.
const CUSTOMERS: usize = 16;

/// A server that says nothing for so long is given up.
const PATIENCE: Duration = Duration::from_secs(30);

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
        let digits = format!("{:04}", 1000 + connection % CUSTOMERS);
        self.0
            .replace("+49155551234", &format!("+4915555{digits}"))
            .into_bytes()
    }
}

/// How long to go on.
#[derive(Clone, Copy)]
enum Until {
    Answers(u64),
    Time(Instant),
}

/// As many requests as there is time for; how many, and the time it took.
pub(super) fn during(
    address: SocketAddr,
    request: &Request,
    run: Duration,
) -> Result<(u64, Duration), String> {
    let start = Instant::now();
    let done = drive(address, request, Until::Time(start + run))?;
    Ok((done, start.elapsed()))
}

/// So many requests.
pub(super) fn requests(address: SocketAddr, request: &Request, wanted: u64) -> Result<(), String> {
    drive(address, request, Until::Answers(wanted)).map(|_| ())
}

fn drive(address: SocketAddr, request: &Request, until: Until) -> Result<u64, String> {
    let mut poll = Poll::new().map_err(text)?;
    let mut events = Events::with_capacity(CONNECTIONS);
    let mut lines = Vec::new();
    let mut sent = 0;
    for connection in 0..CONNECTIONS {
        let mut line = Line::open(address, request.of(connection))?;
        let (registry, token) = (poll.registry(), Token(connection));
        registry
            .register(&mut line.stream, token, Interest::READABLE)
            .map_err(text)?;
        if !matches!(until, Until::Answers(wanted) if sent >= wanted) {
            line.send()?;
            sent += 1;
        }
        lines.push(line);
    }
    let mut done = 0;
    while done < sent {
        poll.poll(&mut events, Some(PATIENCE)).map_err(text)?;
        if events.is_empty() {
            return Err(format!("no answer for {PATIENCE:?}"));
        }
        // The clock is looked at once for all that have come.
        let is_late = matches!(until, Until::Time(end) if Instant::now() >= end);
        for event in &events {
            let line = &mut lines[event.token().0];
            if !line.receive()? {
                continue;
            }
            done += 1;
            if !is_late && !matches!(until, Until::Answers(wanted) if sent >= wanted) {
                line.send()?;
                sent += 1;
            }
        }
    }
    Ok(done)
}

/// A kept connection.
struct Line {
    stream: mio::net::TcpStream,
    request: Vec<u8>,
    answer: Answer,
}

impl Line {
    fn open(address: SocketAddr, request: Vec<u8>) -> Result<Self, String> {
        let stream = std::net::TcpStream::connect(address).map_err(text)?;
        stream.set_nodelay(true).map_err(text)?;
        stream.set_nonblocking(true).map_err(text)?;
        Ok(Self {
            stream: mio::net::TcpStream::from_std(stream),
            request,
            answer: Answer::default(),
        })
    }

    /// There is always room for a request where the last one was answered.
    fn send(&mut self) -> Result<(), String> {
        self.answer.read = 0;
        self.stream.write_all(&self.request).map_err(text)
    }

    /// Takes what has come; whether the answer is there, which has to be a 200.
    fn receive(&mut self) -> Result<bool, String> {
        loop {
            match self.answer.take(&mut self.stream) {
                Ok(true) => return self.answer.check().map(|()| true),
                Ok(false) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(text(error)),
            }
        }
    }
}

/// An answer as it comes.
struct Answer {
    bytes: Vec<u8>,
    read: usize,
    /// The length of the last one: the next is nearly always as long, and need not be taken apart.
    usual: usize,
}

impl Default for Answer {
    fn default() -> Self {
        Self {
            bytes: vec![0; 4096],
            read: 0,
            usual: 0,
        }
    }
}

impl Answer {
    /// Reads once; whether all of it is there.
    fn take(&mut self, stream: &mut impl Read) -> std::io::Result<bool> {
        if self.read == self.bytes.len() {
            self.bytes.resize(2 * self.read, 0);
        }
        let read = stream.read(&mut self.bytes[self.read..])?;
        if read == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.read += read;
        if self.read == self.usual || is_whole(&self.bytes[..self.read]) {
            self.usual = self.read;
            return Ok(true);
        }
        Ok(false)
    }

    fn check(&self) -> Result<(), String> {
        let answer = &self.bytes[..self.read];
        if answer.starts_with(b"HTTP/1.1 200") {
            return Ok(());
        }
        let answer = String::from_utf8_lossy(answer);
        Err(format!(
            "no 200: {}",
            answer.lines().next().unwrap_or_default()
        ))
    }

    fn body(&self) -> String {
        let answer = String::from_utf8_lossy(&self.bytes[..self.read]);
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body);
        body.unwrap_or_default().to_owned()
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

/// One request over a connection of its own: the answer's body.
fn ask(address: SocketAddr, request: &[u8]) -> Result<String, String> {
    let mut stream = std::net::TcpStream::connect(address).map_err(text)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(text)?;
    stream.write_all(request).map_err(text)?;
    let mut answer = Answer::default();
    while !answer.take(&mut stream).map_err(text)? {}
    answer.check()?;
    Ok(answer.body())
}

/// Whether the first answer is there; for a server that is starting.
pub(super) fn answers(address: SocketAddr, path: &str) -> bool {
    ask(address, &Request::at(path).of(0)).is_ok()
}

/// What the emulator answers once it knows the customer: the body that every server here is to send.
pub(super) fn body(address: SocketAddr) -> Result<String, String> {
    let request = Request::reply().of(0);
    ask(address, &request)?;
    ask(address, &request)
}

fn text(error: std::io::Error) -> String {
    error.to_string()
}

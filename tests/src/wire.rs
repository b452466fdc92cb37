//! A TCP server that does to each request exactly what a test says, byte by byte: no HTTP library stands between.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// One thing the server does after it has read a whole request.
#[derive(Clone, Debug)]
enum Act {
    Send(Vec<u8>),
    Wait(Duration),
    Close,
    Reset,
    Stall,
}

/// What the server does about a request. After it, the connection stays open for the next one, unless it says otherwise.
#[derive(Clone, Debug, Default)]
pub struct Then(Vec<Act>);

impl Then {
    /// A whole answer with a JSON body.
    #[must_use]
    pub fn json(status: u16, body: &str) -> Self {
        Self::answer(status, &[("Content-Type", "application/json")], body)
    }

    /// A whole answer with an HTML body.
    #[must_use]
    pub fn html(status: u16, body: &str) -> Self {
        Self::answer(
            status,
            &[("Content-Type", "text/html; charset=UTF-8")],
            body,
        )
    }

    /// A whole answer: these headers, and the body's true length.
    #[must_use]
    pub fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        Self::promised(status, headers, body, body.len())
    }

    /// An answer that says its body has `length` bytes, whatever it has.
    #[must_use]
    pub fn promised(status: u16, headers: &[(&str, &str)], body: &str, length: usize) -> Self {
        let mut text = format!("HTTP/1.1 {status} Answer\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("Content-Length: {length}\r\n\r\n{body}"));
        Self::send(text)
    }

    /// These bytes.
    #[must_use]
    pub fn send(bytes: impl Into<Vec<u8>>) -> Self {
        Self(vec![Act::Send(bytes.into())])
    }

    /// An orderly end (FIN).
    #[must_use]
    pub fn close() -> Self {
        Self(vec![Act::Close])
    }

    /// A reset (RST).
    #[must_use]
    pub fn reset() -> Self {
        Self(vec![Act::Reset])
    }

    /// Nothing, for ever.
    #[must_use]
    pub fn stall() -> Self {
        Self(vec![Act::Stall])
    }

    /// A pause, in real time.
    #[must_use]
    pub fn wait(time: Duration) -> Self {
        Self(vec![Act::Wait(time)])
    }

    /// This, and then that.
    #[must_use]
    pub fn and(mut self, then: Self) -> Self {
        self.0.extend(then.0);
        self
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// `POST /api/ai/generate-reply HTTP/1.1`
    pub line: String,
    /// The lines below it.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Which connection it came on, from 0.
    pub connection: usize,
}

impl Seen {
    /// Method and path, without the query.
    #[must_use]
    pub fn route(&self) -> &str {
        let end = self.line.rfind(" HTTP/").unwrap_or(self.line.len());
        let route = &self.line[..end];
        route.split('?').next().unwrap_or(route)
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `null` if it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What the server does, by route. Each route goes through its list and stays at the last; other routes get a 404.
#[derive(Clone, Debug, Default)]
pub struct Script(HashMap<String, Vec<Then>>);

impl Script {
    /// A server with a 404 for everything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What becomes of requests of a route such as `POST /api/ai/generate-reply`, one after the other. `*` stands for
    /// every route without an entry of its own.
    #[must_use]
    pub fn on(mut self, route: &str, then: impl IntoIterator<Item = Then>) -> Self {
        self.0.insert(route.to_owned(), then.into_iter().collect());
        self
    }

    fn then(&self, route: &str, earlier: usize) -> Then {
        let list = self.0.get(route).or_else(|| self.0.get("*"));
        list.and_then(|list| list.get(earlier).or(list.last()))
            .cloned()
            .unwrap_or_else(|| Then::json(404, r#"{"message":"no such route"}"#))
    }
}

/// The running server. Dropping it closes everything.
#[derive(Debug)]
pub struct Wire {
    address: SocketAddr,
    record: Arc<Record>,
    _tasks: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Record {
    script: Script,
    requests: Mutex<Vec<Seen>>,
    connections: AtomicUsize,
}

impl Wire {
    /// Starts on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self::on(listener, script, |stream| async { Some(stream) })
    }

    /// The same behind something that makes another stream of each connection, such as TLS.
    ///
    /// # Panics
    /// If the listener has no address.
    pub fn on<S, F>(
        listener: TcpListener,
        script: Script,
        wrap: impl Fn(TcpStream) -> F + Send + Sync + 'static,
    ) -> Self
    where
        S: Stream,
        F: Future<Output = Option<S>> + Send + 'static,
    {
        let address = listener.local_addr().expect("an address");
        let record = Arc::new(Record {
            script,
            ..Record::default()
        });
        let shared = Arc::clone(&record);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let number = shared.connections.fetch_add(1, Ordering::SeqCst);
                let (record, wrapped) = (Arc::clone(&shared), wrap(stream));
                connections.spawn(async move {
                    if let Some(stream) = wrapped.await {
                        serve(stream, number, &record).await;
                    }
                });
            }
        });
        Self {
            address,
            record,
            _tasks: tasks,
        }
    }

    /// The base URL for clients, ending in `/api` as the real one.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/api", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every request, in the order they came.
    #[must_use]
    pub fn requests(&self) -> Vec<Seen> {
        lock(&self.record.requests).clone()
    }

    /// How many requests of a route came.
    #[must_use]
    pub fn count(&self, route: &str) -> usize {
        let requests = lock(&self.record.requests);
        requests.iter().filter(|seen| seen.route() == route).count()
    }

    /// How many connections were made.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.record.connections.load(Ordering::SeqCst)
    }
}

/// A byte stream that can be reset.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    /// The TCP connection below.
    fn tcp(&self) -> &TcpStream;
}

impl Stream for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

async fn serve(mut stream: impl Stream, connection: usize, record: &Record) {
    let mut buffer = Vec::new();
    while let Some(mut seen) = read_request(&mut stream, &mut buffer).await {
        seen.connection = connection;
        let then = {
            let mut requests = lock(&record.requests);
            let earlier = requests
                .iter()
                .filter(|other| other.route() == seen.route());
            let then = record.script.then(seen.route(), earlier.count());
            requests.push(seen);
            then
        };
        for act in then.0 {
            match act {
                Act::Send(bytes) => {
                    if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
                        return;
                    }
                }
                Act::Wait(time) => tokio::time::sleep(time).await,
                Act::Close => return drop(stream.shutdown().await),
                Act::Reset => {
                    // Closing with no time to linger sends RST instead of FIN.
                    let _ = stream.tcp().set_zero_linger();
                    return;
                }
                Act::Stall => std::future::pending().await,
            }
        }
    }
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Option<Seen> {
    loop {
        if let Some(seen) = take_request(buffer) {
            return Some(seen);
        }
        match stream.read_buf(buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

fn take_request(buffer: &mut Vec<u8>) -> Option<Seen> {
    let end = buffer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let line = lines.next()?.to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect();
    let length = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0);
    if buffer.len() < end + 4 + length {
        return None;
    }
    let body = buffer[end + 4..end + 4 + length].to_vec();
    buffer.drain(..end + 4 + length);
    Some(Seen {
        line,
        headers,
        body,
        connection: 0,
    })
}

/// A base URL where nobody listens.
///
/// # Panics
/// If there is no free port.
pub async fn nobody() -> String {
    // Bound and not listening: the port stays ours, and connecting to it is refused.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .expect("a free port");
    let address = socket.local_addr().expect("an address");
    NOBODY
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(socket);
    format!("http://{address}/api")
}

static NOBODY: Mutex<Vec<TcpSocket>> = Mutex::new(Vec::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

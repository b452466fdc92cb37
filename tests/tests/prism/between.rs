//! What stands between the client and Prism: asks for one of the documented answers, which the client has no reason to,
//! and keeps what Prism has against a request.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Which answer an operation is to give.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) method: String,
    /// As the spec has it: `/conversations/{uuid}`.
    pub(crate) path: String,
    /// The value of `Prefer`: `code=404, example=assistant-not-found`.
    pub(crate) prefer: String,
}

#[derive(Default)]
struct Record {
    wanted: Wanted,
    answered: usize,
    violations: Vec<String>,
}

/// The running proxy. Dropping it closes its port.
pub(crate) struct Between {
    address: SocketAddr,
    record: Arc<Mutex<Record>>,
    task: JoinHandle<()>,
}

impl Between {
    /// In front of Prism at this address.
    pub(crate) async fn start(prism: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let record = Arc::<Mutex<Record>>::default();
        let (prism, shared) = (prism.to_owned(), Arc::clone(&record));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (prism, shared) = (prism.clone(), Arc::clone(&shared));
                tokio::spawn(async move { pass(stream, &prism, &shared).await });
            }
        });
        Self {
            address,
            record,
            task,
        }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/api", self.address)
    }

    /// Asks for this answer from now on, and counts from 0.
    pub(crate) fn want(&self, wanted: Wanted) {
        *lock(&self.record) = Record {
            wanted,
            ..Record::default()
        };
    }

    /// How often the operation that was asked for has answered. Other calls, such as a look before a message is sent,
    /// do not count.
    pub(crate) fn answered(&self) -> usize {
        lock(&self.record).answered
    }

    /// What Prism had against requests since the last look.
    pub(crate) fn violations(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.record).violations)
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One request and its answer, after which both connections are closed.
async fn pass(mut client: TcpStream, prism: &str, record: &Mutex<Record>) {
    let Some((head, body)) = read_request(&mut client).await else {
        return;
    };
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap_or_default();
    // Prism serves the spec's paths, without the server's own.
    let line = line.replacen(" /api/", " /", 1);
    let wanted = lock(record).wanted.clone();
    let is_wanted = is_of(&line, &wanted);
    let mut request = format!("{line}\r\nConnection: close\r\n");
    if is_wanted {
        request.push_str(&format!("Prefer: {}\r\n", wanted.prefer));
    }
    for header in lines.filter(|header| !is_header(header, "connection")) {
        request.push_str(&format!("{header}\r\n"));
    }
    request.push_str("\r\n");

    let mut answer = Vec::new();
    let mut stream = TcpStream::connect(prism).await.expect("Prism listens");
    stream.write_all(request.as_bytes()).await.expect("sent");
    stream.write_all(&body).await.expect("sent");
    stream.read_to_end(&mut answer).await.expect("an answer");

    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, _) = text.split_once("\r\n\r\n").expect("a whole head");
    let said = head
        .split("\r\n")
        .find(|line| is_header(line, "sl-violations"));
    {
        let mut record = lock(record);
        record.answered += usize::from(is_wanted || wanted.path.is_empty());
        record
            .violations
            .extend(said.map(|said| format!("{line}: {said}")));
    }
    // The client may have given up.
    let _ = client.write_all(&answer).await;
}

async fn read_request(client: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if client.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let length = head
        .split("\r\n")
        .find(|line| is_header(line, "content-length"))
        .and_then(|line| line.split_once(':')?.1.trim().parse::<usize>().ok())
        .unwrap_or_default();
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        if client.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some((head, body))
}

fn is_header(line: &str, name: &str) -> bool {
    line.split_once(':')
        .is_some_and(|(found, _)| found.eq_ignore_ascii_case(name))
}

/// Whether a request line is of the operation.
fn is_of(line: &str, wanted: &Wanted) -> bool {
    let mut words = line.split(' ');
    let (method, target) = (words.next(), words.next().unwrap_or_default());
    let path = target.split('?').next().unwrap_or_default();
    let (found, known) = (path.split('/'), wanted.path.split('/'));
    method == Some(wanted.method.as_str())
        && found.clone().count() == known.clone().count()
        && found
            .zip(known)
            .all(|(found, known)| known.starts_with('{') || found == known)
}

fn lock(record: &Mutex<Record>) -> MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

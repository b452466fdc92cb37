//! A server of one behaviour.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with each request, once it has read all of it.
#[derive(Clone)]
pub(crate) enum Then {
    /// Sends these bytes and closes.
    Send(Vec<u8>),
    /// Closes without a byte.
    Close,
    /// Keeps the connection open and says nothing.
    Wait,
}

pub(crate) struct Server {
    /// The base URL for clients, ending in `/api` as the real one.
    pub(crate) base_url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) async fn start(then: Then) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base_url = format!("http://{}/api", listener.local_addr()?);
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (then, seen) = (then.clone(), seen.clone());
                tokio::spawn(async move {
                    let request = read_request(&mut stream).await.unwrap_or_default();
                    if let Ok(mut seen) = seen.lock() {
                        seen.push(request);
                    }
                    match then {
                        Then::Send(bytes) => drop(stream.write_all(&bytes).await),
                        Then::Close => {}
                        Then::Wait => std::future::pending().await,
                    }
                });
            }
        });
        Ok(Self { base_url, requests })
    }

    /// Answers with a status line, headers that every answer has, and a body of its true length.
    pub(crate) async fn answering(status: &str, kind: &str, body: &str) -> std::io::Result<Self> {
        Self::start(Then::Send(
            answer(status, kind, body, body.len()).into_bytes(),
        ))
        .await
    }

    /// Every request as it came, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests
            .lock()
            .map(|seen| seen.clone())
            .unwrap_or_default()
    }

    /// The only request.
    #[track_caller]
    pub(crate) fn request(&self) -> String {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests.concat()
    }
}

/// An answer that says its body has `length` bytes, whatever it has.
pub(crate) fn answer(status: &str, kind: &str, body: &str, length: usize) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\nx-request-id: r-7\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    )
}

/// A base URL where nobody listens.
pub(crate) async fn nobody() -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    Ok(format!("http://{}/api", listener.local_addr()?))
}

async fn read_request(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .to_ascii_lowercase()
                .lines()
                .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
                .unwrap_or(0);
            if body.len() >= length {
                break;
            }
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

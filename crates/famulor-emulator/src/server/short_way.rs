//! The short way of a request that came in one piece and asks for nothing odd.
//!
//! Half of what a reply costs is HTTP in all its generality. Nearly every
//! request needs none of it: one read brings a head of a few known headers and
//! the whole body, one write takes the answer away. Those are served here, by
//! httparse alone. The first that is anything else (a body under way or in
//! chunks, an `Expect`, two requests at once, a path with a query, a mistake),
//! and the first answer that a fault has a hand in, is left to hyper together
//! with the connection: what is served here is only what hyper would serve the
//! same way.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING};
use http::{Method, StatusCode};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use super::Lifeline;
use crate::answer::{Body, Response};
use crate::api::{self, Head};
use crate::caller::Guest;
use crate::faults::{Hangup, Raw};
use crate::world::World;

/// Longer requests than any documented one are not served here.
const LONGEST: usize = 8 * 1024;

/// What is left to hyper.
pub(super) struct Left {
    /// What was read of a request.
    pub(super) read: Bytes,
    /// The request's answer, if it has one already.
    pub(super) answer: Option<Response>,
}

/// A connection's requests, for as long as they can go this way.
pub(super) struct ShortWay<'a> {
    world: &'a World,
    guest: &'a Guest,
    life: &'a Lifeline,
    end: &'a CancellationToken,
}

impl<'a> ShortWay<'a> {
    pub(super) fn new(
        world: &'a World,
        guest: &'a Guest,
        life: &'a Lifeline,
        end: &'a CancellationToken,
    ) -> Self {
        Self {
            world,
            guest,
            life,
            end,
        }
    }

    /// Serves requests; `None`: the connection is over.
    pub(super) async fn serve(self, stream: &mut TcpStream) -> Option<Left> {
        let mut ended = pin!(self.end.cancelled());
        let mut is_waiting = false;
        let mut room = vec![0; LONGEST];
        let mut written = Vec::new();
        let mut date = Date::default();
        while !self.end.is_cancelled() {
            let read = poll_fn(|context| {
                if let Poll::Ready(read) = read(stream, &mut room, context) {
                    return Poll::Ready(read.ok());
                }
                self.poll_end(ended.as_mut(), &mut is_waiting, context)
                    .map(|()| None)
            });
            // Nothing: the other side has said all it had to say.
            let read = read.await.filter(|read| *read > 0)?;
            let read = &room[..read];
            let left = |answer| Left {
                read: Bytes::copy_from_slice(read),
                answer,
            };
            let Some((head, body)) = plain_request(read) else {
                return Some(left(None));
            };
            let answer = api::serve_whole(self.world, self.guest, &head, body);
            let answer = self.at_most_killed(answer).await?;
            let Some(body) = plain_answer(&answer) else {
                return Some(left(Some(answer)));
            };
            let is_last = self.end.is_cancelled();
            write(&mut written, &answer, body, date.now(), is_last);
            let sent = self.at_most_killed(stream.write_all(&written)).await?;
            sent.ok()?;
            written.clear();
            // An answer much longer than most is not to fill the memory until
            // the connection ends.
            written.shrink_to(LONGEST);
        }
        None
    }

    /// Asked once, and again when it is so: a task's waker stays the same, and
    /// asking costs a lock for every request.
    fn poll_end(
        &self,
        ended: Pin<&mut WaitForCancellationFuture<'_>>,
        is_waiting: &mut bool,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        if *is_waiting && !self.end.is_cancelled() {
            return Poll::Pending;
        }
        *is_waiting = true;
        ended.poll(context)
    }

    /// Does all of it, whoever is still there; `None`: everything ends at once.
    async fn at_most_killed<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        // Nearly always there is nothing to wait for.
        match poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await {
            Poll::Ready(done) => Some(done),
            Poll::Pending => self.life.kill.run_until_cancelled(work).await,
        }
    }
}

fn read(
    stream: &mut TcpStream,
    room: &mut [u8],
    context: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    let mut room = ReadBuf::new(room);
    Pin::new(stream)
        .poll_read(context, &mut room)
        .map_ok(|()| room.filled().len())
}

/// Head and body of one whole request that needs nothing else.
fn plain_request(read: &[u8]) -> Option<(Head<'_>, &[u8])> {
    /// More than any client sends without a reason.
    const HEADERS: usize = 24;
    let mut headers = [const { MaybeUninit::uninit() }; HEADERS];
    let mut request = httparse::Request::new(&mut []);
    let parsed = request.parse_with_uninit_headers(read, &mut headers);
    let httparse::Status::Complete(end) = parsed.ok()? else {
        return None;
    };
    let body = &read[end..];
    let mut head = Head {
        method: match request.method? {
            "POST" => Method::POST,
            "GET" => Method::GET,
            _ => return None,
        },
        path: request.path.filter(|path| is_plain_path(path))?,
        ..Head::default()
    };
    if request.version != Some(1) {
        return None;
    }
    let mut length = None;
    let mut kind = None;
    for header in request.headers {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        // By the length first: most headers are none of these.
        match header.name.len() {
            4 if is("host") => {
                let host = text(header.value)?;
                head.host.get_or_insert(host);
            }
            6 if is("accept") => head.wants_json |= api::names_json(text(header.value)?),
            6 if is("expect") => return None,
            7 if is("upgrade") => return None,
            10 if is("connection") && !header.value.eq_ignore_ascii_case(b"keep-alive") => {
                return None;
            }
            12 if is("content-type") => {
                let value = text(header.value)?;
                kind.get_or_insert(value);
            }
            13 if is("authorization") => {
                let value = text(header.value)?;
                head.authorization.get_or_insert(value);
            }
            // Twice, even if the same: a question for hyper.
            14 if is("content-length") && length.is_some() => return None,
            14 if is("content-length") => length = Some(decimal(header.value)?),
            17 if is("transfer-encoding") => return None,
            _ => {}
        }
    }
    head.is_json = kind.is_some_and(api::names_json);
    (length.unwrap_or_default() == body.len()).then_some((head, body))
}

/// A path of the API in letters that mean themselves.
fn is_plain_path(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_');
    path.starts_with("/api/") && path.bytes().all(is_plain)
}

/// A header's value, if it is what [`http::HeaderValue::to_str`] takes for text.
fn text(value: &[u8]) -> Option<&str> {
    let is_visible = |byte: &u8| (b' '..=b'~').contains(byte) | (*byte == b'\t');
    // No short cut out of the loop: so it is done many bytes at a time.
    let is_text = value.iter().fold(true, |all, byte| all & is_visible(byte));
    std::str::from_utf8(value).ok().filter(|_| is_text)
}

fn decimal(value: &[u8]) -> Option<usize> {
    // No sign, which `parse` would take.
    let text = value.iter().all(u8::is_ascii_digit).then_some(value)?;
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The body of an answer that is sent as it is.
fn plain_answer(answer: &Response) -> Option<&Bytes> {
    let Body::Whole(body) = answer.body() else {
        return None;
    };
    let marks = answer.extensions();
    let is_spoiled = marks.get::<Hangup>().is_some() || marks.get::<Raw>().is_some();
    let odd = [CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION, DATE];
    let is_odd = answer.headers().keys().any(|name| odd.contains(name));
    let has_body = !matches!(
        answer.status(),
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
    ) && !answer.status().is_informational();
    (!is_spoiled && !is_odd && has_body).then_some(body)
}

/// The answer as hyper would write it.
fn write(out: &mut Vec<u8>, answer: &Response, body: &[u8], date: &str, is_last: bool) {
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(answer.status().as_str().as_bytes());
    out.push(b' ');
    let reason = answer.status().canonical_reason();
    out.extend_from_slice(reason.unwrap_or("<none>").as_bytes());
    out.extend_from_slice(b"\r\n");
    for (name, value) in answer.headers() {
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    if is_last {
        out.extend_from_slice(b"connection: close\r\n");
    }
    out.extend_from_slice(b"content-length: ");
    digits(out, body.len());
    out.extend_from_slice(b"\r\ndate: ");
    out.extend_from_slice(date.as_bytes());
    out.extend_from_slice(b"\r\n\r\n");
    out.extend_from_slice(body);
}

fn digits(out: &mut Vec<u8>, number: usize) {
    if number >= 10 {
        digits(out, number / 10);
    }
    // A digit is less than ten.
    out.push(b'0' + (number % 10) as u8);
}

/// The time as HTTP has it, put into words once a second.
#[derive(Default)]
struct Date {
    second: u64,
    words: String,
}

impl Date {
    fn now(&mut self) -> &str {
        let now = SystemTime::now();
        let second = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        if self.second != second || self.words.is_empty() {
            self.second = second;
            self.words = httpdate::fmt_http_date(now);
        }
        &self.words
    }
}

#[cfg(test)]
mod tests {
    use super::{Date, digits, plain_request};

    const PLAIN: &str = "POST /api/ai/generate-reply HTTP/1.1\r\nhost: here\r\nACCEPT: text/html\r\n\
                         accept: application/json\r\nConnection: Keep-Alive\r\n\
                         Authorization: Bearer a\r\nauthorization: Bearer b\r\n\
                         Content-Type: application/json; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}";

    #[test]
    fn a_plain_request_is_read_as_hyper_would() {
        let (head, body) = plain_request(PLAIN.as_bytes()).expect("it is plain");
        assert_eq!(head.path, "/api/ai/generate-reply");
        assert_eq!(head.method, "POST");
        assert_eq!(head.host, Some("here"));
        // Of two the first, as in a `HeaderMap`.
        assert_eq!(head.authorization, Some("Bearer a"));
        assert!(head.is_json && head.wants_json && head.uri.is_none());
        assert_eq!(body, b"{}");
        let no_body = "GET /api/user/me HTTP/1.1\r\nhost: here\r\n\r\n";
        assert!(plain_request(no_body.as_bytes()).is_some());
    }

    #[test]
    fn everything_odd_is_left_to_hyper() {
        for (from, to) in [
            ("POST", "HEAD"),
            ("POST", "DELETE"),
            ("HTTP/1.1", "HTTP/1.0"),
            ("HTTP/1.1", "HTTP/2"),
            ("/api/ai", "/__emulator"),
            ("/api/ai", "/ai"),
            ("generate-reply", "generate-reply?a=b"),
            ("generate-reply", "generate%2Dreply"),
            ("/api/", "http://here/api/"),
            ("Keep-Alive", "close"),
            ("Keep-Alive", "Upgrade"),
            ("host:", "expect: 100-continue\r\nhost:"),
            ("host:", "upgrade: h2c\r\nhost:"),
            ("host:", "transfer-encoding: chunked\r\nhost:"),
            ("host:", "content-length: 2\r\nhost:"),
            ("host: here", "host: \u{e4}"),
            ("Bearer a", "Bearer \u{e4}"),
            ("host:", "no header\r\nhost:"),
            ("host:", "host :"),
            ("Length: 2", "Length: +2"),
            ("Length: 2", "Length: 3"),
            ("Length: 2", "Length: 1"),
            ("Length: 2", "Length: "),
            ("Length: 2", "Length: 99999999999999999999"),
            ("\r\n\r\n{}", "\r\n"),
        ] {
            let odd = PLAIN.replacen(from, to, 1);
            assert_ne!(odd, PLAIN, "{from}");
            assert!(plain_request(odd.as_bytes()).is_none(), "{to}");
        }
        let many = format!("host: here\r\n{}", "x: y\r\n".repeat(30));
        let many = PLAIN.replacen("host: here\r\n", &many, 1);
        assert!(plain_request(many.as_bytes()).is_none());
        for short in 1..PLAIN.len() {
            assert!(plain_request(&PLAIN.as_bytes()[..short]).is_none());
        }
    }

    #[test]
    fn numbers_and_dates_are_written_out() {
        for number in [0, 9, 10, 226, 1_000_000, usize::MAX] {
            let mut out = Vec::new();
            digits(&mut out, number);
            assert_eq!(out, number.to_string().as_bytes());
        }
        let mut date = Date::default();
        assert!(date.now().ends_with(" GMT"), "{}", date.now());
    }
}

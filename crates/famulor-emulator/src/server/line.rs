//! A connection that can be made to end in a reset, or to say what no HTTP server would.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::lock;

/// What a fault does to a connection.
#[derive(Default)]
pub(crate) struct Spoiler {
    reset: AtomicBool,
    replaced: AtomicBool,
    raw: Mutex<Bytes>,
}

impl Spoiler {
    /// The connection ends in a reset (RST) instead of an orderly end (FIN).
    pub(crate) fn reset(&self) {
        self.reset.store(true, Ordering::Relaxed);
    }

    /// From here on `raw` is written, and nothing that the server writes.
    pub(crate) fn write_instead(&self, raw: Bytes) {
        *lock(&self.raw) = raw;
        self.replaced.store(true, Ordering::Release);
    }
}

/// The socket, and what is to be done to it.
pub(crate) struct Line {
    stream: TcpStream,
    /// What was read of it before, and is to be read first.
    read: Bytes,
    spoiler: Arc<Spoiler>,
}

impl Line {
    pub(crate) fn new(stream: TcpStream, read: Bytes) -> (Self, Arc<Spoiler>) {
        let spoiler = Arc::new(Spoiler::default());
        let line = Self {
            stream,
            read,
            spoiler: Arc::clone(&spoiler),
        };
        (line, spoiler)
    }

    /// Writes what stands in the answer's place; `None`: nothing does.
    fn write_replacement(&mut self, context: &mut Context<'_>) -> Option<Poll<io::Result<()>>> {
        if !self.spoiler.replaced.load(Ordering::Acquire) {
            return None;
        }
        let spoiler = Arc::clone(&self.spoiler);
        let mut raw = lock(&spoiler.raw);
        while raw.has_remaining() {
            match Pin::new(&mut self.stream).poll_write(context, &raw) {
                Poll::Ready(Ok(written)) => raw.advance(written),
                Poll::Ready(Err(error)) => return Some(Poll::Ready(Err(error))),
                Poll::Pending => return Some(Poll::Pending),
            }
        }
        Some(Poll::Ready(Ok(())))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.spoiler.reset.load(Ordering::Relaxed) {
            // Closing with no time to linger sends RST instead of FIN.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.read.is_empty() {
            let next = self.read.len().min(buffer.remaining());
            buffer.put_slice(&self.read.split_to(next));
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Some(written) = self.write_replacement(context) {
            ready!(written)?;
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Some(written) = self.write_replacement(context) {
            ready!(written)?;
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

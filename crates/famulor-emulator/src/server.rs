//! Sockets: taking connections, and closing them in the ways a fault asks for.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service;

use crate::faults::Hangup;

/// In a request's extensions: where it comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// A running server: what stops it, and what it still does.
#[derive(Clone, Default)]
pub(crate) struct Lifeline {
    /// No more connections, no more requests; those under way are answered.
    pub(crate) stop: CancellationToken,
    /// Everything ends at once.
    pub(crate) kill: CancellationToken,
    tasks: TaskTracker,
}

impl Lifeline {
    /// Waits until everything has ended.
    pub(crate) async fn ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<Option<T>> {
        let kill = self.kill.clone();
        self.tasks
            .spawn(async move { kill.run_until_cancelled(task).await })
    }
}

/// Serves `router` until the lifeline is cut.
pub(crate) fn start(listener: TcpListener, router: Router, life: &Lifeline) {
    let inner = life.clone();
    life.spawn(async move {
        loop {
            let accepted = match inner.stop.run_until_cancelled(listener.accept()).await {
                None => break,
                Some(accepted) => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let connection = connection(stream, peer, router.clone(), inner.clone());
                    inner.spawn(connection);
                }
                // Out of file descriptors, mostly: it passes, and spinning does not help.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    });
}

async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, life: Lifeline) {
    // A small answer that waits for an acknowledgement is no latency worth emulating.
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(AtomicBool::new(false));
    let line = Line {
        stream,
        reset: Arc::clone(&reset),
    };
    let stop = life.stop.clone();
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (router, life, reset) = (router.clone(), life.clone(), Arc::clone(&reset));
        async move { serve(request, peer, router, &life, &reset).await }
    });
    let mut connection = pin!(http1::Builder::new().serve_connection(TokioIo::new(line), service));
    // An error here is a client that went away, or a fault that made it look so.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stop.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// What hyper is told to make it drop a connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed on request")]
struct Dropped;

async fn serve(
    request: hyper::Request<Incoming>,
    peer: SocketAddr,
    mut router: Router,
    life: &Lifeline,
    reset: &AtomicBool,
) -> Result<Response, Dropped> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(Peer(peer));
    // In a task of its own: a client that hangs up does not undo what a server
    // has begun, and a read-back must be able to find it done.
    let answer = life.spawn(async move { router.call(request).await });
    let Ok(Some(response)) = answer.await else {
        return Err(Dropped);
    };
    let response: Response = response.unwrap_or_else(|never: Infallible| match never {});
    match response.extensions().get::<Hangup>() {
        None => Ok(response),
        Some(Hangup::Close) => Err(Dropped),
        Some(Hangup::Reset) => {
            reset.store(true, Ordering::Relaxed);
            Err(Dropped)
        }
    }
}

/// A connection that can be made to end in a reset.
struct Line {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Relaxed) {
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
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
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
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

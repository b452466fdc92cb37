//! Taking connections, and ending them in the ways a fault asks for.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::HeaderValue;
use http::header::CONNECTION;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service;

use crate::doors::{ClosedPort, Doors, Order};
use crate::faults::{Hangup, Raw};
use crate::line::{Line, Spoiler};

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

    /// Runs something that is waited for at the end, and by nobody before.
    pub(crate) fn detach(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(self.spawn(task));
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

/// Serves `router` until the lifeline is cut, and closes the port when ordered.
pub(crate) fn start(listener: TcpListener, router: Router, life: &Lifeline, doors: &Doors) {
    let inner = life.clone();
    let orders = doors.take_orders();
    life.spawn(async move {
        let Ok(address) = listener.local_addr() else {
            return;
        };
        let (mut listener, mut orders) = (listener, orders);
        // Ends connections when the port is closed: a client that keeps one
        // would never see that it is.
        let mut opened = CancellationToken::new();
        loop {
            tokio::select! {
                () = inner.stop.cancelled() => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        let ends = [inner.stop.clone(), opened.clone()];
                        let connection =
                            connection(stream, peer, router.clone(), inner.clone(), ends);
                        inner.spawn(connection);
                    }
                    // Out of file descriptors, mostly: it passes, and spinning does not help.
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                },
                order = next(&mut orders) => {
                    drop(listener);
                    let held = ClosedPort::hold(address);
                    opened.cancel();
                    let _ = order.closed.send(());
                    let closed = tokio::time::sleep(order.duration);
                    if inner.stop.run_until_cancelled(closed).await.is_none() {
                        break;
                    }
                    let Some(again) = reopen(held, address, &inner).await else {
                        break;
                    };
                    listener = again;
                    opened = CancellationToken::new();
                }
            }
        }
    });
}

async fn next(orders: &mut Option<UnboundedReceiver<Order>>) -> Order {
    match orders {
        Some(orders) => match orders.recv().await {
            Some(order) => order,
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

/// Listens again; where the port could not be held, as soon as it is free.
async fn reopen(
    held: io::Result<ClosedPort>,
    address: SocketAddr,
    life: &Lifeline,
) -> Option<TcpListener> {
    let mut listening = held.and_then(ClosedPort::open);
    loop {
        if let Ok(listener) = listening {
            return Some(listener);
        }
        let wait = tokio::time::sleep(Duration::from_millis(10));
        life.stop.run_until_cancelled(wait).await?;
        listening = ClosedPort::hold(address).and_then(ClosedPort::open);
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    life: Lifeline,
    ends: [CancellationToken; 2],
) {
    // A small answer that waits for an acknowledgement is no latency worth emulating.
    let _ = stream.set_nodelay(true);
    let (line, spoiler) = Line::new(stream);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (router, life, spoiler) = (router.clone(), life.clone(), Arc::clone(&spoiler));
        async move { serve(request, peer, router, &life, &spoiler).await }
    });
    let mut connection = pin!(http1::Builder::new().serve_connection(TokioIo::new(line), service));
    // An error here is a client that went away, or a fault that made it look so.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = ends[0].cancelled() => {}
        () = ends[1].cancelled() => {}
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
    spoiler: &Spoiler,
) -> Result<Response, Dropped> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(Peer(peer));
    // In a task of its own: a client that hangs up does not undo what a server
    // has begun, and a read-back must be able to find it done.
    let answer = life.spawn(async move { router.call(request).await });
    let Ok(Some(response)) = answer.await else {
        return Err(Dropped);
    };
    let mut response: Response = response.unwrap_or_else(|never: Infallible| match never {});
    if let Some(Raw(raw)) = response.extensions_mut().remove::<Raw>() {
        spoiler.write_instead(raw);
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    match response.extensions().get::<Hangup>() {
        None => Ok(response),
        Some(Hangup::Close) => Err(Dropped),
        Some(Hangup::Reset) => {
            spoiler.reset();
            Err(Dropped)
        }
    }
}

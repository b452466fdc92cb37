//! Taking connections, and ending them in the ways a fault asks for.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use http::HeaderValue;
use http::header::CONNECTION;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service;

use crate::answer::{Body, Response};
use crate::caller::Guest;
use crate::doors::{ClosedPort, Doors, Order};
use crate::faults::{Hangup, Raw};
use crate::line::{Line, Spoiler};
use crate::world::World;
use crate::{api, control};

/// In a request's extensions: where it comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// A running server: what stops it, and what it still does.
#[derive(Clone, Default)]
pub(crate) struct Lifeline {
    /// No more connections, no more requests; those under way are answered.
    pub(crate) stop: CancellationToken,
    /// Everything ends at once.
    kill: CancellationToken,
    tasks: TaskTracker,
}

impl Lifeline {
    /// Ends everything at once.
    pub(crate) fn cut(&self) {
        // In this order: a connection that is told to stop looks whether to stop at once.
        self.kill.cancel();
        self.stop.cancel();
    }

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

/// What requests are for.
#[derive(Clone)]
pub(crate) struct Servers {
    pub(crate) world: Arc<World>,
    pub(crate) control: Router,
}

/// Serves until the lifeline is cut, and closes the port when ordered.
pub(crate) fn start(listener: TcpListener, servers: Servers, life: &Lifeline, doors: &Doors) {
    let inner = life.clone();
    let orders = doors.take_orders();
    life.spawn(async move {
        let Ok(address) = listener.local_addr() else {
            return;
        };
        let (mut listener, mut orders) = (listener, orders);
        // Ends connections when the port is closed: a client that keeps one
        // would never see that it is.
        let mut opened = inner.stop.child_token();
        loop {
            tokio::select! {
                () = inner.stop.cancelled() => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        let servers = servers.clone();
                        inner.tasks.spawn(connection(
                            stream,
                            peer,
                            servers,
                            inner.clone(),
                            opened.clone(),
                        ));
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
                    opened = inner.stop.child_token();
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

/// One connection, and what its requests need.
struct Connection {
    world: Arc<World>,
    control: Router,
    life: Lifeline,
    peer: SocketAddr,
    guest: Arc<Guest>,
    spoiler: Arc<Spoiler>,
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    servers: Servers,
    life: Lifeline,
    end: CancellationToken,
) {
    // A small answer that waits for an acknowledgement is no latency worth emulating.
    let _ = stream.set_nodelay(true);
    let (line, spoiler) = Line::new(stream);
    let shared = Arc::new(Connection {
        world: servers.world,
        control: servers.control,
        life: life.clone(),
        peer,
        guest: Arc::new(Guest::new(peer.ip())),
        spoiler,
    });
    let service = service_fn(move |request| Carried::new(&shared, request));
    let mut connection = pin!(http1::Builder::new().serve_connection(TokioIo::new(line), service));
    let mut ended = pin!(end.cancelled());
    let mut is_waiting = false;
    // An error here is a client that went away, or a fault that made it look so.
    let is_over = poll_fn(|context| {
        // Asked once, and again when it is so: a task's waker stays the same,
        // and asking costs a lock for every request.
        if !is_waiting || end.is_cancelled() {
            is_waiting = true;
            if ended.as_mut().poll(context).is_ready() {
                return Poll::Ready(false);
            }
        }
        connection.as_mut().poll(context).map(|_| true)
    });
    if is_over.await {
        return;
    }
    connection.as_mut().graceful_shutdown();
    life.kill.run_until_cancelled(connection).await;
}

/// What hyper is told to make it drop a connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed on request")]
struct Dropped;

/// A request that is answered whoever is still there: a client that hangs up
/// does not undo what a server has begun, and a read-back must be able to find
/// it done. What hyper drops goes on by itself.
struct Carried {
    connection: Arc<Connection>,
    work: Option<Pin<Box<dyn Future<Output = Response> + Send>>>,
}

impl Carried {
    fn new(connection: &Arc<Connection>, mut request: hyper::Request<Incoming>) -> Self {
        let path = request.uri().path();
        let is_control = path
            .strip_prefix(control::BASE_PATH)
            .is_some_and(|below| below.is_empty() || below.starts_with('/'));
        let work: Pin<Box<dyn Future<Output = Response> + Send>> = if is_control {
            request.extensions_mut().insert(Peer(connection.peer));
            let mut control = connection.control.clone();
            Box::pin(async move {
                let answer = control.call(request.map(axum::body::Body::new)).await;
                let answer = answer.unwrap_or_else(|never: Infallible| match never {});
                answer.map(Body::Pieces)
            })
        } else {
            let world = Arc::clone(&connection.world);
            Box::pin(api::serve(world, Arc::clone(&connection.guest), request))
        };
        Self {
            connection: Arc::clone(connection),
            work: Some(work),
        }
    }
}

impl Future for Carried {
    type Output = Result<Response, Dropped>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // Out of its place meanwhile: what panics is not carried on.
        let Some(mut work) = self.work.take() else {
            return Poll::Ready(Err(Dropped));
        };
        match work.as_mut().poll(context) {
            Poll::Ready(response) => Poll::Ready(self.connection.send(response)),
            Poll::Pending => {
                self.work = Some(work);
                Poll::Pending
            }
        }
    }
}

impl Drop for Carried {
    fn drop(&mut self) {
        if let Some(work) = self.work.take()
            // Without a runtime the program is at its end.
            && Handle::try_current().is_ok()
        {
            self.connection.life.detach(async move { drop(work.await) });
        }
    }
}

impl Connection {
    fn send(&self, mut response: Response) -> Result<Response, Dropped> {
        if let Some(Raw(raw)) = response.extensions_mut().remove::<Raw>() {
            self.spoiler.write_instead(raw);
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        match response.extensions().get::<Hangup>() {
            None => Ok(response),
            Some(Hangup::Close) => Err(Dropped),
            Some(Hangup::Reset) => {
                self.spoiler.reset();
                Err(Dropped)
            }
        }
    }
}

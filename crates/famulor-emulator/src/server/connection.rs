//! One connection: the short way for as long as that will do, then hyper.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::Router;
use http::HeaderValue;
use http::header::CONNECTION;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tower_service::Service;

use super::line::{Line, Spoiler};
use super::short_way::{Left, ShortWay};
use super::{Lifeline, Peer, Servers};
use crate::answer::{Body, Response};
use crate::caller::Guest;
use crate::faults::{Hangup, Raw};
use crate::world::World;
use crate::{api, control, lock};

/// One connection, and what its requests need.
struct Connection {
    world: Arc<World>,
    control: Router,
    life: Lifeline,
    peer: SocketAddr,
    guest: Arc<Guest>,
    spoiler: Arc<Spoiler>,
    /// Of the first request, where it was answered before hyper came to read it.
    answer: Mutex<Option<Response>>,
}

/// Serves a connection until either side has had enough of it.
pub(super) async fn serve(
    mut stream: TcpStream,
    peer: SocketAddr,
    servers: Servers,
    life: Lifeline,
    end: CancellationToken,
) {
    // A small answer that waits for an acknowledgement is no latency worth emulating.
    let _ = stream.set_nodelay(true);
    let guest = Arc::new(Guest::new(peer.ip()));
    let short_way = ShortWay::new(&servers.world, &guest, &life, &end);
    let Some(Left { read, answer }) = short_way.serve(&mut stream).await else {
        return;
    };
    let (line, spoiler) = Line::new(stream, read);
    let shared = Arc::new(Connection {
        world: servers.world,
        control: servers.control,
        life: life.clone(),
        peer,
        guest,
        spoiler,
        answer: Mutex::new(answer),
    });
    // Boxed: a connection that needs no hyper needs no room for it.
    Box::pin(by_hyper(line, shared, life, end)).await;
}

async fn by_hyper(line: Line, shared: Arc<Connection>, life: Lifeline, end: CancellationToken) {
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
        if let Some(answer) = lock(&connection.answer).take() {
            return Self {
                connection: Arc::clone(connection),
                work: Some(Box::pin(std::future::ready(answer))),
            };
        }
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

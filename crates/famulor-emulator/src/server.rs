//! Taking connections, and ending them.

mod connection;
mod io_threads;
mod line;
mod short_way;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use self::io_threads::IoThreads;

use crate::doors::{ClosedPort, Doors, Order};
use crate::world::World;

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
pub(crate) fn start(
    listener: TcpListener,
    servers: Servers,
    threads: Option<IoThreads>,
    life: &Lifeline,
    doors: &Doors,
) {
    let inner = life.clone();
    let orders = doors.take_orders();
    life.spawn(async move {
        let Ok(address) = listener.local_addr() else {
            return;
        };
        let (mut listener, mut orders, mut threads) = (listener, orders, threads);
        // Ends connections when the port is closed: a client that keeps one
        // would never see that it is.
        let mut opened = inner.stop.child_token();
        loop {
            tokio::select! {
                () = inner.stop.cancelled() => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        // Of its own: whether it has ended is asked for every request,
                        // and a token that many ask is one that they wait for.
                        let end = opened.child_token();
                        take(stream, peer, servers.clone(), threads.as_mut(), inner.clone(), end);
                    }
                    // Out of file descriptors, mostly: it passes, and spinning does not help.
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                },
                order = ordered(&mut orders) => {
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

async fn ordered(orders: &mut Option<UnboundedReceiver<Order>>) -> Order {
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

/// Has a connection served: by the emulator's own threads in turn, or where it runs.
fn take(
    stream: TcpStream,
    peer: SocketAddr,
    servers: Servers,
    threads: Option<&mut IoThreads>,
    life: Lifeline,
    end: CancellationToken,
) {
    let tasks = life.tasks.clone();
    let Some(threads) = threads else {
        tasks.spawn(connection::serve(stream, peer, servers, life, end));
        return;
    };
    let Ok(stream) = stream.into_std() else {
        return;
    };
    let serve = async move {
        // In here: it belongs to the runtime that it is made in.
        if let Ok(stream) = TcpStream::from_std(stream) {
            connection::serve(stream, peer, servers, life, end).await;
        }
    };
    tasks.spawn_on(serve, threads.next());
}

//! The listening port, which can be closed for a while.

use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{mpsc, oneshot};

use crate::lock;

/// Closes the port on order.
pub(crate) struct Doors {
    orders: mpsc::UnboundedSender<Order>,
    /// For the one task that listens.
    pending: Mutex<Option<mpsc::UnboundedReceiver<Order>>>,
}

/// How long to be closed, and whom to tell once the port is.
pub(crate) struct Order {
    pub(crate) duration: Duration,
    pub(crate) closed: oneshot::Sender<()>,
}

impl Doors {
    pub(crate) fn new() -> Self {
        let (orders, pending) = mpsc::unbounded_channel();
        Self {
            orders,
            pending: Mutex::new(Some(pending)),
        }
    }

    /// Closes the port for this long, in real time; done once it is closed.
    pub(crate) async fn close_for(&self, duration: Duration) {
        let (closed, is_closed) = oneshot::channel();
        // Nobody takes orders on an emulator that is being stopped.
        if self.orders.send(Order { duration, closed }).is_ok() {
            let _ = is_closed.await;
        }
    }

    pub(crate) fn take_orders(&self) -> Option<mpsc::UnboundedReceiver<Order>> {
        lock(&self.pending).take()
    }
}

/// A port that is ours, and refuses every connection: bound, but not listening.
/// So nobody else gets it meanwhile, though emulators come and go by the
/// thousand beside this one.
pub(crate) struct ClosedPort(TcpSocket);

impl ClosedPort {
    pub(crate) fn hold(address: SocketAddr) -> io::Result<Self> {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // Connections that were accepted on the port may still be open.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(Self(socket))
    }

    pub(crate) fn open(self) -> io::Result<TcpListener> {
        /// As many as tokio's own `bind` lets wait.
        const BACKLOG: u32 = 1024;
        self.0.listen(BACKLOG)
    }
}

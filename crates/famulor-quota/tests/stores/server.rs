//! A server that allows *N* requests in any window and counts what arrives.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// Ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) address: String,
    requests: usize,
    window: Duration,
    arrivals: Arc<Mutex<Vec<Instant>>>,
}

impl Server {
    pub(crate) async fn start(requests: u32, window: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap().to_string(),
            requests: requests as usize,
            window,
            arrivals: Arc::default(),
        };
        let accepting = server.clone();
        tokio::spawn(async move {
            while let Ok((call, _)) = listener.accept().await {
                tokio::spawn(accepting.clone().answer(call));
            }
        });
        server
    }

    /// A request is one byte: for how many milliseconds its answer takes. The
    /// answer is one: how many were counted in the window, this one included.
    async fn answer(self, mut call: TcpStream) -> Option<()> {
        let takes = call.read_u8().await.ok()?;
        let counted = {
            let mut arrivals = self.arrivals.lock().unwrap();
            let now = Instant::now();
            arrivals.push(now);
            let recent = arrivals.iter().rev();
            recent.take_while(|at| now - **at < self.window).count()
        };
        sleep(Duration::from_millis(takes.into())).await;
        call.write_u8(u8::try_from(counted).unwrap_or(u8::MAX))
            .await
            .ok()
    }

    pub(crate) fn arrived(&self) -> usize {
        self.arrivals.lock().unwrap().len()
    }

    /// The most that ever arrived in one window, wherever it begins.
    pub(crate) fn fullest_window(&self) -> usize {
        let arrivals = self.arrivals.lock().unwrap();
        let from = |(index, first): (usize, &Instant)| {
            let within = arrivals[index..].iter();
            within.take_while(|at| **at - *first < self.window).count()
        };
        arrivals.iter().enumerate().map(from).max().unwrap_or(0)
    }

    #[track_caller]
    pub(crate) fn assert_never_overrun(&self) {
        let fullest = self.fullest_window();
        assert!(
            fullest <= self.requests,
            "{fullest} requests within {:?} of {} that are allowed",
            self.window,
            self.requests
        );
    }
}

/// Sends one request that takes `way` to arrive and `takes` to be answered.
pub(crate) async fn send(server: &str, way: Duration, takes: u8) -> u32 {
    sleep(way).await;
    let mut call = TcpStream::connect(server).await.unwrap();
    call.write_u8(takes).await.unwrap();
    call.read_u8().await.unwrap().into()
}

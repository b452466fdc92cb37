//! Hours of a saturated quota, on a clock that is paused.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use famulor_quota::{AccountKey, AcquireRequest, Limit, Quota, Witness};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

const REQUESTS: u32 = 5;
const WINDOW: Duration = Duration::from_secs(60);

/// Counts what arrives in any window, and says so when it writes its answers.
#[derive(Default)]
struct Server {
    arrivals: Mutex<Vec<Instant>>,
}

impl Server {
    async fn answer(&self, way: Duration, takes: Duration) -> u32 {
        sleep(way).await;
        self.arrivals.lock().unwrap().push(Instant::now());
        sleep(takes).await;
        let arrivals = self.arrivals.lock().unwrap();
        let recent = arrivals.iter().rev();
        let counted = recent.take_while(|at| at.elapsed() < WINDOW).count();
        u32::try_from(counted).unwrap()
    }

    fn fullest_window(&self) -> usize {
        let arrivals = self.arrivals.lock().unwrap();
        let from = |(index, first): (usize, &Instant)| {
            let within = arrivals[index..].iter();
            within.take_while(|at| **at - *first < WINDOW).count()
        };
        arrivals.iter().enumerate().map(from).max().unwrap_or(0)
    }
}

#[tokio::test(start_paused = true)]
async fn hours_of_a_backlog_use_the_quota_and_never_overrun_it() {
    const CALLS: usize = 1000;
    // 2 s at the median, 8 s at worst.
    let latencies = [
        1.3, 2.1, 1.6, 3.3, 1.0, 1.9, 5.5, 1.4, 2.4, 2.0, 1.1, 4.0, 1.8, 2.6, 1.2, 8.0, 1.7, 2.9,
        1.5, 2.2,
    ];
    let began = Instant::now();
    let (quota, server) = (Quota::in_memory(), Arc::new(Server::default()));
    let limits: Arc<[Limit]> = Arc::new([Limit::new(REQUESTS, WINDOW, "replies")]);
    let mut calls = JoinSet::new();
    for call in 0..CALLS {
        let (quota, server, limits) = (quota.clone(), Arc::clone(&server), Arc::clone(&limits));
        calls.spawn(async move {
            let request = AcquireRequest::new(AccountKey::new("token"), limits);
            let mut permit = quota.acquire(request).await.unwrap();
            permit.mark_sent().unwrap();
            let way = Duration::from_millis(20 + call as u64 % 60);
            let takes = Duration::from_secs_f64(latencies[call % latencies.len()]);
            let counted = server.answer(way, takes).await;
            let remaining = REQUESTS.saturating_sub(counted);
            permit
                .complete(Some(Witness::new(REQUESTS, remaining)))
                .await;
        });
    }
    calls.join_all().await;
    assert!(server.fullest_window() <= REQUESTS as usize);
    let windows = began.elapsed().as_secs_f64() / WINDOW.as_secs_f64();
    assert!(windows > 180.0, "three hours: {windows} windows");
    let used = CALLS as f64 / (windows * f64::from(REQUESTS));
    assert!(used > 0.975, "{used:.4} of the quota used");
}

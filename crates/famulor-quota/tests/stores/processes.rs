//! Several processes on one store, and a server that must never be overrun.

use std::sync::Arc;
use std::time::Duration;

use famulor_quota::QuotaStore;
use tokio::time::sleep;

use crate::child::Process;
use crate::place::{Place, on_each_store};
use crate::server::Server;
use crate::{account, limits};

const REQUESTS: u32 = 5;
const WINDOW: Duration = Duration::from_millis(200);

on_each_store!(
    eight_processes_never_overrun_the_server_and_use_what_it_allows,
    a_process_killed_with_permits_held_costs_idle_slots_and_no_overrun,
    a_process_that_was_suspended_does_not_send_on_its_old_permit,
);

fn calling(place: &Place, server: &Server, requests: u32, time: Duration) -> Process {
    let [requests, window, time] = [
        requests.to_string(),
        WINDOW.as_millis().to_string(),
        time.as_millis().to_string(),
    ];
    Process::start(&[
        "calls",
        &place.url,
        &server.address,
        &requests,
        &window,
        &time,
    ])
}

async fn busy(store: &dyn QuotaStore) -> u32 {
    let limits = limits(REQUESTS, WINDOW);
    store
        .usage(account("token"), Arc::clone(&limits))
        .await
        .unwrap()[0]
        .busy
}

async fn eight_processes_never_overrun_the_server_and_use_what_it_allows(place: &Place) {
    let server = Server::start(REQUESTS, WINDOW).await;
    let time = Duration::from_secs(3);
    let processes: Vec<_> = (0..8)
        .map(|_| calling(place, &server, REQUESTS, time))
        .collect();
    for mut process in processes {
        assert_eq!(process.says().await, "done");
        process.ended().await;
    }
    server.assert_never_overrun();
    // Of what slots held for a window, its guard and 40 ms on the way allow;
    // starting eight processes takes a part of the time.
    let allowed = 5.0 * time.as_secs_f64() / 0.260;
    let used = server.arrived() as f64 / allowed;
    eprintln!("{:.0} % of the quota used", used * 100.0);
    assert!(used > 0.6, "{used:.2}: {} calls", server.arrived());
}

async fn a_process_killed_with_permits_held_costs_idle_slots_and_no_overrun(place: &Place) {
    let server = Server::start(REQUESTS, WINDOW).await;
    let store = place.open().await;
    let mut victim = Process::start(&["holds", &place.url, "2", "200"]);
    assert_eq!(victim.says().await, "holding");
    victim.signal("KILL").await;
    let processes = [0; 3].map(|_| calling(place, &server, REQUESTS, Duration::from_secs(1)));
    for mut process in processes {
        assert_eq!(process.says().await, "done");
        process.ended().await;
    }
    server.assert_never_overrun();
    let fullest = server.fullest_window();
    assert!(fullest <= 3, "{fullest} at once beside the two that died");
    assert!(server.arrived() > 3, "{} calls", server.arrived());
    sleep(2 * WINDOW).await;
    assert_eq!(busy(&*store).await, 2);
}

async fn a_process_that_was_suspended_does_not_send_on_its_old_permit(place: &Place) {
    let store = place.open().await;
    let mut process = Process::start(&["sends_late", &place.url, "5", "200"]);
    assert_eq!(process.says().await, "granted");
    process.signal("STOP").await;
    assert_eq!(busy(&*store).await, 1);
    // A stopped process holds up nobody.
    sleep(Duration::from_millis(2_100)).await;
    process.signal("CONT").await;
    assert_eq!(process.says().await, "stale");
    assert_eq!(process.says().await, "gave it back");
    process.ended().await;
    assert_eq!(busy(&*store).await, 0);
}

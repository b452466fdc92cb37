//! Starting, stopping, and many at once.

mod probe;

use std::time::{Duration, Instant, SystemTime};

use famulor_emulator::StartError;
use famulor_test_judge::emulator;
use probe::{Probe, until};
use tokio::net::TcpStream;

#[tokio::test]
async fn many_run_side_by_side_and_share_nothing() {
    let mut probes = Vec::new();
    for _ in 0..20 {
        probes.push(Probe::start().await);
    }
    for probe in &probes {
        assert_eq!(probe.reply("anna", "Hello").await.status, 200);
    }
    for probe in &probes {
        assert_eq!(probe.emulator.stats().messages, 1);
    }
}

#[tokio::test]
async fn a_start_takes_milliseconds() {
    let begun = Instant::now();
    for _ in 0..10 {
        drop(emulator().start().await.expect("a free port"));
    }
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn a_taken_port_says_which() {
    let first = emulator().start().await.expect("a free port");
    let error = emulator()
        .listen(first.addr())
        .start()
        .await
        .expect_err("the port is taken");
    assert!(error.to_string().contains(&first.addr().to_string()));
}

#[tokio::test]
async fn time_does_not_run_backwards() {
    for scale in [-1.0, f64::NAN, f64::INFINITY] {
        let error = emulator().time_scale(scale).start().await;
        assert!(matches!(error, Err(StartError::TimeScale(_))));
    }
}

#[tokio::test]
async fn an_emulator_on_every_address_names_one_that_can_be_reached() {
    let emulator = emulator()
        .listen("0.0.0.0:0".parse().expect("an address"))
        .start()
        .await
        .expect("a free port");
    let port = emulator.addr().port();
    assert_eq!(emulator.base_url(), format!("http://127.0.0.1:{port}/api"));
}

#[tokio::test]
async fn dropped_it_ends_calls_under_way_and_frees_its_port() {
    let probe = Probe::on(emulator().latency(Duration::from_secs(60))).await;
    let address = probe.emulator.addr();
    let call = probe.begin("anna", "Hello");
    until(|| probe.emulator.stats().messages == 1).await;
    drop(probe.emulator);
    let lost = tokio::time::timeout(Duration::from_secs(10), call).await;
    lost.expect("at once")
        .expect("no panic")
        .expect_err("no answer");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn shut_down_it_answers_calls_under_way_and_closes_idle_connections() {
    let probe = Probe::on(emulator().latency(Duration::from_millis(100))).await;
    let idle = TcpStream::connect(probe.emulator.addr())
        .await
        .expect("a connection");
    let call = probe.begin("anna", "Hello");
    until(|| probe.emulator.stats().messages == 1).await;
    let ended = tokio::time::timeout(Duration::from_secs(10), probe.emulator.shutdown()).await;
    ended.expect("it ends");
    let answer = call.await.expect("no panic").expect("an answer");
    assert_eq!(answer.status().as_u16(), 200);
    drop(idle);
}

#[tokio::test]
async fn latency_runs_on_the_emulated_clock() {
    let probe = Probe::on(
        emulator()
            .latency(Duration::from_secs(60))
            .time_scale(6000.0),
    )
    .await;
    let begun = Instant::now();
    probe.reply("anna", "Hello").await;
    let taken = begun.elapsed();
    assert!(
        taken >= Duration::from_millis(10) && taken < Duration::from_secs(5),
        "{taken:?}"
    );
}

#[tokio::test]
async fn emulated_time_can_start_anywhere() {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_736_244_000);
    let probe = Probe::on(emulator().starts_at(start).time_scale(0.0)).await;
    assert_eq!(probe.emulator.now(), start);
    probe.reply("anna", "Hello").await;
    let rows = probe.get("/user/conversations").await.body;
    assert_eq!(rows["data"][0]["created_at"], "2025-01-07 10:00:00");
}

//! The three limits, on every algorithm, with a clock that only the test moves.

mod probe;

use std::time::{Duration, UNIX_EPOCH};

use famulor_emulator::{
    Before, CannedAnswer, Emulator, Fault, LimitAlgorithm, LimitUse, RateLimit,
};
use famulor_test_judge::emulator;
use probe::{Answer, Probe, documented, until};
use reqwest::Method;
use serde_json::json;

async fn frozen(algorithm: LimitAlgorithm) -> Probe {
    Probe::on(emulator().time_scale(0.0).limit_algorithm(algorithm)).await
}

async fn wait(probe: &Probe, seconds: u64) {
    probe.emulator.advance(Duration::from_secs(seconds));
}

fn limit(answer: &Answer) -> (u16, Option<&str>, Option<&str>, Option<&str>) {
    (
        answer.status,
        answer.header("x-ratelimit-limit"),
        answer.header("x-ratelimit-remaining"),
        answer.header("retry-after"),
    )
}

/// How many of `calls` replies are let in now.
async fn let_in(probe: &Probe, calls: usize) -> usize {
    let mut accepted = 0;
    for _ in 0..calls {
        accepted += usize::from(probe.reply("anna", "Hello").await.status == 200);
    }
    accepted
}

#[tokio::test]
async fn five_replies_a_minute_and_the_sixth_is_refused_as_documented() {
    let probe = Probe::frozen().await;
    for remaining in ["4", "3", "2", "1", "0"] {
        let answer = probe.reply("anna", "Hello").await;
        assert_eq!(limit(&answer), (200, Some("5"), Some(remaining), None));
        assert_eq!(answer.header("x-ratelimit-reset"), None);
    }
    let refused = probe.reply("anna", "Hello").await;
    assert_eq!(limit(&refused), (429, Some("5"), Some("0"), Some("60")));
    assert_eq!(
        refused.body,
        documented("generateReply.response.429-rate-limited")
    );
    let now = probe.emulator.now().duration_since(std::time::UNIX_EPOCH);
    let reset = now.expect("after 1970").as_secs() + 60;
    assert_eq!(
        refused.header("x-ratelimit-reset"),
        Some(reset.to_string().as_str())
    );
}

#[tokio::test]
async fn both_paths_of_generate_reply_share_one_limit() {
    let probe = Probe::frozen().await;
    let request = probe::reply_request("anna", "Hello");
    for _ in 0..5 {
        probe.post("/user/ai/generate-reply", &request).await;
    }
    assert_eq!(probe.post("/ai/generate-reply", &request).await.status, 429);
}

#[tokio::test]
async fn a_fixed_window_starts_at_the_first_counted_request() {
    let probe = frozen(LimitAlgorithm::Fixed).await;
    wait(&probe, 1000).await;
    for _ in 0..5 {
        assert_eq!(let_in(&probe, 1).await, 1);
        wait(&probe, 10).await;
    }
    let refused = probe.reply("anna", "Hello").await;
    assert_eq!(limit(&refused), (429, Some("5"), Some("0"), Some("10")));
    assert_eq!(refused.body["retry_after"], 10);
    wait(&probe, 10).await;
    assert_eq!(let_in(&probe, 6).await, 5);
}

#[tokio::test]
async fn a_sliding_log_lets_in_one_for_every_one_that_has_aged() {
    let probe = frozen(LimitAlgorithm::SlidingLog).await;
    for _ in 0..5 {
        assert_eq!(let_in(&probe, 1).await, 1);
        wait(&probe, 10).await;
    }
    let refused = probe.reply("anna", "Hello").await;
    assert_eq!(limit(&refused), (429, Some("5"), Some("0"), Some("10")));
    wait(&probe, 10).await;
    assert_eq!(let_in(&probe, 6).await, 1);
    wait(&probe, 10).await;
    assert_eq!(let_in(&probe, 6).await, 1);
    wait(&probe, 60).await;
    assert_eq!(let_in(&probe, 6).await, 5);
}

#[tokio::test]
async fn a_token_bucket_refills_evenly() {
    let probe = frozen(LimitAlgorithm::TokenBucket).await;
    assert_eq!(let_in(&probe, 6).await, 5);
    let refused = probe.reply("anna", "Hello").await;
    assert_eq!(limit(&refused), (429, Some("5"), Some("0"), Some("12")));
    wait(&probe, 11).await;
    assert_eq!(let_in(&probe, 1).await, 0);
    wait(&probe, 1).await;
    assert_eq!(let_in(&probe, 2).await, 1);
    wait(&probe, 24).await;
    let answer = probe.reply("anna", "Hello").await;
    assert_eq!(limit(&answer), (200, Some("5"), Some("1"), None));
    wait(&probe, 600).await;
    assert_eq!(let_in(&probe, 6).await, 5);
}

#[tokio::test]
async fn retry_after_is_cut_to_whole_seconds() {
    let probe = Probe::frozen().await;
    let_in(&probe, 5).await;
    probe.emulator.advance(Duration::from_millis(58_001));
    let refused = probe.reply("anna", "Hello").await;
    assert_eq!(refused.header("retry-after"), Some("1"));
    probe.emulator.advance(Duration::from_millis(1_500));
    let refused = probe.reply("anna", "Hello").await;
    assert_eq!(refused.header("retry-after"), Some("0"));
    assert_eq!(refused.body["retry_after"], 0);
}

#[tokio::test]
async fn a_refused_request_does_not_count_and_a_failed_one_does() {
    let probe = Probe::frozen().await;
    assert_eq!(probe.reply("", "").await.status, 422);
    probe
        .emulator
        .inject(Fault::before(Before::Answer(CannedAnswer::server_error())));
    assert_eq!(probe.reply("anna", "Hello").await.status, 500);
    assert_eq!(let_in(&probe, 9).await, 3);
    wait(&probe, 60).await;
    assert_eq!(let_in(&probe, 9).await, 5);
}

#[tokio::test]
async fn of_many_at_once_no_more_are_let_in_than_the_limit_has() {
    for algorithm in [
        LimitAlgorithm::Fixed,
        LimitAlgorithm::SlidingLog,
        LimitAlgorithm::TokenBucket,
    ] {
        let probe = Probe::on(
            emulator()
                .time_scale(0.0)
                .limit_algorithm(algorithm)
                .latency(Duration::from_millis(20)),
        )
        .await;
        let calls: Vec<_> = (0..15)
            .map(|call| probe.begin(&format!("customer {call}"), "Hello"))
            .collect();
        let mut accepted = 0;
        for call in calls {
            let answer = call.await.expect("no panic").expect("an answer");
            accepted += usize::from(answer.status() == 200);
        }
        assert_eq!(accepted, 5, "{algorithm:?}");
    }
}

#[tokio::test]
async fn every_token_has_its_own_quota() {
    let probe = Probe::frozen().await;
    assert_eq!(let_in(&probe, 6).await, 5);
    let probe = probe.with_token("another");
    assert_eq!(let_in(&probe, 6).await, 5);
}

#[tokio::test]
async fn all_endpoints_share_twenty_in_ten_seconds() {
    let probe = Probe::frozen().await;
    for remaining in (0..20).rev() {
        let answer = probe.get("/user/me").await;
        let remaining = remaining.to_string();
        assert_eq!(
            limit(&answer),
            (200, Some("20"), Some(remaining.as_str()), None)
        );
    }
    let refused = probe.get("/user/assistants/get").await;
    assert_eq!(limit(&refused), (429, Some("20"), Some("0"), Some("10")));
    let mut expected = documented("common.response.429-rate-limit-exceeded.authguide");
    expected["retry_after"] = json!(10);
    assert_eq!(refused.body, expected);

    // A reply is an endpoint too, and says which limit stopped it.
    let refused = probe.reply("anna", "Hello").await;
    assert_eq!(limit(&refused), (429, Some("20"), Some("0"), Some("10")));
    assert_eq!(refused.body, expected);
}

#[tokio::test]
async fn all_endpoints_share_a_hundred_a_minute() {
    let probe = Probe::frozen().await;
    for _ in 0..10 {
        for _ in 0..10 {
            assert_eq!(probe.get("/user/me").await.status, 200);
        }
        wait(&probe, 5).await;
    }
    let refused = probe.get("/user/me").await;
    assert_eq!(limit(&refused), (429, Some("100"), Some("0"), Some("10")));
}

#[tokio::test]
async fn calls_without_a_token_are_counted_by_address() {
    let probe = Probe::frozen().await.without_token();
    let path = "/conversations/7c9e6679-7425-40de-944b-e07fc1f90ae7";
    for _ in 0..20 {
        assert_eq!(probe.get(path).await.status, 200);
    }
    assert_eq!(probe.get(path).await.status, 429);
    let probe = probe.with_token("token");
    assert_eq!(probe.get(path).await.status, 200);
}

#[tokio::test]
async fn without_limits_nothing_is_refused_and_no_header_sent() {
    let probe = Probe::on(emulator().without_limits()).await;
    for _ in 0..30 {
        let answer = probe.reply("anna", "Hello").await;
        assert_eq!(limit(&answer), (200, None, None, None));
    }
}

#[tokio::test]
async fn limits_can_be_set() {
    let probe = Probe::on(
        emulator()
            .time_scale(0.0)
            .rate_limit(RateLimit::parse("2/1s").expect("a limit"))
            .general_limits([RateLimit::parse("3/500ms").expect("a limit")]),
    )
    .await;
    assert_eq!(let_in(&probe, 3).await, 2);
    assert_eq!(probe.get("/user/me").await.status, 429);
    probe.emulator.advance(Duration::from_millis(500));
    assert_eq!(probe.get("/user/me").await.status, 200);
    assert_eq!(let_in(&probe, 1).await, 0);
    probe.emulator.advance(Duration::from_millis(500));
    assert_eq!(let_in(&probe, 3).await, 2);
}

#[tokio::test]
async fn a_fast_clock_makes_a_short_minute() {
    let probe = Probe::on(emulator().time_scale(6000.0)).await;
    let_in(&probe, 5).await;
    // Sixty emulated seconds are ten real milliseconds.
    tokio::time::sleep(Duration::from_millis(15)).await;
    assert_eq!(let_in(&probe, 1).await, 1);
}

/// Laravel's throttle reads its counter after the handler.
#[tokio::test]
async fn what_remains_is_read_when_the_answer_is_written_not_when_the_call_came() {
    for algorithm in [
        LimitAlgorithm::Fixed,
        LimitAlgorithm::SlidingLog,
        LimitAlgorithm::TokenBucket,
    ] {
        // Not frozen: an answer that takes its time takes it on this clock.
        let slow = emulator()
            .limit_algorithm(algorithm)
            .latency(Duration::from_millis(400));
        let probe = Probe::on(slow).await;
        let first = probe.begin("anna", "Hello");
        until(|| probe.emulator.stats().messages == 1).await;
        let second = probe.begin("berta", "Hello");
        until(|| probe.emulator.stats().messages == 2).await;
        // Both are still under way, and each answer counts both of them.
        assert!(
            probe
                .emulator
                .journal()
                .iter()
                .all(|call| call.status.is_none())
        );
        for call in [first, second] {
            let answer = call.await.expect("no panic").expect("an answer");
            let remaining = answer.headers().get("x-ratelimit-remaining");
            assert_eq!(remaining.expect("a header"), "3", "{algorithm:?}");
        }
    }
}

#[tokio::test]
async fn a_window_that_ends_meanwhile_leaves_everything() {
    let slow = emulator()
        .rate_limit(RateLimit::parse("5/1h").expect("a limit"))
        .latency(Duration::from_millis(200));
    let probe = Probe::on(slow).await;
    let call = probe.begin("anna", "Hello");
    until(|| probe.emulator.stats().messages == 1).await;
    wait(&probe, 3600).await;
    let answer = call.await.expect("no panic").expect("an answer");
    let remaining = answer.headers().get("x-ratelimit-remaining");
    assert_eq!(remaining.expect("a header"), "5");
}

#[tokio::test]
async fn what_is_used_of_every_limit_is_told_by_token_and_runs_out() {
    let probe = Probe::frozen().await;
    assert!(probe.emulator.limits().is_empty());
    let_in(&probe, 2).await;
    probe.get("/user/me").await;
    wait(&probe, 4).await;

    let used = probe.emulator.limits();
    let token = Emulator::fingerprint("token");
    assert!(used.iter().all(|limit| limit.token == token));
    let figures = |limits: &[LimitUse]| -> Vec<_> {
        let figure = |limit: &LimitUse| {
            let LimitUse {
                scope,
                limit,
                window_s,
                used,
                free_in_s,
                ..
            } = limit;
            (*scope, *limit, *window_s, *used, *free_in_s)
        };
        limits.iter().map(figure).collect()
    };
    assert_eq!(
        figures(&used),
        [
            ("general", 100, 60.0, 3, 56.0),
            ("general", 20, 10.0, 3, 6.0),
            ("replies", 5, 60.0, 2, 56.0),
        ]
    );
    // The same over the control plane.
    let told = probe.control(Method::GET, "/limits", None).await.body;
    assert_eq!(told["limits"], serde_json::json!(used));

    wait(&probe, 56).await;
    assert!(
        probe
            .emulator
            .limits()
            .iter()
            .all(|limit| limit.used == 0 && limit.free_in_s == 0.0)
    );
    probe.emulator.reset();
    assert!(probe.emulator.limits().is_empty());
}

#[tokio::test]
async fn the_clock_is_moved_to_a_moment_but_never_back() {
    let probe = Probe::on(
        emulator()
            .starts_at(UNIX_EPOCH + Duration::from_secs(1_736_244_000))
            .time_scale(0.0),
    )
    .await;
    let moved = |to: &str| probe.control(Method::POST, "/clock", Some(json!({"to": to})));
    assert_eq!(let_in(&probe, 6).await, 5);

    let answer = moved("2025-01-07T11:00:59+01:00").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.body["now"], "2025-01-07T10:00:59.000Z");
    assert_eq!(answer.body["elapsed_s"], 59.0);
    assert_eq!(let_in(&probe, 1).await, 0);
    assert_eq!(moved("2025-01-07T10:01:00Z").await.status, 200);
    assert_eq!(let_in(&probe, 6).await, 5);

    let back = moved("2025-01-07T10:00:00Z").await;
    assert_eq!(back.status, 422);
    assert!(back.text.contains("backwards"), "{}", back.text);
    for nonsense in ["", "tomorrow", "2025-01-07", "2025-13-07T10:00:00Z"] {
        let refused = moved(nonsense).await;
        assert_eq!(refused.status, 422, "{nonsense}");
        assert!(refused.text.contains("2025-01-07T09:00:00Z"), "{nonsense}");
    }
    let now = probe.control(Method::GET, "/clock", None).await;
    assert_eq!(now.body["now"], "2025-01-07T10:01:00.000Z");
}

#[test]
fn what_is_no_limit_is_refused_with_an_example() {
    for text in [
        "", "5", "0/60s", "5/0s", "5/", "/60s", "-1/60s", "5/-1s", "five/60s",
    ] {
        let error = RateLimit::parse(text).expect_err(text).to_string();
        assert!(error.contains("5/60s"), "{error}");
    }
}

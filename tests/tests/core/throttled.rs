//! 429: sent again after the wait that the server asks for, or failed fast with it.

use std::time::{Duration, Instant, SystemTime};

use famulor_core::{Delivery, Error, ErrorKind, Limit};
use famulor_tests::sdk::{REPLY, builder, ms};
use famulor_tests::wire::{Script, Then, Wire};
use futures_util::future::join_all;

use crate::calls::Op;

const LARAVEL: &str = r#"{"message":"Too Many Attempts.","retry_after":60}"#;
const GUIDE: &str = r#"{"error":"Rate limit exceeded","message":"Too many requests. Please try again later.","retry_after":60}"#;

fn throttled(hint: Option<&str>, body: &str) -> Then {
    let mut headers = vec![("Content-Type", "application/json")];
    headers.extend(hint.map(|hint| ("Retry-After", hint)));
    Then::answer(429, &headers, body)
}

async fn fails(op: Op, then: Then, retries: u32) -> (Error, usize) {
    let wire = Wire::start(Script::new().on(op.route(), [then])).await;
    let client = builder(&wire.base_url()).with_max_retries(retries);
    let client = client.build().expect("a client");
    let error = op.call(&client).await.expect_err("a refusal");
    (error, wire.count(op.route()))
}

#[tokio::test]
async fn every_call_is_sent_again_after_a_429() {
    let calls = Op::ALL.map(|op| async move {
        for body in [LARAVEL, GUIDE] {
            let answers = [throttled(Some("0"), body), Then::json(200, op.success())];
            let wire = Wire::start(Script::new().on(op.route(), answers)).await;
            let client = famulor_tests::sdk::client(&wire.base_url());
            let began = Instant::now();
            let outcome = op.call(&client).await;
            assert!(outcome.is_ok(), "{op:?}: {outcome:?}");
            assert_eq!(wire.count(op.route()), 2, "{op:?}");
            assert!(began.elapsed() >= ms(1000), "0 is up to a second short");
            assert_eq!(client.usage().rate_limited, 1);
        }
    });
    join_all(calls).await;
}

#[tokio::test]
async fn the_hint_is_understood_in_every_form() {
    let date = |after: u64| {
        let time = SystemTime::now() + Duration::from_secs(after);
        httpdate(time)
    };
    let in_90_s = date(90);
    let past = "Sun, 06 Nov 1994 08:49:37 GMT";
    for (hint, body, least, most) in [
        (Some("7"), LARAVEL, 7.0, 7.0),
        (Some(" 7 "), LARAVEL, 7.0, 7.0),
        (Some("0.25"), LARAVEL, 0.25, 0.25),
        (Some(in_90_s.as_str()), LARAVEL, 80.0, 90.0),
        (Some(past), LARAVEL, 0.0, 0.0),
        (None, LARAVEL, 60.0, 60.0),
        (None, GUIDE, 60.0, 60.0),
        (None, r#"{"retry_after":"12.5"}"#, 12.5, 12.5),
        (None, "{}", 1.0, 1.0),
        // What no server should send costs neither a panic nor a day.
        (Some("soon"), LARAVEL, 60.0, 60.0),
        (Some("nan"), LARAVEL, 60.0, 60.0),
        (Some("inf"), LARAVEL, 60.0, 60.0),
        (Some("-5"), LARAVEL, 0.0, 0.0),
        (Some("1e300"), LARAVEL, 86_400.0, 86_400.0),
        (Some("99999999999999999999"), LARAVEL, 86_400.0, 86_400.0),
        (None, r#"{"retry_after":-1}"#, 0.0, 0.0),
        (None, r#"{"retry_after":{"s":1}}"#, 1.0, 1.0),
        (None, r#"{"retry_after":1e999}"#, 1.0, 1.0),
    ] {
        let (error, sent) = fails(Op::Reply, throttled(hint, body), 0).await;
        assert_eq!(error.kind(), ErrorKind::RateLimited);
        assert_eq!(error.delivery(), Delivery::Refused);
        assert_eq!((error.status(), error.attempts(), sent), (Some(429), 1, 1));
        let wait = error.retry_after().expect("a wait").as_secs_f64();
        assert!((least..=most).contains(&wait), "{hint:?} {body}: {wait}");
    }
}

/// Dates as in RFC 9110, without another library: the tests' own reading of it.
fn httpdate(time: SystemTime) -> String {
    let seconds = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("after 1970")
        .as_secs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Howard Hinnant's civil_from_days.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let part = (5 * of_year + 2) / 153;
    let day = of_year - (153 * part + 2) / 5 + 1;
    let month = if part < 10 { part + 3 } else { part - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    let names = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][(days % 7) as usize];
    let name = names[(month - 1) as usize];
    format!(
        "{weekday}, {day:02} {name} {year} {:02}:{:02}:{:02} GMT",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

#[tokio::test]
async fn a_hint_beyond_two_minutes_the_deadline_or_the_longest_wait_fails_fast() {
    for (hint, max_wait, limited) in [
        ("121", None, false),
        ("11", None, false),
        ("4", Some(ms(2000)), false),
        ("121", None, true),
        ("11", None, true),
        ("4", Some(ms(2000)), true),
    ] {
        let wire = Wire::start(Script::new().on(REPLY, [throttled(Some(hint), LARAVEL)])).await;
        // The builder's deadline is 10 s.
        let mut builder = builder(&wire.base_url());
        if hint == "121" {
            builder = builder.with_deadline(Duration::MAX);
        }
        if limited {
            builder = famulor_core::Client::builder()
                .with_api_key("k")
                .with_base_url(&wire.base_url())
                .without_proxy()
                .with_deadline(if hint == "121" {
                    Duration::MAX
                } else {
                    ms(10_000)
                });
        }
        if let Some(wait) = max_wait {
            builder = builder.with_max_wait(wait);
        }
        let client = builder.build().expect("a client");
        let began = Instant::now();
        let error = Op::Reply.call(&client).await.expect_err("a refusal");
        assert!(began.elapsed() < ms(1500), "{hint}: {:?}", began.elapsed());
        assert_eq!(error.kind(), ErrorKind::RateLimited, "{hint}: {error:?}");
        assert_eq!(error.status(), Some(429));
        let seconds = hint.parse().expect("a number");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(seconds)));
        assert_eq!(wire.count(REPLY), 1);
        assert_eq!(client.usage().billed_messages, 0);
    }
}

#[tokio::test]
async fn a_429_is_tried_again_no_more_often_than_allowed() {
    let (error, sent) = fails(Op::Reply, throttled(Some("0"), LARAVEL), 1).await;
    assert_eq!((error.attempts(), sent), (2, 2));
    assert_eq!(error.delivery(), Delivery::Refused);
}

#[tokio::test]
async fn after_a_429_everyone_on_the_token_waits_and_the_refused_one_goes_first() {
    let answers = [
        throttled(Some("0"), LARAVEL),
        Then::json(200, Op::Reply.success()),
    ];
    let wire = Wire::start(Script::new().on(REPLY, answers)).await;
    let client = famulor_core::Client::builder()
        .with_api_key("k")
        .with_base_url(&wire.base_url())
        .without_proxy()
        .with_rate_limit(Limit::new(1, ms(50), "any"))
        .build()
        .expect("a client");
    let say = |who: &str, text: &str| {
        let customer = famulor_tests::sdk::customer(who);
        client
            .reply(famulor_tests::sdk::ASSISTANT, customer, text)
            .with_on_unknown(famulor_core::OnUnknown::Resend)
    };
    let began = Instant::now();
    let first = say("one", "first").send();
    let second = async {
        tokio::time::sleep(ms(200)).await;
        say("two", "second").await
    };
    let (first, second) = tokio::join!(first, second);
    first.expect("a reply");
    second.expect("a reply");
    assert!(began.elapsed() >= ms(1000));
    let texts: Vec<String> = wire
        .requests()
        .iter()
        .filter(|seen| seen.route() == REPLY)
        .map(|seen| {
            seen.json()["message"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    assert_eq!(texts, ["first", "first", "second"]);
}

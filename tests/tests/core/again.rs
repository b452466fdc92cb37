//! What may be sent again, row by row of the delivery rules, by the answer that the server gave.

use famulor_core::{Delivery, Error, ErrorKind};
use famulor_tests::sdk::{builder, ms};
use famulor_tests::wire::{Script, Then, Wire};
use futures_util::future::join_all;

use crate::calls::Op;

const JSON: (&str, &str) = ("Content-Type", "application/json");

/// Makes every call, and every attempt gets the same from the server. Gives the errors and how often each was sent.
async fn all_fail(then: Then) -> Vec<(Op, Error, usize)> {
    let script = Op::ALL.into_iter().fold(Script::new(), |script, op| {
        script.on(op.route(), [then.clone()])
    });
    let wire = Wire::start(script).await;
    let client = builder(&wire.base_url())
        .with_attempt_timeout(ms(500))
        .with_body_ceiling(4096)
        .with_max_retries(2)
        .build()
        .expect("a client");
    let calls = Op::ALL.map(|op| op.call(&client));
    let errors = join_all(calls).await;
    let errors = Op::ALL.into_iter().zip(errors);
    errors
        .map(|(op, outcome)| {
            let error = outcome.expect_err("a failure");
            (op, error, wire.count(op.route()))
        })
        .collect()
}

/// A refusal: not repeated by any call, and known not to have been processed.
async fn is_refused(then: Then, status: u16, kind: ErrorKind) {
    for (op, error, sent) in all_fail(then).await {
        let what = format!("{op:?} on {status}: {error:?}");
        assert_eq!(error.kind(), kind, "{what}");
        assert_eq!(error.delivery(), Delivery::Refused, "{what}");
        assert_eq!(error.status(), Some(status), "{what}");
        assert_eq!(error.attempts(), 1, "{what}");
        assert_eq!(sent, 1, "{what}");
        assert_eq!(error.is_read_only(), op == Op::Read, "{what}");
    }
}

/// An outcome that nobody knows: sent once if it adds something, else repeated as often as allowed.
async fn is_uncertain(then: Then, status: Option<u16>, delivery: Delivery, read_kind: ErrorKind) {
    for (op, error, sent) in all_fail(then).await {
        let what = format!("{op:?}: {error:?}");
        let kind = match (op, delivery) {
            (Op::Read, _) => read_kind,
            (_, Delivery::Processed) => ErrorKind::Unreadable,
            _ => ErrorKind::UnknownOutcome,
        };
        assert_eq!(error.kind(), kind, "{what}");
        assert_eq!(error.delivery(), delivery, "{what}");
        assert_eq!(error.status(), status, "{what}");
        let times = if Op::ADD.contains(&op) { 1 } else { 3 };
        assert_eq!(sent, times, "{what}");
        assert_eq!(error.attempts() as usize, times, "{what}");
        assert_eq!(error.is_read_only(), op == Op::Read, "{what}");
    }
}

#[tokio::test]
async fn a_key_that_is_refused_is_an_auth_failure_in_every_documented_body() {
    for body in [
        r#"{"message":"Unauthenticated."}"#,
        r#"{"error":"Unauthorized"}"#,
        r#"{"error":"Invalid API key","message":"The provided API key is invalid or expired"}"#,
        r#"{"error":"Missing Authorization header","message":"Authorization header is required"}"#,
        r#"{"error":["Unauthorized"]}"#,
        "",
    ] {
        is_refused(Then::json(401, body), 401, ErrorKind::Auth).await;
    }
    let denied =
        r#"{"error":"Insufficient permissions","message":"Your API key does not have permission"}"#;
    is_refused(Then::json(403, denied), 403, ErrorKind::Auth).await;
    is_refused(Then::html(403, "<h1>403</h1>"), 403, ErrorKind::Auth).await;
}

#[tokio::test]
async fn a_low_balance_is_one_kind_whatever_status_it_comes_with() {
    let words = "Insufficient balance. Please top up your account.";
    for (status, body) in [
        (400, format!(r#"{{"status":false,"error":"{words}"}}"#)),
        (
            402,
            format!(r#"{{"success":false,"error":"{words}","error_code":"INSUFFICIENT_BALANCE"}}"#),
        ),
        (402, "{}".to_owned()),
        (422, r#"{"message":"Insufficient balance"}"#.to_owned()),
        (200, format!(r#"{{"status":false,"error":"{words}"}}"#)),
        (
            200,
            r#"{"success":false,"error":"no","error_code":"INSUFFICIENT_BALANCE"}"#.to_owned(),
        ),
    ] {
        is_refused(Then::json(status, &body), status, ErrorKind::Balance).await;
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found_in_every_envelope() {
    for body in [
        r#"{"status":false,"error":"Conversation not found"}"#,
        r#"{"success":false,"error":"Assistant not found or does not belong to you","error_code":"ASSISTANT_NOT_FOUND"}"#,
        r#"{"message":"Assistant not found"}"#,
        r#"{"error":{"code":"not_found","message":"nothing here"}}"#,
        "<h1>404</h1>",
    ] {
        is_refused(Then::json(404, body), 404, ErrorKind::NotFound).await;
    }
}

#[tokio::test]
async fn any_other_refusal_says_what_the_server_said() {
    for (status, body) in [
        (
            400,
            r#"{"status":false,"error":"Failed to process message: invalid tool output"}"#,
        ),
        (405, r#"{"message":"The GET method is not supported."}"#),
        (409, r#"{"error":"conflict"}"#),
        (413, "<h1>413</h1>"),
        (422, r#"{"status":false,"error":"message is required"}"#),
        (
            422,
            r#"{"success":false,"error":"on holiday","error_code":"ON_HOLIDAY"}"#,
        ),
        (200, r#"{"status":false,"error":"no such service"}"#),
        (
            200,
            r#"{"success":false,"error":"no such service","error_code":"SERVICE_UNAVAILABLE"}"#,
        ),
    ] {
        is_refused(Then::json(status, body), status, ErrorKind::Refused).await;
    }
}

#[tokio::test]
async fn a_validation_failure_names_the_fields() {
    let body = r#"{"message":"The assistant id field is required.",
        "errors":{"assistant_id":["The assistant id field is required."],"variables.plan":["must be text"]}}"#;
    for (_, error, _) in all_fail(Then::json(422, body)).await {
        assert_eq!(error.message(), "The assistant id field is required.");
        assert_eq!(error.field_errors()["variables.plan"], ["must be text"]);
        let shown = error.to_string();
        assert!(shown.contains("variables.plan: must be text"), "{shown}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_token_does_not_travel() {
    let elsewhere = Wire::start(Script::new()).await;
    for (status, path, kind) in [
        (302, "/login", ErrorKind::Auth),
        (302, "/auth/login?next=%2Fapi", ErrorKind::Auth),
        (301, "/api/v2/ai", ErrorKind::Refused),
        (303, "/dashboard", ErrorKind::Refused),
        (307, "/api/ai/generate-reply", ErrorKind::Refused),
        (308, "/api/ai/generate-reply", ErrorKind::Refused),
    ] {
        let target = format!("http://{}{path}", elsewhere.address());
        let then = Then::answer(status, &[("Location", &target)], "<h1>Moved</h1>");
        is_refused(then, status, kind).await;
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_server_error_leaves_the_outcome_open() {
    for (status, then) in [
        (500, Then::json(500, r#"{"message":"Server Error"}"#)),
        (502, Then::html(502, "<h1>502 Bad Gateway</h1>")),
        (503, Then::answer(503, &[("Retry-After", "0")], "busy")),
        (504, Then::html(504, "<h1>504</h1>")),
        (520, Then::html(520, "")),
    ] {
        is_uncertain(then, Some(status), Delivery::Unknown, ErrorKind::Server).await;
    }
}

#[tokio::test]
async fn a_503_with_a_wait_hint_is_unknown_and_keeps_the_hint() {
    let then = Then::answer(503, &[("Retry-After", "70")], "busy");
    for (op, error, sent) in all_fail(then).await {
        if !Op::ADD.contains(&op) {
            continue;
        }
        assert_eq!(error.kind(), ErrorKind::UnknownOutcome);
        assert_eq!(error.retry_after(), Some(ms(70_000)));
        assert_eq!(sent, 1);
    }
}

#[tokio::test]
async fn a_connection_that_ends_after_sending_leaves_the_outcome_open() {
    for then in [Then::close(), Then::reset(), Then::stall()] {
        is_uncertain(then, None, Delivery::Unknown, ErrorKind::Network).await;
    }
}

#[tokio::test]
async fn an_answer_that_is_not_http_leaves_the_outcome_open() {
    for bytes in [
        "SSH-2.0-OpenSSH_9.6\r\n",
        "HTTP/1.1 xyz\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
    ] {
        let then = Then::send(bytes).and(Then::close());
        is_uncertain(then, None, Delivery::Unknown, ErrorKind::Network).await;
    }
}

#[tokio::test]
async fn a_200_that_is_no_json_leaves_the_outcome_open() {
    for then in [
        Then::html(200, "<!DOCTYPE html><title>Sign in</title>"),
        Then::answer(200, &[], ""),
        Then::answer(200, &[("Content-Type", "text/plain")], "ok"),
        // An HTML page under a JSON header, as some proxies send it.
        Then::json(200, "<html></html>"),
    ] {
        is_uncertain(then, Some(200), Delivery::Unknown, ErrorKind::Unreadable).await;
    }
}

#[tokio::test]
async fn a_2xx_that_cannot_be_read_was_processed() {
    let part = r#"{"success":true,"status":true,"conversation_id":"c"#;
    let long = format!(r#"{{"padding":"{}"}}"#, "x".repeat(5000));
    for then in [
        Then::promised(200, &[JSON], part, 500).and(Then::close()),
        Then::promised(200, &[JSON], part, 500).and(Then::reset()),
        Then::promised(200, &[JSON], "", 500).and(Then::close()),
        Then::promised(200, &[], part, 500).and(Then::close()),
        Then::json(200, "[1,2,3]"),
        Then::json(
            200,
            r#"{"status":true,"success":true,"history":7,"conversation_id":{},"message":{},"ai_enabled":[]}"#,
        ),
        Then::json(200, &long),
        Then::json(200, "{\"status\":true,\u{0}"),
    ] {
        is_uncertain(then, Some(200), Delivery::Processed, ErrorKind::Unreadable).await;
    }
}

#[tokio::test]
async fn an_answer_whose_body_stalls_is_judged_by_what_came() {
    // Its status came: the server decided. That the rest did not come in time changes nothing.
    let part = r#"{"success":true,"#;
    let then = Then::promised(200, &[JSON], part, 500).and(Then::stall());
    is_uncertain(then, Some(200), Delivery::Processed, ErrorKind::Unreadable).await;
    let then = Then::promised(404, &[JSON], "{", 500).and(Then::stall());
    is_refused(then, 404, ErrorKind::NotFound).await;
    let then = Then::promised(500, &[JSON], "{", 500).and(Then::stall());
    is_uncertain(then, Some(500), Delivery::Unknown, ErrorKind::Server).await;
}

#[tokio::test]
async fn a_201_and_an_interim_answer_are_successes() {
    for op in Op::ALL {
        let whole = Then::json(201, op.success());
        let interim = Then::send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
        for then in [whole.clone(), interim.and(whole)] {
            let wire = Wire::start(Script::new().on(op.route(), [then])).await;
            let client = famulor_tests::sdk::client(&wire.base_url());
            let outcome = op.call(&client).await;
            assert!(outcome.is_ok(), "{op:?}: {outcome:?}");
            assert_eq!(wire.count(op.route()), 1);
        }
    }
}

#[tokio::test]
async fn a_call_that_reads_or_sets_gets_over_a_bad_moment() {
    for op in [Op::Set, Op::Read] {
        for bad in [
            Then::html(502, "bad"),
            Then::close(),
            Then::reset(),
            Then::stall(),
            Then::promised(200, &[JSON], "{", 90).and(Then::close()),
        ] {
            let then = [bad.clone(), bad.clone(), Then::json(200, op.success())];
            let wire = Wire::start(Script::new().on(op.route(), then)).await;
            let client = builder(&wire.base_url())
                .with_attempt_timeout(ms(400))
                .with_max_retries(2)
                .build()
                .expect("a client");
            let outcome = op.call(&client).await;
            assert!(outcome.is_ok(), "{op:?} after {bad:?}: {outcome:?}");
            assert_eq!(wire.count(op.route()), 3, "{op:?} after {bad:?}");
        }
    }
}

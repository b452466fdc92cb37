//! Webhooks that the emulator calls: when, with what, and how often.

mod probe;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use famulor_emulator::{
    Assistant, Contact, Conversation, ConversationKind, DeliveryOutcome, Emulator, MessageStatus,
    ReadReceipts,
};
use famulor_test_judge::emulator;
use hmac::{Hmac, KeyInit, Mac};
use probe::{Probe, documented, read_receipt, until};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use tower_service::Service;

/// Somebody who takes webhooks, with the statuses it answers; 200 after those.
#[derive(Clone)]
struct Receiver {
    url: String,
    got: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    statuses: Arc<Mutex<Vec<u16>>>,
}

impl Receiver {
    async fn answering(statuses: &[u16]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let receiver = Self {
            url: format!("http://{}/hook", listener.local_addr().expect("an address")),
            got: Arc::default(),
            statuses: Arc::new(Mutex::new(statuses.iter().rev().copied().collect())),
        };
        let router = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async move { axum_serve(listener, router).await });
        receiver
    }

    fn bodies(&self) -> Vec<Value> {
        let got = self.got.lock().expect("no panic");
        got.iter()
            .map(|(_, body)| serde_json::from_str(body).expect("JSON"))
            .collect()
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: String) -> StatusCode {
    receiver.got.lock().expect("no panic").push((headers, body));
    let status = receiver
        .statuses
        .lock()
        .expect("no panic")
        .pop()
        .unwrap_or(200);
    StatusCode::from_u16(status).expect("a status")
}

/// axum's own `serve` is a feature that nothing else here needs.
async fn axum_serve(listener: tokio::net::TcpListener, router: Router) {
    while let Ok((stream, _)) = listener.accept().await {
        let router = router.clone();
        let service = hyper::service::service_fn(move |request: hyper::Request<_>| {
            let mut router = router.clone();
            async move { router.call(request.map(axum::body::Body::new)).await }
        });
        let io = hyper_util::rt::TokioIo::new(stream);
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(io, service));
    }
}

async fn switch_on(probe: &Probe, url: &str) -> probe::Answer {
    probe
        .post(
            "/user/assistants/enable-conversation-ended-webhook",
            &json!({"assistant_id": 123, "webhook_url": url}),
        )
        .await
}

fn outcomes(emulator: &Emulator) -> Vec<DeliveryOutcome> {
    emulator
        .deliveries()
        .iter()
        .map(|delivery| delivery.outcome)
        .collect()
}

fn assert_same_shape(sent: &Value, documented: &Value, at: &str) {
    let (Value::Object(sent), Value::Object(documented)) = (sent, documented) else {
        return;
    };
    let names = |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(sent), names(documented), "{at}");
}

#[tokio::test]
async fn a_conversation_that_fell_silent_is_reported_as_documented() {
    let receiver = Receiver::answering(&[]).await;
    let probe = Probe::frozen().await;
    assert_eq!(switch_on(&probe, &receiver.url).await.status, 200);
    let id = probe.conversation("widget").await;
    probe.send(&id, "I have a question").await;
    probe.emulator.advance(Duration::from_secs(20 * 60));
    probe.send(&id, "Are you there?").await;
    probe.emulator.advance(Duration::from_secs(20 * 60));
    let ended = || {
        let kept = probe.emulator.conversation(&id);
        kept.is_some_and(|conversation| conversation.ended_at.is_some())
    };
    assert!(!ended(), "the second message began the wait again");
    probe.emulator.advance(Duration::from_secs(10 * 60));
    until(|| outcomes(&probe.emulator) == [DeliveryOutcome::Delivered]).await;
    assert!(ended());

    let body = &receiver.bodies()[0];
    let documented =
        documented("webhookConversationEnded.event.conversation-ended-webhook-payload");
    assert_same_shape(body, &documented, "payload");
    assert_same_shape(
        &body["transcript"][0],
        &documented["transcript"][0],
        "transcript",
    );
    assert_eq!(body["conversation_id"], json!(id));
    assert_eq!(body["assistant_id"], "550e8400-e29b-41d4-a716-446655440000");
    assert_eq!(
        (&body["type"], &body["status"]),
        (&json!("widget"), &json!("ended"))
    );
    assert_eq!(body["message_count"], 5);
    let lines = body["formatted_transcript"].as_str().expect("text");
    assert!(
        lines.contains("\nCustomer: I have a question\nAI: "),
        "{lines}"
    );
    let time = |field: &str| {
        body[field]
            .as_str()
            .map(|text| text.parse::<jiff::Timestamp>())
    };
    let (created, ended) = (time("created_at"), time("ended_at"));
    let lasted = ended.expect("text").expect("a time") - created.expect("text").expect("a time");
    assert_eq!(
        lasted.get_seconds(),
        50 * 60,
        "30 minutes after the last message"
    );
    assert!(
        !receiver.got.lock().expect("no panic")[0]
            .0
            .contains_key("x-signature-256")
    );
}

#[tokio::test]
async fn conversations_of_tests_and_of_replies_have_no_end() {
    let receiver = Receiver::answering(&[]).await;
    let probe = Probe::frozen().await;
    switch_on(&probe, &receiver.url).await;
    let test = probe.conversation("test").await;
    probe.send(&test, "Hello").await;
    probe.reply("anna", "Hello").await;
    let widget = probe.conversation("widget").await;
    probe.emulator.advance(Duration::from_secs(3600));
    until(|| probe.emulator.deliveries().len() == 1).await;
    let ids: Vec<_> = receiver
        .bodies()
        .iter()
        .map(|body| body["conversation_id"].clone())
        .collect();
    assert!(
        ids.contains(&json!(widget)) && !ids.contains(&json!(test)),
        "{ids:?}"
    );
}

#[tokio::test]
async fn a_failed_delivery_is_tried_again_after_30_60_and_120_seconds() {
    let receiver = Receiver::answering(&[500, 404, 302, 503, 200]).await;
    let probe = Probe::frozen().await;
    switch_on(&probe, &receiver.url).await;
    let id = probe.conversation("widget").await;
    assert!(probe.emulator.end_conversation(&id));
    for (attempts, wait) in [(1, 30), (2, 60), (3, 120)] {
        until(|| probe.emulator.deliveries().len() == attempts).await;
        probe.emulator.advance(Duration::from_secs(wait - 1));
        tokio::task::yield_now().await;
        assert_eq!(
            probe.emulator.deliveries().len(),
            attempts,
            "not before its time"
        );
        probe.emulator.advance(Duration::from_secs(1));
    }
    until(|| probe.emulator.deliveries().len() == 4).await;
    let retried = |seconds| DeliveryOutcome::RetriedAfter(Duration::from_secs(seconds));
    assert_eq!(
        outcomes(&probe.emulator),
        [
            retried(30),
            retried(60),
            retried(120),
            DeliveryOutcome::GivenUp
        ]
    );
    let statuses: Vec<_> = probe
        .emulator
        .deliveries()
        .iter()
        .map(|it| it.status)
        .collect();
    assert_eq!(statuses, [Some(500), Some(404), Some(302), Some(503)]);
}

#[tokio::test]
async fn one_leap_of_the_clock_sees_all_retries_at_their_times() {
    let probe = Probe::frozen().await;
    // A port that nobody listens on.
    switch_on(&probe, "http://127.0.0.1:9/hook").await;
    let id = probe.conversation("widget").await;
    probe.emulator.end_conversation(&id);
    probe.emulator.advance(Duration::from_secs(3600));
    until(|| {
        probe
            .emulator
            .deliveries()
            .iter()
            .filter(|it| it.conversation == id)
            .count()
            == 4
    })
    .await;
    let deliveries = probe.emulator.deliveries();
    let times: Vec<_> = deliveries
        .iter()
        .filter(|it| it.conversation == id)
        .collect();
    let after = |index: usize| {
        times[index]
            .time
            .duration_since(times[0].time)
            .expect("later")
            .as_secs()
    };
    assert_eq!([after(1), after(2), after(3)], [30, 90, 210]);
    assert!(
        times[0]
            .error
            .as_deref()
            .is_some_and(|error| error.contains("refused")),
        "{times:?}"
    );
}

#[tokio::test]
async fn nobody_elses_machine_is_called_unless_it_is_allowed_by_name() {
    let probe = Probe::frozen().await;
    assert_eq!(
        switch_on(&probe, "https://hooks.example.com/x")
            .await
            .status,
        200
    );
    let id = probe.conversation("widget").await;
    probe.emulator.end_conversation(&id);
    until(|| outcomes(&probe.emulator) == [DeliveryOutcome::Withheld]).await;
    assert_eq!(
        switch_on(&probe, "http://hooks.example.com/x").await.status,
        422,
        "https only"
    );

    let allowing = emulator()
        .time_scale(0.0)
        .allow_webhooks_to("hooks.invalid");
    let probe = Probe::on(allowing).await;
    switch_on(&probe, "https://hooks.invalid/x").await;
    let id = probe.conversation("widget").await;
    probe.emulator.end_conversation(&id);
    until(|| !probe.emulator.deliveries().is_empty()).await;
    let first = Duration::from_secs(30);
    assert_eq!(
        outcomes(&probe.emulator),
        [DeliveryOutcome::RetriedAfter(first)],
        "it was tried"
    );
}

#[tokio::test]
async fn a_conversation_that_goes_on_is_reported_again_only_where_the_assistant_says_so() {
    for (ended_retrigger, reports) in [(false, 1), (true, 2)] {
        let receiver = Receiver::answering(&[]).await;
        let probe = Probe::on(emulator().time_scale(0.0).assistant(Assistant {
            id: 7,
            uuid: "0b9f6a51-3c86-4b57-9a3e-5d0c9b8c7a11".into(),
            ended_webhook: Some(receiver.url.clone()),
            inactivity_timeout: Duration::from_secs(60),
            ended_retrigger,
            ..Assistant::default()
        }))
        .await;
        let created = probe
            .post(
                "/conversations",
                &json!({"assistant_id": "0b9f6a51-3c86-4b57-9a3e-5d0c9b8c7a11"}),
            )
            .await;
        let id = created.body["conversation_id"]
            .as_str()
            .expect("an id")
            .to_owned();
        for reported in 1..=2 {
            probe.send(&id, "Hello").await;
            probe.emulator.advance(Duration::from_secs(61));
            until(|| probe.emulator.deliveries().len() >= reports.min(reported)).await;
        }
        assert_eq!(receiver.bodies().len(), reports);
    }
}

async fn whatsapp(receiver: &Receiver) -> Probe {
    let phone = |name: &str, phone: &str| {
        Some(Contact {
            name: Some(name.into()),
            phone: phone.into(),
        })
    };
    let receipts = ReadReceipts::new(&receiver.url, "shared secret");
    let probe = Probe::on(emulator().time_scale(0.0).read_receipts(receipts)).await;
    probe.emulator.add_conversation(Conversation {
        id: "wa".into(),
        assistant_id: 123,
        kind: ConversationKind::Whatsapp,
        whatsapp_sender: phone("My Business", "+19876543210"),
        customer: phone("John Doe", "+1234567890"),
        ..Conversation::default()
    });
    probe
}

#[tokio::test]
async fn read_receipts_are_signed_and_have_the_documented_fields() {
    let receiver = Receiver::answering(&[]).await;
    let probe = whatsapp(&receiver).await;
    assert_eq!(probe.send("wa", "Hello").await.status, 200);
    probe.emulator.advance(Duration::from_secs(10));
    until(|| probe.emulator.deliveries().len() == 3).await;
    let mut statuses: Vec<_> = receiver
        .bodies()
        .iter()
        .map(|body| body["status"].clone())
        .collect();
    statuses.sort_by_key(Value::to_string);
    assert_eq!(statuses, ["delivered", "read", "sent"]);
    assert_same_shape(&receiver.bodies()[0], &read_receipt("read"), "receipt");
    for (headers, body) in receiver.got.lock().expect("no panic").iter() {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"shared secret").expect("a key");
        mac.update(body.as_bytes());
        let hex: String = mac
            .finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(headers["x-signature-256"], format!("sha256={hex}"));
    }
}

#[tokio::test]
async fn a_receipt_that_was_refused_with_4xx_is_not_sent_again() {
    let receiver = Receiver::answering(&[400, 429, 500]).await;
    let probe = whatsapp(&receiver).await;
    assert!(probe.emulator.report_status("wa", MessageStatus::Failed));
    until(|| outcomes(&probe.emulator) == [DeliveryOutcome::GivenUp]).await;
    let failed = &receiver.bodies()[0];
    let documented = read_receipt("failed");
    for field in [
        "status",
        "error_code",
        "error_message",
        "error_description",
        "provider_timestamp",
    ] {
        assert_eq!(failed[field], documented[field], "{field}");
    }
    assert!(probe.emulator.report_status("wa", MessageStatus::Read));
    until(|| probe.emulator.deliveries().len() == 2).await;
    probe.emulator.advance(Duration::from_secs(30 + 60));
    until(|| probe.emulator.deliveries().len() == 4).await;
    assert_eq!(
        outcomes(&probe.emulator)[3],
        DeliveryOutcome::Delivered,
        "429 and 500 are"
    );
    assert!(!probe.emulator.report_status("no-such", MessageStatus::Read));
}

#[tokio::test]
async fn the_control_plane_ends_conversations_and_shows_deliveries_without_what_was_said() {
    let receiver = Receiver::answering(&[]).await;
    let probe = Probe::frozen().await;
    switch_on(&probe, &receiver.url).await;
    let id = probe.conversation("widget").await;
    probe.send(&id, "swordfish").await;
    let path = format!("/conversations/{id}/end");
    assert_eq!(probe.control(Method::POST, &path, None).await.status, 204);
    assert_eq!(
        probe
            .control(Method::POST, "/conversations/no/end", None)
            .await
            .status,
        404
    );
    until(|| !probe.emulator.deliveries().is_empty()).await;
    let listed = probe.control(Method::GET, "/deliveries", None).await;
    let delivery = &listed.body["deliveries"][0];
    assert_eq!(
        (&delivery["outcome"], &delivery["attempt"]),
        (&json!("delivered"), &json!(1))
    );
    assert!(!listed.text.contains("swordfish"), "{}", listed.text);
    let whole = probe.control(Method::GET, "/deliveries/1", None).await;
    assert_eq!(whole.body["payload"], receiver.bodies()[0]);
}

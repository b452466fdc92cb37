//! Carries a payload to its receiver, and asks again as documented.

use std::error::Error as _;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use super::{Delivery, DeliveryOutcome};
use crate::agenda::Job;
use crate::lock;
use crate::world::World;

/// Documented for both webhooks.
const WAITS: [Duration; 3] = [
    Duration::from_secs(30),
    Duration::from_secs(60),
    Duration::from_secs(120),
];

/// In real time. How long the real server waits is not documented.
const PATIENCE: Duration = Duration::from_secs(10);

/// A payload on its way.
pub(crate) struct Parcel {
    pub(super) event: &'static str,
    pub(super) conversation: String,
    pub(super) url: String,
    pub(super) payload: Value,
    /// `X-Signature-256`, over these very bytes.
    pub(super) signature: Option<String>,
    pub(super) body: Bytes,
    pub(super) retries: Retries,
    pub(super) attempt: u32,
}

/// After what a receiver is asked again.
#[derive(Clone, Copy)]
pub(super) enum Retries {
    /// Whatever is no 2xx.
    AnyFailure,
    /// 5xx and 429; that no answer at all is a failure of this kind is inferred.
    ServerFailure,
}

/// One attempt, and the plan for the next.
pub(crate) async fn deliver(world: &World, mut parcel: Parcel, due: Duration) {
    parcel.attempt += 1;
    let sent = match allowed(world, &parcel.url) {
        Some(url) => Some(send(world, url, &parcel).await),
        None => None,
    };
    let (status, error) = match &sent {
        None => (None, None),
        Some(Ok(status)) => (Some(*status), None),
        Some(Err(error)) => (None, Some(error.clone())),
    };
    let is_done = status.is_some_and(|status| (200..300).contains(&status));
    let is_final = match parcel.retries {
        Retries::AnyFailure => false,
        Retries::ServerFailure => status.is_some_and(|status| status < 500 && status != 429),
    };
    let wait = WAITS.get(parcel.attempt as usize - 1);
    let outcome = match wait {
        _ if sent.is_none() => DeliveryOutcome::Withheld,
        _ if is_done => DeliveryOutcome::Delivered,
        Some(wait) if !is_final => DeliveryOutcome::RetriedAfter(*wait),
        _ => DeliveryOutcome::GivenUp,
    };
    lock(&world.record).deliveries.write_down(Delivery {
        sequence: 0,
        time: world.clock.timestamp(due).into(),
        event: parcel.event,
        conversation: parcel.conversation.clone(),
        url: parcel.url.clone(),
        attempt: parcel.attempt,
        status,
        outcome,
        error,
        payload: parcel.payload.clone(),
    });
    if let DeliveryOutcome::RetriedAfter(wait) = outcome {
        world.agenda.add(due + wait, Job::Deliver(Box::new(parcel)));
    }
}

/// An emulator in a test calls nobody but this machine, unless it was told to.
fn allowed(world: &World, url: &str) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?;
    let known = &world.config.webhook_hosts;
    let is_allowed =
        is_loopback(host) || known.iter().any(|known| known.eq_ignore_ascii_case(host));
    is_allowed.then_some(url)
}

pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => bare.eq_ignore_ascii_case("localhost"),
    }
}

async fn send(world: &World, url: Url, parcel: &Parcel) -> Result<u16, String> {
    let client = world.courier().map_err(|error| causes(&error))?;
    let mut request = client
        .post(url)
        .header(CONTENT_TYPE, "application/json")
        .body(parcel.body.clone());
    if let Some(signature) = &parcel.signature {
        request = request.header("X-Signature-256", signature);
    }
    match request.send().await {
        Ok(response) => Ok(response.status().as_u16()),
        Err(error) => Err(causes(&error.without_url())),
    }
}

/// Made when the first webhook is called: most emulators never call one.
pub(crate) fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(0)
        .timeout(PATIENCE)
        .build()
}

fn causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

//! The way of a call, step by step: journal, gate faults, key, limits, faults, handler, faults.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use axum::RequestExt;
use axum::body::{Body, to_bytes};
use axum::extract::{Query, RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, StatusCode};

use super::about::About;
use super::call::Call;
use super::refusal::Refusal;
use super::{account, assistants, conversations, gate, listing, replies, takeover, throttle};
use crate::faults::{AsAnswer, Effect, Hangup, Place, Spoiled, Wire, hang_up, to_login_page};
use crate::journal::{Arrival, Recorded};
use crate::lock;
use crate::operation::Operation;
use crate::server::Peer;
use crate::world::World;

/// Laravel's `post_max_size` is usually 8 MB; no documented request comes near.
const LARGEST_BODY: usize = 8 * 1024 * 1024;

/// Serves a call of an operation.
pub(super) async fn serve(world: Arc<World>, operation: Operation, request: Request) -> Response {
    let sequence = arrive(&world, Some(operation), &request);
    let response = answer(&world, operation, sequence, request).await;
    depart(&world, sequence, response).await
}

/// Answers a request that is no operation's. Laravel's throttle belongs to
/// routes, so a path or method that has none is not counted.
pub(super) async fn turn_away(world: &World, request: Request, refusal: Refusal) -> Response {
    let sequence = arrive(world, None, &request);
    depart(world, sequence, refusal.into_response()).await
}

fn arrive(world: &World, operation: Option<Operation>, request: &Request) -> u64 {
    let elapsed = world.clock.elapsed();
    let mut record = lock(&world.record);
    record.tally.arrived(operation);
    record.journal.begin(Arrival {
        time: world.clock.timestamp(elapsed),
        elapsed,
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        operation,
    })
}

async fn depart(world: &World, sequence: u64, response: Response) -> Response {
    let (response, answered) = keep_body(response).await;
    let status = match response.extensions().get::<Hangup>() {
        None => Some(response.status().as_u16()),
        Some(_) => None,
    };
    let entry = {
        let mut record = lock(&world.record);
        if let Some(status) = status {
            record.tally.answered(status);
        }
        record.journal.note(sequence, |entry| {
            entry.status = status;
            if let Some(body) = answered {
                entry.answered = Recorded::of(&body);
            }
        });
        // A copy for the one who asked to be shown, and for nobody else.
        let shown = world.config.on_request.is_some();
        shown.then(|| record.journal.entry(sequence)).flatten()
    };
    if let (Some(show), Some(entry)) = (&world.config.on_request, entry) {
        show(&entry);
    }
    response
}

/// A copy of the body, where it is there at once: one that takes its time or
/// breaks off is written down before it does.
async fn keep_body(response: Response) -> (Response, Option<Bytes>) {
    if let Some(Spoiled(body)) = response.extensions().get::<Spoiled>().cloned() {
        return (response, Some(body));
    }
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let response = Response::from_parts(head, Body::from(body.clone()));
    (response, Some(body))
}

async fn answer(
    world: &Arc<World>,
    operation: Operation,
    sequence: u64,
    mut request: Request,
) -> Response {
    let uuid = path_uuid(&mut request).await;
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let host = host(&head.headers);
    let is_json = is_json(&head.headers);
    let about = About::of(operation, &uuid, is_json, &body);
    lock(&world.record).journal.note(sequence, |entry| {
        entry.customer.clone_from(&about.customer);
        entry.asked = Recorded::of(&body);
    });
    let token = gate::bearer(&head.headers).map(str::to_owned);
    let due = |place| due(world, sequence, &about, token.as_deref(), place);

    if let Some(effect) = due(Place::Gate) {
        return at_the_gate(world, &effect, operation, &host).await;
    }

    let address = head
        .extensions
        .get::<Peer>()
        .map_or(IpAddr::from([127, 0, 0, 1]), |peer| peer.0.ip());
    let tokens = &world.config.tokens;
    let caller = match gate::identify(tokens, operation, &head.headers, address) {
        Ok(caller) => caller,
        Err(_) if world.config.login_redirect && !gate::wants_json(&head.headers) => {
            return to_login_page(&host);
        }
        Err(refusal) => return refusal.into_response(),
    };
    if let Err(too_many) = throttle::admit(world, &caller, operation, sequence) {
        return throttle::refuse(world, &too_many);
    }

    if let Some(effect) = due(Place::Door)
        && let Some(instead) = effect.instead(operation).await
    {
        return instead;
    }
    let call = Call {
        world: Arc::clone(world),
        caller,
        uuid,
        query: Query::try_from_uri(&head.uri).map_or_else(|_| HashMap::new(), |query| query.0),
        host,
        sequence,
        is_json,
        body,
    };
    let result = handle(&call, operation).await;
    let processed = result.is_ok();
    let mut response = result.unwrap_or_else(Refusal::into_response);
    throttle::write_headers(world, &call.caller, operation, &mut response);
    if !processed {
        return response;
    }
    call.processed();
    match due(Place::Exit) {
        Some(effect) => effect.spoil(response).await,
        None => response,
    }
}

async fn handle(call: &Call, operation: Operation) -> Result<Response, Refusal> {
    match operation {
        // These two take their time between the message and its answer.
        Operation::GenerateReply => return replies::generate(call).await,
        Operation::SendMessage => return conversations::send(call).await,
        _ => call.take_time(None).await,
    }
    match operation {
        Operation::CreateConversation => conversations::create(call),
        Operation::GetConversation => conversations::get(call),
        Operation::ListConversations => listing::list(call),
        Operation::DisableConversationAi => takeover::switch(call, false),
        Operation::EnableConversationAi => takeover::switch(call, true),
        Operation::EnableConversationEndedWebhook => assistants::enable_webhook(call),
        Operation::DisableConversationEndedWebhook => assistants::disable_webhook(call),
        Operation::ListAssistants => assistants::list(call),
        Operation::GetMe => account::me(call),
        Operation::GenerateReply | Operation::SendMessage => {
            unreachable!("both were handled above")
        }
    }
}

async fn at_the_gate(world: &World, effect: &Effect, operation: Operation, host: &str) -> Response {
    match effect {
        Effect::Answer(AsAnswer::TooManyRequests {
            headers,
            retry_after,
        }) => throttle::pretend(world, operation, *headers, *retry_after),
        Effect::Answer(AsAnswer::LoginRedirect) => to_login_page(host),
        Effect::Wire(Wire::Refuse(duration)) => {
            world.doors.close_for(*duration).await;
            hang_up(Hangup::Reset)
        }
        effect => effect
            .instead(operation)
            .await
            .unwrap_or_else(|| StatusCode::INTERNAL_SERVER_ERROR.into_response()),
    }
}

fn due(
    world: &World,
    sequence: u64,
    about: &About,
    token: Option<&str>,
    place: Place,
) -> Option<Effect> {
    if lock(&world.faults).is_empty() {
        return None;
    }
    let assistant = about.assistant(&lock(&world.state));
    let asked = about.asked(token, assistant.as_ref());
    let effect = lock(&world.faults).due(&asked, place)?;
    let mut record = lock(&world.record);
    record.tally.fault();
    record.journal.note(sequence, |entry| {
        // One at most at each place; both are told.
        entry.fault = Some(match entry.fault.take() {
            Some(earlier) => format!("{earlier}, {}", effect.name()),
            None => effect.name().to_owned(),
        });
    });
    Some(effect)
}

async fn path_uuid(request: &mut Request) -> String {
    match request.extract_parts::<RawPathParams>().await {
        Ok(params) => params
            .iter()
            .find(|(name, _)| *name == "uuid")
            .map(|(_, uuid)| uuid.to_owned())
            .unwrap_or_default(),
        // Not even text: no conversation has such an id.
        Err(_) => String::new(),
    }
}

fn host(headers: &HeaderMap) -> String {
    headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost")
        .to_owned()
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.contains("/json") || kind.contains("+json"))
}

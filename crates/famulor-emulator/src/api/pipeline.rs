//! The way of a call, step by step: journal, gate faults, key, limits, faults, handler, faults.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use axum::RequestExt;
use axum::body::to_bytes;
use axum::extract::{Query, RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, StatusCode};

use super::call::Call;
use super::refusal::Refusal;
use super::validation::Input;
use super::{account, assistants, conversations, gate, listing, replies, takeover, throttle};
use crate::faults::{AsAnswer, Effect, Hangup, Place, to_login_page};
use crate::journal::Arrival;
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
    depart(&world, sequence, response)
}

/// Answers a request that is no operation's. Laravel's throttle belongs to
/// routes, so a path or method that has none is not counted.
pub(super) fn turn_away(world: &World, request: &Request, refusal: Refusal) -> Response {
    let sequence = arrive(world, None, request);
    depart(world, sequence, refusal.into_response())
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

fn depart(world: &World, sequence: u64, response: Response) -> Response {
    let status = match response.extensions().get::<Hangup>() {
        None => Some(response.status().as_u16()),
        Some(_) => None,
    };
    let entry = {
        let mut record = lock(&world.record);
        if let Some(status) = status {
            record.tally.answered(status);
        }
        record.journal.note(sequence, |entry| entry.status = status);
        record.journal.entry(sequence)
    };
    if let (Some(show), Some(entry)) = (&world.config.on_request, entry) {
        show(&entry);
    }
    response
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
    let customer = customer(operation, &uuid, is_json, &body);
    lock(&world.record)
        .journal
        .note(sequence, |entry| entry.customer.clone_from(&customer));
    let due = |place| due(world, sequence, operation, customer.as_deref(), place);

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
    let limit_headers = match throttle::admit(world, &caller, operation, sequence) {
        Ok(headers) => headers,
        Err(too_many) => return throttle::refuse(world, &too_many),
    };

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
    if let Some(headers) = limit_headers {
        headers.write(response.headers_mut());
    }
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
        _ => call.take_time().await,
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
        effect => effect
            .instead(operation)
            .await
            .unwrap_or_else(|| StatusCode::INTERNAL_SERVER_ERROR.into_response()),
    }
}

fn due(
    world: &World,
    sequence: u64,
    operation: Operation,
    customer: Option<&str>,
    place: Place,
) -> Option<Effect> {
    let effect = lock(&world.faults).due(operation, customer, place)?;
    let mut record = lock(&world.record);
    record.tally.fault();
    record.journal.note(sequence, |entry| {
        entry.fault = Some(effect.name().to_owned());
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

/// Whom the call is about: known before it is let in, for faults and journal.
fn customer(operation: Operation, uuid: &str, is_json: bool, body: &[u8]) -> Option<String> {
    if operation == Operation::GenerateReply {
        let input = Input::body(is_json, body);
        return Some(input.raw("customer_identifier")?.as_str()?.to_owned());
    }
    (!uuid.is_empty()).then(|| uuid.to_owned())
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

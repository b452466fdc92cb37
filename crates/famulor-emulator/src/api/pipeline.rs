//! The way of a call, step by step: journal, gate faults, key, limits, faults, handler, faults.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, StatusCode};
use hyper::body::{Body as _, Incoming};

use super::about::About;
use super::call::Call;
use super::fields::Fields;
use super::head::Head;
use super::refusal::Refusal;
use super::route::{Route, route};
use super::{account, assistants, conversations, gate, listing, replies, takeover, throttle};
use crate::answer::{Body, Response, empty};
use crate::caller::{Caller, Guest};
use crate::faults::{AsAnswer, Effect, Hangup, Place, Spoiled, Wire, hang_up, to_login_page};
use crate::journal::Arrival;
use crate::lock;
use crate::operation::Operation;
use crate::world::World;

/// Laravel's `post_max_size` is usually 8 MB; no documented request comes near.
const LARGEST_BODY: usize = 8 * 1024 * 1024;

/// Serves a request that is not for the control plane.
pub(crate) async fn serve(
    world: Arc<World>,
    guest: Arc<Guest>,
    request: Request<Incoming>,
) -> Response {
    let (parts, body) = request.into_parts();
    let head = Head::of(&parts);
    let route = match route(&head.method, head.path) {
        Ok(route) => route,
        Err(refusal) => return turn_away(&world, &head, refusal),
    };
    let operation = route.0;
    let mut reading = pin!(whole(body));
    let here = poll_fn(|context| Poll::Ready(reading.as_mut().poll(context))).await;
    // A request whose body is still under way is written down before it is there.
    let (sequence, body) = match here {
        Poll::Ready(body) => (None, body),
        Poll::Pending => {
            let sequence = arrive(&world, Some(operation), &head, None);
            (Some(sequence), reading.await)
        }
    };
    let Some(body) = body else {
        let sequence = sequence.unwrap_or_else(|| arrive(&world, Some(operation), &head, None));
        let response = empty(StatusCode::PAYLOAD_TOO_LARGE);
        return depart(&world, sequence, response, false);
    };
    routed(&world, &guest, &head, route, &body, sequence).await
}

/// Serves a request whose body has come with its head.
pub(crate) async fn serve_whole(
    world: &World,
    guest: &Guest,
    head: &Head<'_>,
    body: &[u8],
) -> Response {
    match route(&head.method, head.path) {
        Ok(route) => routed(world, guest, head, route, body, None).await,
        Err(refusal) => turn_away(world, head, refusal),
    }
}

/// Serves a request that is all there; with a number, where it was written down
/// before it was.
async fn routed(
    world: &World,
    guest: &Guest,
    head: &Head<'_>,
    (operation, uuid): Route<'_>,
    body: &[u8],
    sequence: Option<u64>,
) -> Response {
    let fields = Fields::of_body(head.is_json, body);
    let about = About::of(operation, &uuid, &fields);
    let caller = gate::identify(&world.config.tokens, operation, head, guest);
    // Where nobody counts and nothing goes wrong, nothing comes between a call's
    // arrival and its being let in: both are written down at once.
    let let_in = caller.as_ref().ok().filter(|_| {
        let is_free = !world.is_limited && world.faults.is_empty();
        is_free && sequence.is_none()
    });
    let is_in = let_in.is_some();
    let sequence = match sequence {
        None => {
            let asked = Asked {
                about: &about,
                body,
                let_in,
            };
            arrive(world, Some(operation), head, Some(asked))
        }
        Some(sequence) => {
            lock(&world.record)
                .journal
                .note(sequence, |note| note.asked(about.customer, body));
            sequence
        }
    };
    let asked = Asking {
        world,
        operation,
        uuid: &uuid,
        sequence,
        head,
        fields: &fields,
        about: &about,
    };
    let (response, processed) = asked.answer(caller, is_in).await;
    depart(world, sequence, response, processed)
}

/// Answers a request that no route is for.
pub(crate) fn nowhere(world: &World, parts: &Parts) -> Response {
    let head = Head::of(parts);
    turn_away(world, &head, Refusal::no_route(head.path))
}

/// Laravel's throttle belongs to routes, so a path or method that has none is
/// not counted.
fn turn_away(world: &World, head: &Head<'_>, refusal: Refusal) -> Response {
    let sequence = arrive(world, None, head, None);
    depart(world, sequence, refusal.response(), false)
}

fn arrive(
    world: &World,
    operation: Option<Operation>,
    head: &Head<'_>,
    asked: Option<Asked<'_>>,
) -> u64 {
    let elapsed = world.clock.elapsed();
    let mut record = lock(&world.record);
    record.tally.arrived(operation);
    let sequence = record.journal.begin(Arrival {
        elapsed,
        method: &head.method,
        path: head.path,
        operation,
    });
    let Some(asked) = asked else {
        return sequence;
    };
    if let Some(caller) = asked.let_in {
        record.tally.let_in(caller);
    }
    record.journal.note(sequence, |note| {
        note.asked(asked.about.customer, asked.body);
        if let Some(caller) = asked.let_in {
            note.token(caller.mark());
            note.counted = true;
        }
    });
    sequence
}

/// What is known of a request that is all there when it arrives.
struct Asked<'a> {
    about: &'a About<'a>,
    body: &'a [u8],
    /// Who asks, if the call is let in already.
    let_in: Option<&'a Caller>,
}

fn depart(world: &World, sequence: u64, response: Response, processed: bool) -> Response {
    let spoiled = response.extensions().get::<Spoiled>();
    // One that takes its time or breaks off is written down before it does.
    let answered: &[u8] = match (spoiled, response.body()) {
        (Some(Spoiled(body)), _) | (None, Body::Whole(body)) => body,
        (None, Body::Pieces(_)) => &[],
    };
    let status = match response.extensions().get::<Hangup>() {
        None => Some(response.status().as_u16()),
        Some(_) => None,
    };
    let entry = {
        let mut record = lock(&world.record);
        if let Some(status) = status {
            record.tally.answered(status);
        }
        record.journal.note(sequence, |note| {
            note.status = status;
            note.processed |= processed;
            note.answered(answered);
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

/// The whole body; `None`: it is too long, or the client went away.
async fn whole(mut body: Incoming) -> Option<Bytes> {
    let mut first = Bytes::new();
    let mut all = Vec::new();
    while !body.is_end_stream()
        && let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await
    {
        let Ok(data) = frame.ok()?.into_data() else {
            continue;
        };
        if first.len().max(all.len()) + data.len() > LARGEST_BODY {
            return None;
        }
        // Nearly all come in one piece, which need not be copied.
        if first.is_empty() {
            first = data;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&first);
        }
        all.extend_from_slice(&data);
    }
    Some(if all.is_empty() { first } else { all.into() })
}

/// A request that was read, on its way to its answer.
struct Asking<'a> {
    world: &'a World,
    operation: Operation,
    uuid: &'a str,
    sequence: u64,
    head: &'a Head<'a>,
    fields: &'a Fields<'a>,
    about: &'a About<'a>,
}

impl Asking<'_> {
    /// The answer, and whether it is that of a call that was processed.
    async fn answer(&self, caller: Result<Caller, Refusal>, is_in: bool) -> (Response, bool) {
        let Self {
            world,
            operation,
            sequence,
            head,
            ..
        } = *self;
        if !is_in && let Some(effect) = self.due(Place::Gate) {
            // Boxed, as all that is rare here: a call's future is as long as its longest part.
            return (Box::pin(self.at_the_gate(&effect)).await, false);
        }
        let caller = match caller {
            Ok(caller) => caller,
            Err(_) if world.config.login_redirect && !head.wants_json => {
                return (to_login_page(head.host()), false);
            }
            Err(refusal) => return (refusal.response(), false),
        };
        if !is_in && let Err(too_many) = throttle::admit(world, &caller, operation, sequence) {
            return (throttle::refuse(world, &too_many), false);
        }
        if let Some(effect) = self.due(Place::Door)
            && let Some(instead) = Box::pin(effect.instead(operation)).await
        {
            return (instead, false);
        }
        let call = Call {
            world,
            caller,
            uuid: self.uuid,
            sequence,
            head,
            fields: self.fields,
        };
        let result = handle(&call, operation).await;
        let processed = result.is_ok();
        let mut response = result.unwrap_or_else(Refusal::response);
        throttle::write_headers(world, &call.caller, operation, &mut response);
        if processed && let Some(effect) = self.due(Place::Exit) {
            call.processed();
            response = Box::pin(effect.spoil(response)).await;
        }
        (response, processed)
    }

    async fn at_the_gate(&self, effect: &Effect) -> Response {
        match effect {
            Effect::Answer(AsAnswer::TooManyRequests {
                headers,
                retry_after,
            }) => throttle::pretend(self.world, self.operation, *headers, *retry_after),
            Effect::Answer(AsAnswer::LoginRedirect) => to_login_page(self.head.host()),
            Effect::Wire(Wire::Refuse(duration)) => {
                self.world.doors.close_for(*duration).await;
                hang_up(Hangup::Reset)
            }
            effect => effect
                .instead(self.operation)
                .await
                .unwrap_or_else(|| empty(StatusCode::INTERNAL_SERVER_ERROR)),
        }
    }

    fn due(&self, place: Place) -> Option<Effect> {
        let world = self.world;
        if world.faults.is_empty() {
            return None;
        }
        let token = gate::bearer(self.head);
        let assistant = self.about.assistant(&lock(&world.state));
        let asked = self.about.asked(token, assistant.as_ref());
        let effect = world.faults.with(|book| book.due(&asked, place))?;
        let mut record = lock(&world.record);
        record.tally.fault();
        record.journal.note(self.sequence, |note| {
            // One at most at each place; both are told.
            note.fault = Some(match note.fault.take() {
                Some(earlier) => format!("{earlier}, {}", effect.name()),
                None => effect.name().to_owned(),
            });
        });
        Some(effect)
    }
}

async fn handle(call: &Call<'_>, operation: Operation) -> Result<Response, Refusal> {
    match operation {
        // These two take their time between the message and its answer.
        Operation::GenerateReply => return replies::generate(call).await,
        Operation::SendMessage => return conversations::send(call).await,
        _ => call.take_time(call.latency(None)).await,
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

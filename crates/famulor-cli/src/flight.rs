//! The message that is under way, so that an interruption can say what became of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use famulor_core::Delivery;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::layer::{Context, Layer};

use crate::exit::Exit;
use crate::failure::Failure;

/// What is under way, if anything.
#[derive(Default)]
pub(crate) struct Flight(Mutex<Option<UnderWay>>);

struct UnderWay {
    what: &'static str,
    /// What is known of it by now.
    delivery: Delivery,
    began: Instant,
    /// It waits for a free slot until then, with so many calls before it.
    waits: Option<(Instant, usize)>,
}

impl Flight {
    /// Runs a call that adds something: a message, a conversation. Dropped in
    /// the middle, it stays "under way": that is when somebody asks.
    pub(crate) async fn during<T>(&self, what: &'static str, call: impl Future<Output = T>) -> T {
        *self.lock() = Some(UnderWay {
            what,
            delivery: Delivery::NotSent,
            began: Instant::now(),
            waits: None,
        });
        let result = call.await;
        *self.lock() = None;
        result
    }

    /// What to tell somebody who has just stopped the command.
    pub(crate) fn stopped(&self, exit: Exit) -> Failure {
        let word = if exit == Exit::Terminated {
            "terminated"
        } else {
            "interrupted"
        };
        let under_way = self.lock();
        let Some(UnderWay { what, delivery, .. }) = &*under_way else {
            let message = format!("{word}; no message was under way");
            return Failure::by_signal(exit, Delivery::NotSent, message);
        };
        let state = match delivery {
            Delivery::NotSent => format!("before {what} was sent"),
            Delivery::Refused => format!("while {what} waited for the rate limit"),
            _ => format!("while {what} was under way"),
        };
        let failure = Failure::by_signal(exit, *delivery, format!("{word} {state}"));
        match delivery {
            Delivery::NotSent | Delivery::Refused => failure,
            _ => failure.next(
                "look at the conversation (famulor conversation list, famulor conversation get) \
                 before sending it again: it may be there already",
            ),
        }
    }

    /// Whether the server may have what was under way.
    pub(crate) fn may_have_arrived(&self) -> bool {
        let under_way = self.lock();
        under_way.as_ref().is_some_and(|under_way| {
            !matches!(under_way.delivery, Delivery::NotSent | Delivery::Refused)
        })
    }

    /// Nothing is under way any more: what was has been told.
    pub(crate) fn clear(&self) {
        *self.lock() = None;
    }

    /// It has to wait for a free slot of the quota.
    pub(crate) fn waits(&self, wait: Duration, ahead: usize) {
        if let Some(under_way) = &mut *self.lock() {
            under_way.waits = Instant::now().checked_add(wait).map(|until| (until, ahead));
        }
    }

    /// What happens just now, for somebody who watches: `the assistant writes, 2.4 s`.
    pub(crate) fn progress(&self) -> String {
        let under_way = self.lock();
        let Some(under_way) = &*under_way else {
            return String::new();
        };
        let now = Instant::now();
        if let Some((until, ahead)) = under_way.waits {
            let left = until.saturating_duration_since(now);
            return format!("waiting for the rate limit, {}", waiting(left, ahead));
        }
        let state = match under_way.delivery {
            Delivery::NotSent => "sending",
            Delivery::Refused => "refused for now, and sent again soon",
            _ => "the assistant writes",
        };
        let took = now.saturating_duration_since(under_way.began);
        format!("{state}, {:.1} s", took.as_secs_f64())
    }

    fn now_is(&self, delivery: Delivery) {
        if let Some(under_way) = &mut *self.lock() {
            under_way.delivery = delivery;
            under_way.waits = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<UnderWay>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `34 s left, 2 calls are ahead`.
fn waiting(left: Duration, ahead: usize) -> String {
    format!("{} s left{}", left.as_secs_f64().ceil(), queue(ahead))
}

/// `, 2 calls are ahead`: nothing, if this one is the next.
pub(crate) fn queue(ahead: usize) -> String {
    match ahead {
        0 => String::new(),
        1 => ", 1 call is ahead".to_owned(),
        ahead => format!(", {ahead} calls are ahead"),
    }
}

/// Follows the attempts of the library by their spans, which are named as
/// OpenTelemetry names those of HTTP clients. Looking a conversation up is an
/// attempt too, but a GET: it sends nothing.
pub(crate) struct Watch(pub(crate) Arc<Flight>);

impl<S> Layer<S> for Watch
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut seen = Seen::default();
        attributes.record(&mut seen);
        if seen.sends
            && let Some(span) = context.span(id)
        {
            span.extensions_mut().insert(Sends);
            self.0.now_is(Delivery::Unknown);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let sends = |id| Some(context.span(id)?.extensions().get::<Sends>().is_some());
        if sends(id) != Some(true) {
            return;
        }
        let mut seen = Seen::default();
        values.record(&mut seen);
        match seen {
            // Waiting for its next turn: the server said no before doing it.
            Seen {
                status: Some(429), ..
            } => self.0.now_is(Delivery::Refused),
            // No connection came about.
            Seen {
                no_connection: true,
                ..
            } => self.0.now_is(Delivery::NotSent),
            _ => {}
        }
    }
}

/// Marks the span of an attempt that is no GET.
struct Sends;

#[derive(Default)]
struct Seen {
    sends: bool,
    status: Option<u64>,
    no_connection: bool,
}

impl Visit for Seen {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "http.request.method" => self.sends = value != "GET",
            "error.type" => self.no_connection = value == "network",
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "http.response.status_code" {
            self.status = Some(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::waiting;

    #[test]
    fn a_wait_says_how_long_it_takes_and_behind_how_many() {
        assert_eq!(waiting(Duration::from_millis(33_400), 0), "34 s left");
        let behind = |ahead| waiting(Duration::from_secs(60), ahead);
        assert_eq!(behind(1), "60 s left, 1 call is ahead");
        assert_eq!(behind(3), "60 s left, 3 calls are ahead");
    }
}

//! The duration of every attempt, as the figure that OpenTelemetry has for it.

use std::time::Instant;

use opentelemetry::metrics::{Histogram, Meter};
use opentelemetry::{KeyValue, Value};
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Source: OpenTelemetry semantic conventions, "HTTP metrics", `http.client.request.duration`.
const NAME: &str = "http.client.request.duration";
const BOUNDARIES: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// The attributes that the figure may have: few values each, so that a collector can keep all combinations.
const ATTRIBUTES: [&str; 6] = [
    "http.request.method",
    "http.response.status_code",
    "url.template",
    "server.address",
    "server.port",
    "error.type",
];

/// Measures the SDK's spans from their beginning to their end.
pub(super) struct Durations(Histogram<f64>);

impl Durations {
    pub(super) fn new(meter: &Meter) -> Self {
        let histogram = meter
            .f64_histogram(NAME)
            .with_unit("s")
            .with_description("Duration of HTTP client requests.")
            .with_boundaries(BOUNDARIES.to_vec());
        Self(histogram.build())
    }
}

/// What is known of an attempt while it lasts.
struct Attempt {
    began: Instant,
    attributes: Vec<KeyValue>,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Durations {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().name() != "http.client" {
            return;
        }
        let mut attempt = Attempt {
            began: Instant::now(),
            attributes: Vec::new(),
        };
        attributes.record(&mut attempt);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(attempt);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(attempt) = span.extensions_mut().get_mut::<Attempt>()
        {
            values.record(attempt);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        if let Some(span) = context.span(&id)
            && let Some(attempt) = span.extensions_mut().remove::<Attempt>()
        {
            let seconds = attempt.began.elapsed().as_secs_f64();
            self.0.record(seconds, &attempt.attributes);
        }
    }
}

impl Attempt {
    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        if ATTRIBUTES.contains(&field.name()) {
            self.attributes.push(KeyValue::new(field.name(), value));
        }
    }
}

impl Visit for Attempt {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.add(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value.to_owned());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, i64::try_from(value).unwrap_or(i64::MAX));
    }
}

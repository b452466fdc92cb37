//! Spans and figures for an OpenTelemetry collector, where the environment names one.
//!
//! The variables are those of every program that speaks OTLP; what is not decided here, the SDK's crates read themselves
//! (headers, resource, sampler, time-outs). Nothing of it is touched as long as no endpoint is set.

mod durations;
mod figures;
mod outlet;

use std::time::Duration;

use famulor_core::Client;
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, MetricExporter, SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SdkTracerProvider};
use tracing::field::Empty;
use tracing::{Metadata, Span, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use self::durations::Durations;
use self::outlet::Outlet;
use crate::failure::Failure;
use crate::notes::Notes;
use crate::settings::Environment;

/// Who measures, and the name of the service unless OTEL_SERVICE_NAME says another.
const NAME: &str = "famulor";

/// The target of the command's own span. `-v` leaves it out: the log has the command line before it.
pub(crate) const COMMAND: &str = "famulor::command";

/// A command that is done waits so long for its spans to be taken: a collector on the same machine or network needs
/// milliseconds, and a person hardly notices.
const FLUSH: Duration = Duration::from_secs(2);

/// What has to be told before the process ends, or the last spans are lost.
#[derive(Clone)]
pub(crate) struct Telemetry {
    spans: Option<SdkTracerProvider>,
    meters: Option<SdkMeterProvider>,
}

impl Telemetry {
    /// Begins, if the environment names a collector. On a runtime, which then sends for it.
    ///
    /// A collector that cannot be one is a note and no failure: messages go their way without it.
    pub(crate) fn start(environment: &Environment, notes: Notes) -> Option<Self> {
        let wanted = Wanted::by(environment)?;
        match Self::of(&wanted) {
            Ok(telemetry) => Some(telemetry),
            Err(_) => {
                // The error would name the address, which may hold a password.
                notes.say(
                    "telemetry: off, for OTEL_EXPORTER_OTLP_* names no collector that can be asked",
                );
                None
            }
        }
    }

    fn of(wanted: &Wanted) -> Result<Self, ExporterBuildError> {
        let outlet = Outlet::new()
            .map_err(|error| ExporterBuildError::InternalFailure(error.to_string()))?;
        let spans = wanted.spans.then(|| {
            let exporter = SpanExporter::builder().with_http();
            exporter.with_http_client(outlet.clone()).build()
        });
        let figures = wanted.figures.then(|| {
            let exporter = MetricExporter::builder().with_http();
            exporter.with_http_client(outlet.clone()).build()
        });
        // Providers have threads, and waiting for these to end is not done here: both can be made, or none is.
        let (spans, figures) = (spans.transpose()?, figures.transpose()?);
        let resource = resource(wanted.service_is_named);
        Ok(Self {
            spans: spans.map(|exporter| {
                SdkTracerProvider::builder()
                    .with_resource(resource.clone())
                    .with_batch_exporter(exporter)
                    .build()
            }),
            meters: figures.map(|exporter| {
                SdkMeterProvider::builder()
                    .with_resource(resource)
                    .with_periodic_exporter(exporter)
                    .build()
            }),
        })
    }

    /// Follows the library's spans, which hold no key, customer or message, and the command's own; nobody else's.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let ours = |metadata: &Metadata<'_>| {
            metadata.target().starts_with("famulor_core") || metadata.target() == COMMAND
        };
        let spans = self.spans.as_ref().map(|spans| {
            tracing_opentelemetry::layer()
                .with_tracer(spans.tracer(NAME))
                // Of the machine that built the program, not of the one that it runs on.
                .with_location(false)
                .with_threads(false)
                .with_tracked_inactivity(false)
                .with_target(false)
        });
        let durations = self.meters.as_ref();
        let durations = durations.map(|meters| Durations::new(&meters.meter(NAME)));
        Layer::and_then(spans, durations).with_filter(filter_fn(ours))
    }

    /// Gives the figures of a client, and of its clones.
    pub(crate) fn observe(&self, client: &Client) {
        if let Some(meters) = &self.meters {
            figures::observe(&meters.meter(NAME), client);
        }
    }

    /// Sends what is left, as long as that is soon done.
    pub(crate) async fn end(self, notes: Notes, verbose: bool) {
        let Self { spans, meters } = self;
        let spans = taken(spans.map(|spans| move || spans.shutdown_with_timeout(FLUSH)));
        let meters = taken(meters.map(|meters| move || meters.shutdown_with_timeout(FLUSH)));
        let both = async { tokio::join!(spans, meters) };
        let both = tokio::time::timeout(FLUSH, both).await;
        if verbose && both != Ok((true, true)) {
            notes.say("telemetry: the collector has not taken everything");
        }
    }
}

/// Whether the end of a provider, if there is one, was a good one. It waits for a thread, which a task must not.
async fn taken(end: Option<impl FnOnce() -> OTelSdkResult + Send + 'static>) -> bool {
    match end {
        Some(end) => matches!(tokio::task::spawn_blocking(end).await, Ok(Ok(()))),
        None => true,
    }
}

/// What the environment asks for.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    spans: bool,
    figures: bool,
    service_is_named: bool,
}

impl Wanted {
    fn by(environment: &Environment) -> Option<Self> {
        let text = |name: &str| environment.text(name).ok().flatten();
        // Source: OpenTelemetry specification, "Environment variables": true in any case, and nothing else, is true.
        if text("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return None;
        }
        let everything = text("OTEL_EXPORTER_OTLP_ENDPOINT").is_some();
        let wanted = |signal: &str| {
            let to = everything || text(&format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")).is_some();
            let by = text(&format!("OTEL_{signal}_EXPORTER"));
            to && by.is_none_or(|by| by.split(',').any(|by| by.trim() == "otlp"))
        };
        let (spans, figures) = (wanted("TRACES"), wanted("METRICS"));
        let service_is_named = text("OTEL_SERVICE_NAME").is_some()
            || text("OTEL_RESOURCE_ATTRIBUTES").is_some_and(|attributes| {
                let mut names = attributes
                    .split(',')
                    .filter_map(|pair| pair.split_once('='));
                names.any(|(name, _)| name.trim() == "service.name")
            });
        (spans || figures).then_some(Self {
            spans,
            figures,
            service_is_named,
        })
    }
}

/// Who sends: by the environment, and what that leaves open.
fn resource(service_is_named: bool) -> Resource {
    let mut resource = Resource::builder().with_attributes([
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        // Two commands at once are two: else a collector adds up what is not one series.
        KeyValue::new(
            "service.instance.id",
            RandomIdGenerator::default().new_trace_id().to_string(),
        ),
    ]);
    if !service_is_named {
        resource = resource.with_service_name(NAME);
    }
    resource.build()
}

/// The span of a whole command, named with its words (`famulor conversation send`) and nothing that was typed beside
/// them. Source: OpenTelemetry semantic conventions, "CLI programs".
pub(crate) fn command() -> Span {
    let words = words();
    tracing::info_span!(
        target: COMMAND,
        "command",
        otel.name = words,
        otel.status_code = Empty,
        process.executable.name = NAME,
        process.pid = std::process::id(),
        process.exit.code = Empty,
        error.type = Empty,
    )
}

/// Writes down how it ended.
pub(crate) fn note_end(span: &Span, failure: Option<&Failure>) {
    let code = failure.map_or(0, |failure| failure.exit().code());
    span.record("process.exit.code", code);
    if code != 0 {
        span.record("otel.status_code", "ERROR");
        let kind = match failure {
            Some(Failure::Report(report)) => report.kind.as_str(),
            _ => "_OTHER",
        };
        span.record("error.type", kind);
    }
}

/// The names of the commands in the command line, which was understood once already.
fn words() -> String {
    let mut words = NAME.to_owned();
    let Ok(matches) = crate::args::command().try_get_matches() else {
        return words;
    };
    let mut at = &matches;
    while let Some((name, below)) = at.subcommand() {
        words.push(' ');
        words.push_str(name);
        at = below;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::Wanted;
    use crate::settings::Environment;

    fn wanted(variables: &[(&str, &str)]) -> Option<Wanted> {
        let variables = variables
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        Wanted::by(&Environment::from_vars(variables))
    }

    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");

    #[test]
    fn nothing_is_wanted_unless_there_is_an_endpoint() {
        assert_eq!(wanted(&[]), None);
        assert_eq!(wanted(&[("OTEL_SERVICE_NAME", "desk")]), None);
        assert_eq!(wanted(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")]), None);
    }

    #[test]
    fn an_endpoint_is_for_both_signals_or_for_one() {
        let both = |spans, figures| {
            Some(Wanted {
                spans,
                figures,
                service_is_named: false,
            })
        };
        assert_eq!(wanted(&[ENDPOINT]), both(true, true));
        let traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c/v1/traces");
        assert_eq!(wanted(&[traces]), both(true, false));
        let metrics = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://c/v1/metrics");
        assert_eq!(wanted(&[metrics]), both(false, true));
        let none = ("OTEL_TRACES_EXPORTER", "none");
        assert_eq!(wanted(&[ENDPOINT, none]), both(false, true));
        let both_exporters = ("OTEL_TRACES_EXPORTER", "console, otlp");
        assert_eq!(wanted(&[ENDPOINT, both_exporters]), both(true, true));
    }

    #[test]
    fn the_sdk_can_be_switched_off() {
        assert_eq!(wanted(&[ENDPOINT, ("OTEL_SDK_DISABLED", "True")]), None);
        assert!(wanted(&[ENDPOINT, ("OTEL_SDK_DISABLED", "1")]).is_some());
    }

    #[test]
    fn a_service_is_named_by_its_variable_or_by_the_resource() {
        let named = |variable| wanted(&[ENDPOINT, variable]).is_some_and(|it| it.service_is_named);
        assert!(named(("OTEL_SERVICE_NAME", "desk")));
        assert!(named((
            "OTEL_RESOURCE_ATTRIBUTES",
            "a=b, service.name=desk"
        )));
        assert!(!named((
            "OTEL_RESOURCE_ATTRIBUTES",
            "service.namespace=desk"
        )));
    }
}

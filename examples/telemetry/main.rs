//! Spans and figures in an OpenTelemetry collector.
//!
//!     cargo run -p famulor-examples --example telemetry -- --emulator
//!
//! They go to OTEL_EXPORTER_OTLP_ENDPOINT (http://localhost:4318 if it is not set), as OTLP in JSON over HTTP; if nobody
//! listens there, messages are answered all the same, and the last line says what was lost. Without `--emulator` messages
//! go to your account (FAMULOR_API_KEY, FAMULOR_ASSISTANT_ID); 2 of them are billed.
//!
//! The SDK makes one span an attempt, named as OpenTelemetry names those of HTTP clients, and puts no customer, message,
//! conversation id or key into it.

mod durations;
mod figures;
mod outlet;

use std::process::ExitCode;

use durations::Durations;
use famulor_core::CustomerId;
use famulor_emulator::{AsAnswer, Fault, Operation};
use famulor_examples::{Failure, Stage, report};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use outlet::Outlet;
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, info_span};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

#[tokio::main]
async fn main() -> ExitCode {
    report(run().await)
}

async fn run() -> Result<(), Failure> {
    let stage = Stage::from_args().await?;
    if let Some(emulator) = stage.emulator() {
        let full = AsAnswer::TooManyRequests {
            headers: true,
            retry_after: 1,
        };
        emulator.inject(Fault::answer(full).on(Operation::GenerateReply));
    }
    let telemetry = Telemetry::start()?;
    let client = stage.client()?;
    figures::observe(&telemetry.meters.meter("helpdesk"), &client);

    for question in ["Where is my order?", "And when will it be here?"] {
        let customer = CustomerId::raw("crm-4711")?;
        let call = client.reply(stage.assistant(), customer, question).send();
        // The SDK's spans become children of your own.
        let reply = call.instrument(info_span!("answer a ticket")).await?;
        println!("answered after {} attempt(s)", reply.attempts());
    }
    telemetry.end().await
}

/// What has to be told before the program ends, or the last spans are lost.
struct Telemetry {
    spans: SdkTracerProvider,
    meters: SdkMeterProvider,
}

impl Telemetry {
    fn start() -> Result<Self, Failure> {
        let service = Resource::builder().with_service_name("helpdesk").build();
        let outlet = Outlet::new()?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(outlet.clone())
            .build()?;
        let spans = SdkTracerProvider::builder()
            .with_resource(service.clone())
            .with_batch_exporter(exporter)
            .build();
        let exporter = MetricExporter::builder()
            .with_http()
            .with_http_client(outlet)
            .build()?;
        let meters = SdkMeterProvider::builder()
            .with_resource(service)
            .with_periodic_exporter(exporter)
            .build();

        // The SDK and this program; not the exporter's own HTTP client, whose spans would never end.
        let ours = Targets::new()
            .with_target("famulor_core", LevelFilter::INFO)
            .with_target("telemetry", LevelFilter::INFO);
        tracing_subscriber::registry()
            .with(ours)
            .with(tracing_opentelemetry::layer().with_tracer(spans.tracer("helpdesk")))
            .with(Durations::new(&meters.meter("helpdesk")))
            .try_init()?;
        Ok(Self { spans, meters })
    }

    /// Sends what is left. It waits for threads, which a task must not.
    async fn end(self) -> Result<(), Failure> {
        tokio::task::spawn_blocking(move || {
            self.spans.shutdown()?;
            self.meters.shutdown()
        })
        .await??;
        Ok(())
    }
}

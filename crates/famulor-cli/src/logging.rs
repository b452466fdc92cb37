//! What the library does: on standard error for `-v` and FAMULOR_LOG, and for a collector.

use std::sync::Arc;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::failure::Failure;
use crate::flight::{Flight, Watch};
use crate::settings::Environment;
use crate::telemetry::{self, Telemetry};

/// Starts following the library, and logging if somebody wants it.
///
/// Only this project's own events are shown, whatever FAMULOR_LOG names: they
/// carry no key and nobody's words, which nobody can promise for an HTTP library.
pub(crate) fn start(
    wanted: Option<EnvFilter>,
    flight: &Arc<Flight>,
    telemetry: Option<&Telemetry>,
) {
    let ours = |metadata: &Metadata<'_>| {
        metadata.target().starts_with("famulor") && metadata.target() != telemetry::COMMAND
    };
    let log = wanted.map(|wanted| {
        tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(false)
            // The library describes each attempt as a span: its end is the line to read.
            .with_span_events(FmtSpan::CLOSE)
            .with_filter(wanted.and(filter_fn(ours)))
    });
    let watch = Watch(Arc::clone(flight)).with_filter(filter_fn(ours));
    // A second start can only be a test's: the first one stays.
    let _ = tracing_subscriber::registry()
        .with(watch)
        .with(log)
        .with(telemetry.map(Telemetry::layer))
        .try_init();
}

/// What is to be logged, if anything.
pub(crate) fn wanted(verbose: u8, environment: &Environment) -> Result<Option<EnvFilter>, Failure> {
    let from = |level: Level| EnvFilter::default().add_directive(level.into());
    Ok(match (verbose, environment.text("FAMULOR_LOG")?) {
        (0, None) => None,
        (0, Some(directives)) => Some(EnvFilter::try_new(&directives).map_err(|_| {
            Failure::config("FAMULOR_LOG is no filter; write a level, such as info or debug")
        })?),
        (1, _) => Some(from(Level::INFO)),
        (2, _) => Some(from(Level::DEBUG)),
        (_, _) => Some(from(Level::TRACE)),
    })
}

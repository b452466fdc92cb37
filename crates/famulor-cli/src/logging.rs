//! `-v` and FAMULOR_LOG: what the library does, on standard error.

use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::failure::Failure;
use crate::settings::Environment;

/// Starts logging, if somebody wants it.
///
/// Only this project's own events are shown, whatever FAMULOR_LOG names: they
/// carry no key and nobody's words, which nobody can promise for an HTTP library.
pub(crate) fn start(verbose: u8, environment: &Environment) -> Result<(), Failure> {
    let wanted = match (verbose, environment.text("FAMULOR_LOG")?) {
        (0, None) => return Ok(()),
        (0, Some(directives)) => EnvFilter::try_new(&directives).map_err(|_| {
            Failure::config("FAMULOR_LOG is no filter; write a level, such as info or debug")
        })?,
        (1, _) => EnvFilter::default().add_directive(Level::INFO.into()),
        (2, _) => EnvFilter::default().add_directive(Level::DEBUG.into()),
        (_, _) => EnvFilter::default().add_directive(Level::TRACE.into()),
    };
    let ours = filter_fn(|metadata| metadata.target().starts_with("famulor"));
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_filter(wanted.and(ours));
    // A second start can only be a test's: the first one stays.
    let _ = tracing_subscriber::registry().with(layer).try_init();
    Ok(())
}

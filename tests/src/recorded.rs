//! Everything that a program tells its log: spans, their fields, events, and records of the `log` crate.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

/// A span or an event as text: `name{field=value …}`.
#[derive(Clone, Default)]
pub struct Recorded(Arc<Mutex<Vec<String>>>);

/// Where records of the `log` crate go: that has one logger a process.
static LOG: Mutex<String> = Mutex::new(String::new());

impl Recorded {
    /// Records what this thread's tracing says from now on, at every level, until the guard is dropped; and what the
    /// whole process tells the `log` crate.
    #[must_use]
    pub fn start() -> (Self, tracing::subscriber::DefaultGuard) {
        use tracing_subscriber::layer::SubscriberExt;
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            let _ = log::set_boxed_logger(Box::new(Logger));
            log::set_max_level(log::LevelFilter::Trace);
        });
        let recorded = Self::default();
        let subscriber = tracing_subscriber::registry().with(recorded.clone());
        (recorded, tracing::subscriber::set_default(subscriber))
    }

    /// Every line.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What the process told the `log` crate.
    #[must_use]
    pub fn log() -> String {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn push(&self, line: String) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line);
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorded {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        self.push(format!(
            "span {} {}{{{}}}",
            id.into_u64(),
            attributes.metadata().name(),
            fields.0
        ));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        self.push(format!("record {} {{{}}}", id.into_u64(), fields.0));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.push(format!(
            "event {}{{{}}}",
            event.metadata().target(),
            fields.0
        ));
    }
}

#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let mut text = LOG.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(text, "{} {}", record.target(), record.args());
    }

    fn flush(&self) {}
}

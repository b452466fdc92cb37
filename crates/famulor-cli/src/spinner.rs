//! A line on the terminal that says what is waited for, and how long that takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use crate::run::Run;
use crate::terminal::{self, Restore};

/// Often enough for tenths of a second to be read.
const TICK: Duration = Duration::from_millis(100);

static SHOWN: AtomicBool = AtomicBool::new(false);

/// Turns until it is dropped, and leaves nothing behind. Off a terminal, and
/// where nobody wants notes, it is not there at all.
pub(crate) struct Spinner(Option<(ProgressBar, Option<Restore>)>);

impl Spinner {
    /// While a message is under way.
    pub(crate) fn start(run: &Run) -> Self {
        let flight = Arc::clone(&run.flight);
        Self::saying(run, move || flight.progress())
    }

    /// While something is looked up, which adds nothing.
    pub(crate) fn reading(run: &Run, what: &'static str) -> Self {
        let began = Instant::now();
        Self::saying(run, move || {
            format!("{what}, {:.1} s", began.elapsed().as_secs_f64())
        })
    }

    fn saying(run: &Run, what: impl Fn() -> String + Clone + Send + Sync + 'static) -> Self {
        // A log would be torn by it.
        if run.notes.quiet || run.global.verbose > 0 {
            return Self(None);
        }
        let bar = ProgressBar::new_spinner();
        // Which draws on standard error, and only on a terminal.
        if bar.is_hidden() {
            return Self(None);
        }
        bar.set_style(style(what));
        bar.enable_steady_tick(TICK);
        SHOWN.store(true, Ordering::Relaxed);
        // A key that is pressed meanwhile would show in the line, and move it.
        let keys = terminal::hold_keys().ok();
        Self(Some((bar, keys)))
    }

    /// Whether one turns just now.
    pub(crate) fn is_shown() -> bool {
        SHOWN.load(Ordering::Relaxed)
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        if let Some((bar, keys)) = self.0.take() {
            SHOWN.store(false, Ordering::Relaxed);
            bar.finish_and_clear();
            drop(keys);
        }
    }
}

fn style(what: impl Fn() -> String + Clone + Send + Sync + 'static) -> ProgressStyle {
    let progress = move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
        // A string takes everything.
        let _ = out.write_str(&what());
    };
    ProgressStyle::with_template("{spinner} {progress}  (Ctrl-C stops waiting)")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .with_key("progress", progress)
}

//! How far it is: a bar on a terminal, a plain line now and then elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use super::counts::Counts;
use super::forecast::{Forecast, until};
use crate::notes::Notes;
use crate::terminal::{self, Restore};

/// How often a terminal is told. The store is asked for it.
const ON_A_TERMINAL: Duration = Duration::from_millis(500);
/// How often a log is told.
const ELSEWHERE: Duration = Duration::from_secs(30);
/// Asking for the counts may cost a large store so much of its time, and no more: one part in twenty.
const SHARE: u32 = 20;

pub(super) struct Progress {
    notes: Notes,
    /// What the lines begin with: `job spring`.
    what: String,
    shown: Shown,
    /// A key that shows in the bar, `^C` too, moves it: what is taken away then is not all of it.
    _keys: Option<Restore>,
    forecast: Forecast,
    last: Option<Counts>,
    next: Instant,
}

enum Shown {
    Bar(ProgressBar),
    Lines,
    Nothing,
}

impl Progress {
    /// `logs`: something else writes to standard error, which a bar would be torn by.
    pub(super) fn start(notes: Notes, logs: bool, what: String, forecast: Forecast) -> Self {
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let shown = if notes.quiet {
            Shown::Nothing
        } else if std::io::stderr().is_terminal() && !logs && !is_dumb {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            bar.set_style(style());
            bar.set_prefix(what.clone());
            Shown::Bar(bar)
        } else {
            Shown::Lines
        };
        let keys = match shown {
            Shown::Bar(_) => terminal::hide_keys().ok(),
            Shown::Lines | Shown::Nothing => None,
        };
        Self {
            notes,
            what,
            shown,
            _keys: keys,
            forecast,
            last: None,
            next: Instant::now(),
        }
    }

    /// Waits until the next look is due; for ever if nobody is told.
    pub(super) async fn due(&self) {
        match self.shown {
            Shown::Nothing => std::future::pending().await,
            Shown::Bar(_) | Shown::Lines => tokio::time::sleep_until(self.next).await,
        }
    }

    /// Shows what was found, and sets the time of the next look by what this one took.
    pub(super) fn show(&mut self, counts: Counts, took: Duration) {
        let every = match &self.shown {
            Shown::Bar(bar) => {
                bar.set_length(counts.total());
                bar.set_position(counts.settled());
                let outlook = self.outlook(&counts).map(|outlook| format!(", {outlook}"));
                bar.set_message(format!("{}{}", counts.line(), outlook.unwrap_or_default()));
                bar.tick();
                ON_A_TERMINAL
            }
            Shown::Lines => {
                if self.last != Some(counts) {
                    let outlook = self.outlook(&counts).map(|outlook| format!(", {outlook}"));
                    self.notes.say(&format!(
                        "{}: {}{}",
                        self.what,
                        counts.line(),
                        outlook.unwrap_or_default()
                    ));
                }
                ELSEWHERE
            }
            Shown::Nothing => ELSEWHERE,
        };
        self.last = Some(counts);
        self.next = Instant::now() + every.max(took * SHARE);
    }

    /// A note that does not tear the bar.
    pub(super) fn say(&self, note: &str) {
        match &self.shown {
            Shown::Bar(bar) => bar.suspend(|| self.notes.say(note)),
            Shown::Lines | Shown::Nothing => self.notes.say(note),
        }
    }

    /// Takes the bar off the screen.
    pub(super) fn end(&self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }

    /// `5.0/min, until 15:42 (11m)`, as far as it is known.
    fn outlook(&self, counts: &Counts) -> Option<String> {
        let settled = counts.settled();
        let rate = self.forecast.a_minute(settled);
        let left = match counts.unsettled() {
            0 => None,
            unsettled => self
                .forecast
                .left(unsettled, settled)
                .filter(|left| !left.is_zero()),
        };
        match (rate, left) {
            (None, None) => None,
            (Some(rate), None) => Some(format!("{rate:.1}/min")),
            (None, Some(left)) => Some(format!("until {}", until(left))),
            (Some(rate), Some(left)) => Some(format!("{rate:.1}/min, until {}", until(left))),
        }
    }
}

/// A bar as wide as the terminal, the figures below it.
fn style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix} [{wide_bar}] {human_pos} of {human_len}\n{wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

//! How far it is: a bar on a terminal, a plain line now and then elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use super::counts::Counts;
use super::forecast::{Forecast, until};
use crate::failure::Failure;
use crate::notes::Notes;
use crate::terminal::{self, Restore};
use crate::visible::visible_line;

/// How often a terminal is told. The store is asked for it.
const ON_A_TERMINAL: Duration = Duration::from_millis(500);
/// How often a log is told.
const ELSEWHERE: Duration = Duration::from_secs(30);
/// How soon a store that is away is asked again.
const IF_AWAY: Duration = Duration::from_secs(2);
/// Asking for the counts may cost a large store so much of its time, and no more: one part in twenty.
const SHARE: u32 = 20;

pub(super) struct Progress {
    notes: Notes,
    /// What the lines begin with: `job spring`.
    what: String,
    shown: Shown,
    forecast: Forecast,
    last: Option<Counts>,
    next: Instant,
    /// The last look failed.
    away: bool,
}

/// How something is shown that goes on.
pub(super) enum Shown {
    /// A key that is pressed meanwhile is not shown: it would move the bar, and Ctrl-C is one.
    Bar {
        bar: ProgressBar,
        _keys: Option<Restore>,
    },
    Lines,
    Nothing,
}

impl Shown {
    /// `logs`: something else writes to standard error, which a bar would be torn by.
    pub(super) fn choose(notes: Notes, logs: bool, style: ProgressStyle) -> Self {
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        if notes.quiet {
            Self::Nothing
        } else if std::io::stderr().is_terminal() && !logs && !is_dumb {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            bar.set_style(style);
            Self::Bar {
                bar,
                _keys: terminal::hide_keys_in_front(),
            }
        } else {
            Self::Lines
        }
    }
}

impl Progress {
    /// `logs`: something else writes to standard error, which a bar would be torn by.
    pub(super) fn start(notes: Notes, logs: bool, what: String, forecast: Forecast) -> Self {
        let shown = Shown::choose(notes, logs, style());
        if let Shown::Bar { bar, .. } = &shown {
            bar.set_prefix(what.clone());
        }
        Self {
            notes,
            what,
            shown,
            forecast,
            last: None,
            next: Instant::now(),
            away: false,
        }
    }

    /// Waits until the next look is due; for ever if nobody is told.
    pub(super) async fn due(&self) {
        match self.shown {
            Shown::Nothing => std::future::pending().await,
            Shown::Bar { .. } | Shown::Lines => tokio::time::sleep_until(self.next).await,
        }
    }

    /// Shows what was found, and sets the time of the next look by what this one took.
    pub(super) fn show(&mut self, counts: Counts, took: Duration) {
        let every = match &self.shown {
            Shown::Bar { bar, .. } => {
                bar.set_length(counts.total());
                bar.set_position(counts.settled());
                let outlook = self.outlook(&counts).map(|outlook| format!("\n{outlook}"));
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
        if std::mem::take(&mut self.away) {
            self.say("the store is back");
        }
        self.last = Some(counts);
        self.next = Instant::now() + every.max(took * SHARE);
    }

    /// The store could not be asked. The worker waits for it, and so does whoever reads this.
    pub(super) fn cannot_look(&mut self, failure: &Failure) {
        if !self.away {
            self.away = true;
            if let Failure::Report(report) = failure {
                let cause = visible_line(&report.message);
                self.say(&format!("waiting for the store: {cause}"));
            }
        }
        self.next = Instant::now() + IF_AWAY;
    }

    /// A note that does not tear the bar.
    pub(super) fn say(&self, note: &str) {
        match &self.shown {
            Shown::Bar { bar, .. } => bar.suspend(|| self.notes.say(note)),
            Shown::Lines | Shown::Nothing => self.notes.say(note),
        }
    }

    /// Takes the bar off the screen.
    pub(super) fn end(&self) {
        if let Shown::Bar { bar, .. } = &self.shown {
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

/// A bar as wide as the terminal, the figures below it, and below them how long it takes: each short enough for a narrow
/// terminal.
fn style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix} [{wide_bar}] {human_pos} of {human_len}\n{msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

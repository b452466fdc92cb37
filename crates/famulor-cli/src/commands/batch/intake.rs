//! How far an input is read: a line on a terminal, a plain line now and then elsewhere.

use std::time::{Duration, Instant};

use indicatif::ProgressStyle;

use super::progress::Shown;
use crate::notes::Notes;

/// So many that taking them over is noticed.
pub(super) const MANY: u64 = 50_000;

/// What takes no longer is not worth a line on a terminal, unless it is known to be much.
const AT_ONCE: Duration = Duration::from_millis(200);
/// How often a terminal is told.
const ON_A_TERMINAL: Duration = Duration::from_millis(100);
/// How often a log is told.
const ELSEWHERE: Duration = Duration::from_secs(10);
/// Lines between two looks at the clock.
const LINES: u64 = 256;

/// Counts what is read of an input. Dropping it takes the line off the screen.
pub(super) struct Intake {
    notes: Notes,
    shown: Shown,
    /// `checking list.jsonl`
    deed: String,
    /// How many there will be, once that is known.
    total: Option<u64>,
    lines: u64,
    next: Instant,
}

impl Intake {
    pub(super) fn start(notes: Notes, logs: bool, deed: String, total: Option<u64>) -> Self {
        let shown = Shown::choose(notes, logs, style(total.is_some()));
        let wait = match &shown {
            Shown::Bar { bar, .. } => {
                bar.set_prefix(deed.clone());
                bar.set_length(total.unwrap_or(0));
                match total {
                    Some(MANY..) => Duration::ZERO,
                    _ => AT_ONCE,
                }
            }
            Shown::Lines | Shown::Nothing => ELSEWHERE,
        };
        Self {
            notes,
            shown,
            deed,
            total,
            lines: 0,
            next: Instant::now() + wait,
        }
    }

    /// One more.
    pub(super) fn count(&mut self) {
        self.lines += 1;
        if self.lines.is_multiple_of(LINES) {
            self.tell(Instant::now());
        }
    }

    fn tell(&mut self, now: Instant) {
        if now < self.next {
            return;
        }
        let every = match &self.shown {
            Shown::Bar { bar, .. } => {
                bar.set_position(self.lines);
                bar.tick();
                ON_A_TERMINAL
            }
            Shown::Lines => {
                self.notes.say(&self.line());
                ELSEWHERE
            }
            Shown::Nothing => ELSEWHERE,
        };
        self.next = now + every;
    }

    /// `taking over job spring: 450000 of 1000000 messages`
    fn line(&self) -> String {
        let (deed, lines) = (&self.deed, self.lines);
        match self.total {
            Some(total) => format!("{deed}: {lines} of {total} messages"),
            None => format!("{deed}: {lines} messages"),
        }
    }

    /// Writes something else to standard error, which must not tear the line.
    pub(super) fn beside(&self, write: impl FnOnce()) {
        match &self.shown {
            Shown::Bar { bar, .. } => bar.suspend(write),
            Shown::Lines | Shown::Nothing => write(),
        }
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        if let Shown::Bar { bar, .. } = &self.shown {
            bar.finish_and_clear();
        }
    }
}

fn style(has_total: bool) -> ProgressStyle {
    let template = match has_total {
        true => "{prefix} [{wide_bar}] {human_pos} of {human_len}",
        false => "{prefix}: {human_pos} messages",
    };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intake(total: Option<u64>) -> Intake {
        let quiet = Notes { quiet: true };
        let mut intake = Intake::start(quiet, false, "taking over job spring".to_owned(), total);
        intake.shown = Shown::Lines;
        intake
    }

    #[test]
    fn a_log_is_told_every_ten_seconds() {
        let mut intake = intake(Some(1_000_000));
        let began = Instant::now();
        intake.next = began + ELSEWHERE;
        let told = |intake: &mut Intake, second: u64| {
            let before = intake.next;
            intake.tell(began + Duration::from_secs(second));
            intake.next != before
        };
        let seconds: Vec<u64> = (0..=35)
            .filter(|second| told(&mut intake, *second))
            .collect();
        assert_eq!(seconds, [10, 20, 30]);
    }

    #[test]
    fn a_line_says_how_far_it_is_and_of_how_many() {
        let mut known = intake(Some(3));
        known.count();
        assert_eq!(known.line(), "taking over job spring: 1 of 3 messages");
        let mut unknown = intake(None);
        unknown.count();
        unknown.count();
        assert_eq!(unknown.line(), "taking over job spring: 2 messages");
    }
}

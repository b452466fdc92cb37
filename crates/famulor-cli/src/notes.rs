//! What is said beside the data, on standard error: notes, waits, errors.

use std::io::Write;
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use crate::duration::rough;
use crate::failure::{Failure, Report};
use crate::flight::queue;
use crate::json;
use crate::terminal;
use crate::visible::visible_line;
use crate::wrap::wrapped;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(crate) const ASSISTANT: Style = AnsiColor::Cyan.on_default();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const HEADING: Style = AnsiColor::Magenta.on_default().bold();
pub(crate) const WAIT: Style = AnsiColor::Yellow.on_default();
pub(crate) const USER: Style = AnsiColor::Green.on_default();

/// Notes on standard error, unless `--quiet`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Notes {
    pub(crate) quiet: bool,
}

impl Notes {
    /// One line of our own words; the caller makes foreign text visible.
    pub(crate) fn say(self, note: &str) {
        if !self.quiet {
            // Standard error may be closed; there is nobody to tell.
            let note = wrapped(note, terminal::width(), 0, "    ");
            let _ = writeln!(anstream::stderr(), "{DIM}{note}{DIM:#}");
        }
    }

    /// Why nothing seems to happen.
    pub(crate) fn waiting(self, wait: Duration, ahead: usize) {
        self.say(&format!(
            "waiting {} for a free slot in the rate limit{}",
            rough(wait),
            queue(ahead)
        ));
    }
}

/// The failure, where and how the caller reads it. Said even when quiet.
pub(crate) fn report(failure: &Failure, as_json: bool) {
    let Failure::Report(report) = failure else {
        return;
    };
    let mut stderr = anstream::stderr();
    let _ = if as_json {
        json::compact(&report.json())
            .map_err(std::io::Error::from)
            .and_then(|line| stderr.write_all(&line))
    } else {
        text(report, &mut stderr)
    };
}

fn text(report: &Report, out: &mut impl Write) -> std::io::Result<()> {
    let width = terminal::width();
    let mut cause = visible_line(&report.message).into_owned();
    if let Some(answer) = report.answer_line() {
        cause.push_str(&format!(" ({})", visible_line(&answer)));
    }
    let cause = wrapped(&cause, width, "error: ".len(), "  ");
    writeln!(out, "{ERROR}error:{ERROR:#} {cause}")?;
    for detail in &report.details {
        let detail = visible_line(detail);
        writeln!(out, "  {}", wrapped(&detail, width, 2, "    "))?;
    }
    if let Some(delivery) = report.delivery_line() {
        let delivery = wrapped(delivery, width, "  sent? ".len(), "    ");
        writeln!(out, "  {BOLD}sent?{BOLD:#} {delivery}")?;
    }
    if let Some(next) = &report.next {
        let next = visible_line(next);
        let next = wrapped(&next, width, "  next: ".len(), "    ");
        writeln!(out, "  {BOLD}next:{BOLD:#} {next}")?;
    }
    Ok(())
}

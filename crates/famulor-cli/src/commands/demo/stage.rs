//! How the demo looks: paced for a person on a terminal, plain and quick elsewhere.

use std::io::{self, Write};
use std::time::Duration;

use famulor_core::{FunctionCall, Message, Reply};

use super::figures::Figures;
use crate::failure::Failure;
use crate::notes::{ASSISTANT, BOLD, DIM, HEADING, USER, WAIT};
use crate::transcript::{function_call, style};
use crate::visible::visible_line;

/// Fits a terminal of 80 columns.
const WIDTH: usize = 78;

pub(super) struct Stage {
    /// Whether anything is shown.
    open: bool,
    /// Whether a person watches.
    paced: bool,
}

impl Stage {
    pub(super) fn new(open: bool, paced: bool) -> Self {
        Self { open, paced }
    }

    pub(super) async fn title(&mut self, title: &str, text: &str) -> Result<(), Failure> {
        self.show(|out| {
            writeln!(out, "{HEADING}{title}{HEADING:#}")?;
            paragraph(out, "", "", text)
        })?;
        self.pause(Duration::from_millis(900)).await
    }

    pub(super) async fn scene(&mut self, title: &str, text: &str) -> Result<(), Failure> {
        self.show(|out| {
            writeln!(out)?;
            writeln!(out, "{HEADING}{title}{HEADING:#}")?;
            paragraph(out, "", "", text)
        })?;
        self.pause(Duration::from_millis(700)).await
    }

    pub(super) async fn says(&mut self, who: &str, text: &str) -> Result<(), Failure> {
        let style = if who == "customer" { USER } else { ASSISTANT };
        let label = format!("  {who:>9}  ");
        self.show(|out| {
            paragraph(
                out,
                &format!("{style}{label}{style:#}"),
                &" ".repeat(label.len()),
                text,
            )
        })?;
        self.pause(Duration::from_millis(600)).await
    }

    pub(super) fn calls(&mut self, calls: &[FunctionCall]) -> Result<(), Failure> {
        self.show(|out| {
            calls.iter().try_for_each(|call| {
                let indent = " ".repeat(13);
                write!(out, "{DIM}")?;
                paragraph(
                    out,
                    &format!("{indent}calls "),
                    &indent,
                    &function_call(call),
                )?;
                write!(out, "{DIM:#}")
            })
        })
    }

    /// One answered message: when, which of the limit's slots, who, what, and the answer.
    pub(super) async fn reply(
        &mut self,
        clock: Duration,
        number: usize,
        customer: &str,
        message: &str,
        reply: &Reply,
    ) -> Result<(), Failure> {
        self.show(|out| {
            writeln!(
                out,
                "  {DIM}{}{DIM:#}  {number}. {BOLD}{}{BOLD:#}: {}",
                minutes(clock),
                visible_line(customer),
                visible_line(message),
            )?;
            let indent = " ".repeat(11);
            for call in reply.function_calls() {
                writeln!(
                    out,
                    "{indent}{DIM}calls {}{DIM:#}",
                    visible_line(&call.name)
                )?;
            }
            let answer = reply.text().unwrap_or_default();
            paragraph(
                out,
                &format!("{indent}{ASSISTANT}>{ASSISTANT:#} "),
                &indent,
                answer,
            )
        })?;
        self.pause(Duration::from_millis(350)).await
    }

    pub(super) async fn waits(
        &mut self,
        clock: Duration,
        limit: u32,
        wait: Duration,
    ) -> Result<(), Failure> {
        let seconds = wait.as_secs();
        self.show(|out| {
            writeln!(
                out,
                "  {DIM}{}{DIM:#}  {WAIT}All {limit} slots of the limit are taken. The next call waits \
                 {seconds} s{WAIT:#}",
                minutes(clock),
            )?;
            writeln!(out, "        {WAIT}of the emulator's time, instead of being refused.{WAIT:#}")
        })?;
        self.pause(Duration::from_millis(350)).await
    }

    pub(super) async fn history(&mut self, messages: &[Message]) -> Result<(), Failure> {
        for message in messages {
            let style = style(&message.role);
            let label = format!("  {:>9}  ", visible_line(message.role.as_str()));
            let text = message.content.as_deref().unwrap_or_default();
            self.show(|out| {
                paragraph(
                    out,
                    &format!("{style}{label}{style:#}"),
                    &" ".repeat(label.len()),
                    text,
                )
            })?;
        }
        self.pause(Duration::from_millis(700)).await
    }

    pub(super) fn figures(&mut self, figures: &Figures) -> Result<(), Failure> {
        self.show(|out| {
            writeln!(out)?;
            writeln!(
                out,
                "{HEADING}The figures, from the emulator's journal{HEADING:#}"
            )?;
            let rows = [
                ("replies generated", figures.replies.to_string()),
                (
                    "refused by the limit",
                    figures.refused_by_the_limit.to_string(),
                ),
                (
                    "the most in any minute",
                    format!("{} of 5 allowed", figures.most_in_a_minute),
                ),
                (
                    "billed",
                    format!(
                        "{}, each once (${:.2} at the emulator's price)",
                        figures.billed, figures.billed_amount_usd
                    ),
                ),
                (
                    "waited for the limit",
                    format!(
                        "{:.1} s of real time, all calls together",
                        figures.waited_real_s
                    ),
                ),
            ];
            rows.iter()
                .try_for_each(|(name, value)| writeln!(out, "  {name:<24}{BOLD}{value}{BOLD:#}"))
        })
    }

    pub(super) fn next_steps(&mut self, famulor: &str) -> Result<(), Failure> {
        self.show(|out| {
            writeln!(out)?;
            writeln!(out, "{HEADING}What to type next{HEADING:#}")?;
            for (command, meaning) in [
                (
                    format!("{famulor} reply --emulator --assistant-id 123 --customer you \"Hi\""),
                    "a reply of your own, from an emulator",
                ),
                (
                    format!("{famulor} emulator serve"),
                    "an emulator for your own programs, in any language",
                ),
                (
                    format!("export FAMULOR_API_KEY=…; {famulor} whoami"),
                    "your account; then leave --emulator out above",
                ),
                (format!("{famulor} --help"), "everything else"),
            ] {
                writeln!(out, "  {BOLD}{command}{BOLD:#}")?;
                writeln!(out, "      {meaning}")?;
            }
            Ok(())
        })
    }

    fn show(&mut self, text: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
        if !self.open {
            return Ok(());
        }
        let mut out = anstream::stdout().lock();
        text(&mut out)?;
        Ok(out.flush()?)
    }

    /// Time to read. Nothing else of the demo may depend on it.
    async fn pause(&self, pause: Duration) -> Result<(), Failure> {
        if self.paced {
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }
}

/// The emulator's clock, since the scene began.
fn minutes(clock: Duration) -> String {
    let seconds = clock.as_secs();
    format!("{:2}:{:02}", seconds / 60, seconds % 60)
}

/// Text broken at its words. `first` may hold colours, so its width is that of `indent`.
fn paragraph(out: &mut dyn Write, first: &str, indent: &str, text: &str) -> io::Result<()> {
    let text = visible_line(text);
    let mut column = indent.len();
    write!(out, "{first}")?;
    for (index, word) in text.split(' ').enumerate() {
        let width = word.chars().count();
        if index > 0 && column + 1 + width > WIDTH {
            write!(out, "\n{indent}{word}")?;
            column = indent.len() + width;
        } else {
            let space = if index > 0 { " " } else { "" };
            write!(out, "{space}{word}")?;
            column += space.len() + width;
        }
    }
    writeln!(out)
}

//! Conversations as a person reads them.

use std::io::{self, Write};

use anstyle::Style;
use famulor_core::{FunctionCall, LooseObject, Message, Role, Turn};

use crate::notes::{ASSISTANT, BOLD, DIM, USER};
use crate::terminal;
use crate::visible::{visible, visible_line};
use crate::wrap::wrapped;

/// A message under its writer's role, and the functions that were called for it.
pub(crate) fn message(out: &mut (impl Write + ?Sized), message: &Message) -> io::Result<()> {
    let content = message.content.as_deref().unwrap_or_default();
    said(out, message.role.as_str(), style(&message.role), content)?;
    message
        .function_calls
        .iter()
        .flatten()
        .try_for_each(|call| writeln!(out, "  {DIM}{}{DIM:#}", function_call(call)))
}

/// An answer, as [`message`] writes it when it is read later.
pub(crate) fn turn(out: &mut (impl Write + ?Sized), turn: &Turn) -> io::Result<()> {
    if let Some(text) = turn.text() {
        said(out, Role::Assistant.as_str(), ASSISTANT, text)?;
    }
    turn.function_calls()
        .iter()
        .try_for_each(|call| writeln!(out, "  {DIM}{}{DIM:#}", function_call(call)))
}

/// As [`said`], with lines that break between words: for a person at a terminal.
pub(crate) fn said_to_a_person(
    out: &mut (impl Write + ?Sized),
    role: &str,
    style: Style,
    text: &str,
) -> io::Result<()> {
    // What follows a line break is indented below.
    let width = terminal::width().map(|width| width.saturating_sub(4));
    said(out, role, style, &wrapped(text, width, role.len() + 2, ""))
}

/// As [`message`], for a person at a terminal.
pub(crate) fn message_to_a_person(
    out: &mut (impl Write + ?Sized),
    message: &Message,
) -> io::Result<()> {
    let content = message.content.as_deref().unwrap_or_default();
    said_to_a_person(out, message.role.as_str(), style(&message.role), content)?;
    message
        .function_calls
        .iter()
        .flatten()
        .try_for_each(|call| {
            let call = function_call(call);
            let call = wrapped(&call, terminal::width(), 2, "    ");
            writeln!(out, "  {DIM}{call}{DIM:#}")
        })
}

/// `role: text`. Further lines are indented, so that no text can pose as the next message.
pub(crate) fn said(
    out: &mut (impl Write + ?Sized),
    role: &str,
    style: Style,
    text: &str,
) -> io::Result<()> {
    write!(out, "{style}{}:{style:#} ", visible_line(role))?;
    writeln!(out, "{}", visible(text).replace('\n', "\n    "))
}

/// `name {arguments} -> {result}`, in one line.
pub(crate) fn function_call(call: &FunctionCall) -> String {
    let mut text = visible_line(&call.name).into_owned();
    for (arrow, value) in [(" ", &call.arguments), (" -> ", &call.result)] {
        if let Some(value) = json(value) {
            text.push_str(arrow);
            text.push_str(&visible_line(&value));
        }
    }
    text
}

fn json(value: &LooseObject) -> Option<String> {
    value.as_value().map(ToString::to_string)
}

pub(crate) fn style(role: &Role) -> Style {
    match role {
        Role::Assistant => ASSISTANT,
        Role::User => USER,
        _ => BOLD,
    }
}

//! A chat with a person at a terminal.

use std::io::Write;

use famulor_core::{Message, Role, Turn};

use super::Chat;
use super::editor::{Keyboard, Line};
use super::slash::{self, Then};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::notes::{self, ASSISTANT};
use crate::run::Run;
use crate::signals::Signals;
use crate::spinner::Spinner;
use crate::transcript;
use crate::visible::visible;

pub(super) async fn talk(
    run: &Run,
    mut chat: Chat,
    opening: &[Message],
    signals: &mut Signals,
) -> Result<(), Failure> {
    let keyboard = Keyboard::start(said(opening))?;
    let mut interrupted = false;
    loop {
        let line = tokio::select! {
            biased;
            exit = signals.next() => {
                leave_the_line();
                return Err(run.flight.stopped(exit));
            }
            line = keyboard.line() => line?,
        };
        match line {
            Line::End => return Ok(()),
            Line::Interrupted if interrupted => return Err(run.flight.stopped(Exit::Interrupted)),
            Line::Interrupted => {
                interrupted = true;
                run.notes.say("Ctrl-C again, Ctrl-D or /quit ends the chat");
                continue;
            }
            Line::Typed(line) => {
                interrupted = false;
                if line.trim().is_empty() {
                    continue;
                }
                match slash::command(&line) {
                    Some(command) => {
                        let done = tokio::select! {
                            biased;
                            exit = signals.next() => stopped(run, exit)?,
                            then = slash::run(run, &chat.conversation, command) => then?,
                        };
                        if done == Then::Quit {
                            return Ok(());
                        }
                    }
                    None => send(run, &mut chat, slash::message(line), signals).await?,
                }
            }
        }
    }
}

/// Sends a message and shows what comes of it. A person can try again: a failure does not end the chat.
async fn send(
    run: &Run,
    chat: &mut Chat,
    message: String,
    signals: &mut Signals,
) -> Result<(), Failure> {
    chat.record.said("user", &message)?;
    let spinner = Spinner::start(run);
    let call = chat.conversation.send(message);
    let sent = tokio::select! {
        biased;
        exit = signals.next() => Err(exit),
        sent = run.flight.during("the message", call.send()) => Ok(sent),
    };
    drop(spinner);
    match sent {
        Ok(Ok(turn)) => {
            chat.record.turn(&turn)?;
            answer(run, &turn)
        }
        Ok(Err(error)) => {
            notes::report(&error.into(), run.output.format.is_json());
            Ok(())
        }
        Err(exit) => stopped(run, exit).map(drop),
    }
}

/// Says what is known about what was under way, and goes on; a termination ends the chat.
fn stopped(run: &Run, exit: Exit) -> Result<Then, Failure> {
    let failure = run.flight.stopped(exit);
    if exit != Exit::Interrupted {
        return Err(failure);
    }
    let failure = match run.flight.may_have_arrived() {
        true => {
            failure.next("/history shows whether it arrived; to send it again may bill it again")
        }
        false => failure,
    };
    notes::report(&failure, run.output.format.is_json());
    run.flight.clear();
    Ok(Then::GoOn)
}

fn answer(run: &Run, turn: &Turn) -> Result<(), Failure> {
    if run.output.format.is_json() {
        return run.output.row(turn);
    }
    super::show_calls(run, turn);
    run.output.text(|out| match turn.text() {
        Some(text) => transcript::said_to_a_person(out, "assistant", ASSISTANT, text),
        None => super::nobody(out),
    })
}

/// Earlier messages of the user, for the arrow keys: only those that a terminal can be shown.
fn said(messages: &[Message]) -> Vec<String> {
    messages
        .iter()
        .filter(|message| message.role == Role::User)
        .filter_map(|message| message.content.clone())
        .filter(|text| visible(text) == text.as_str())
        .collect()
}

/// The editor still has the terminal: the shell's prompt gets a line of its own, and pasting its own way.
fn leave_the_line() {
    let mut stderr = std::io::stderr();
    // Nobody is there to be told if it fails.
    let _ = stderr.write_all(b"\x1b[?2004l\r\n");
}

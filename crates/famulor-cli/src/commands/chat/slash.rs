//! What can be typed beside messages: `/help` and its like.

use std::path::PathBuf;

use famulor_core::{Conversation, History};

use super::record;
use crate::failure::Failure;
use crate::notes::{self, BOLD, DIM};
use crate::run::Run;
use crate::spinner::Spinner;
use crate::transcript;
use crate::visible::visible_line;

const HELP: [(&str, &str); 9] = [
    ("/history", "what was said so far, as the server has it"),
    ("/vars", "the conversation's variables"),
    ("/save [FILE]", "write the conversation to a file"),
    ("/quit", "end; so does Ctrl-D"),
    ("Ctrl-C", "stop waiting for an answer"),
    ("\\ at the end", "go on in the next line"),
    ("Up, Down", "earlier messages"),
    ("Ctrl-R", "search in them"),
    ("//text", "send a message that begins with /"),
];

/// Whether the chat goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    GoOn,
    Quit,
}

/// A line that is no message.
pub(super) struct Command<'a> {
    name: &'a str,
    argument: &'a str,
}

/// The command of a line that begins with a slash, and with no other behind it.
pub(super) fn command(line: &str) -> Option<Command<'_>> {
    let rest = line.trim().strip_prefix('/')?;
    if rest.starts_with('/') {
        return None;
    }
    let (name, argument) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    Some(Command {
        name,
        argument: argument.trim(),
    })
}

/// The message of any other line.
pub(super) fn message(line: String) -> String {
    match line.strip_prefix("//") {
        Some(rest) => format!("/{rest}"),
        None => line,
    }
}

pub(super) async fn run(
    run: &Run,
    conversation: &Conversation,
    command: Command<'_>,
) -> Result<Then, Failure> {
    let done = match command.name {
        "quit" | "exit" | "q" => return Ok(Then::Quit),
        "help" | "h" | "?" => Ok(help()?),
        "history" => history(run, conversation).await,
        "vars" => vars(run, conversation).await,
        "save" => save(run, conversation, command.argument).await,
        other => {
            run.notes.say(&format!(
                "there is no /{}; /help says what there is",
                visible_line(other)
            ));
            Ok(())
        }
    };
    // What is looked up changes nothing: a failure is told, and the chat goes on.
    if let Err(failure) = done {
        notes::report(&failure, run.output.format.is_json());
    }
    Ok(Then::GoOn)
}

fn help() -> std::io::Result<()> {
    let mut stderr = anstream::stderr();
    HELP.iter().try_for_each(|(what, does)| {
        use std::io::Write;
        writeln!(stderr, "  {BOLD}{what:<13}{BOLD:#} {does}")
    })
}

async fn look(run: &Run, conversation: &Conversation) -> Result<History, Failure> {
    let spinner = Spinner::reading(run, "reading the conversation");
    let history = conversation.history().send().await;
    drop(spinner);
    Ok(history?)
}

/// Not the answer to a message, so not on standard output.
async fn history(run: &Run, conversation: &Conversation) -> Result<(), Failure> {
    let history = look(run, conversation).await?;
    let mut stderr = anstream::stderr();
    for message in history.messages() {
        transcript::message_to_a_person(&mut stderr, message)?;
    }
    Ok(())
}

async fn vars(run: &Run, conversation: &Conversation) -> Result<(), Failure> {
    let history = look(run, conversation).await?;
    let variables = history.variables();
    if variables.is_empty() {
        run.notes.say("there are none");
    }
    for (name, value) in variables.as_map().into_iter().flatten() {
        use std::io::Write;
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        writeln!(
            anstream::stderr(),
            "  {} {DIM}={DIM:#} {}",
            visible_line(name),
            visible_line(&value)
        )?;
    }
    Ok(())
}

async fn save(run: &Run, conversation: &Conversation, file: &str) -> Result<(), Failure> {
    let path = if file.is_empty() {
        PathBuf::from(format!("{}.txt", file_name(conversation.id().as_str())))
    } else {
        PathBuf::from(file)
    };
    let history = look(run, conversation).await?;
    record::save(&path, history.messages()).map_err(|error| {
        Failure::config(format!("cannot write {}: {error}", path.display()))
            .of_this_machine()
            .next("name another file: /save FILE")
    })?;
    run.notes.say(&format!(
        "saved in {}",
        visible_line(&path.display().to_string())
    ));
    Ok(())
}

/// The server's id as a name in this directory, whatever it has in it.
fn file_name(id: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    id.chars().filter(|c| plain(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::{command, file_name, message};

    #[test]
    fn a_slash_begins_a_command_and_two_a_message() {
        let parts = |line| command(line).map(|command| (command.name, command.argument));
        assert_eq!(parts("/help"), Some(("help", "")));
        assert_eq!(parts(" /save  a b.txt "), Some(("save", "a b.txt")));
        assert_eq!(parts("//help"), None);
        assert_eq!(parts("and/or"), None);
        assert_eq!(message("//help".to_owned()), "/help");
        assert_eq!(message("and/or".to_owned()), "and/or");
    }

    #[test]
    fn an_id_never_leaves_the_directory() {
        assert_eq!(file_name("../../etc/x\u{1b}"), "etcx");
    }
}

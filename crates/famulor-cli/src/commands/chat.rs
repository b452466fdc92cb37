//! `famulor chat`: a message a line.

use std::io::Write;

use famulor_core::{AssistantUuid, Conversation, ConversationId, Turn};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};

use crate::commands::conversation::BillableKind;
use crate::commands::{conversation, show_preview};
use crate::connection::{Connection, Key};
use crate::failure::Failure;
use crate::notes::{self, ASSISTANT, DIM, USER};
use crate::run::Run;
use crate::settings;
use crate::signals::Signals;
use crate::stdin::Stdin;
use crate::transcript;
use crate::visible::{visible, visible_line};

const EXAMPLES: &str = "\
Examples:
  famulor chat --assistant-uuid 550e8400-e29b-41d4-a716-446655440000
  famulor chat --resume 7c9e6679-7425-40de-944b-e07fc1f90ae7
  famulor chat --emulator --assistant-uuid 550e8400-e29b-41d4-a716-446655440000
  famulor chat --resume 7c9e6679-7425-40de-944b-e07fc1f90ae7 < messages
";

#[derive(clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// Start a conversation with this assistant: its UUID [env: FAMULOR_ASSISTANT_UUID]
    #[arg(long, value_name = "UUID", value_parser = settings::parse_assistant_uuid,
        conflicts_with = "resume")]
    assistant_uuid: Option<AssistantUuid>,

    /// Go on with this conversation
    #[arg(long, value_name = "CONVERSATION")]
    resume: Option<String>,

    /// test is free, widget is billed for each message
    #[arg(
        long = "type",
        value_enum,
        value_name = "TYPE",
        default_value = "test",
        conflicts_with = "resume"
    )]
    kind: BillableKind,
}

pub(crate) async fn run(args: Args, run: &mut Run, signals: &mut Signals) -> Result<(), Failure> {
    let flight = std::sync::Arc::clone(&run.flight);
    tokio::select! {
        biased;
        exit = signals.next() => Err(flight.stopped(exit)),
        result = talk(args, run) => result,
    }
}

async fn talk(args: Args, run: &mut Run) -> Result<(), Failure> {
    let resumed = args.resume.map(ConversationId::new).transpose()?;
    let assistant = match resumed {
        Some(_) => None,
        None => Some(conversation::assistant(args.assistant_uuid, run)?),
    };
    run.stdin.take("chat")?;
    let by_hand = Stdin::is_terminal();
    if by_hand && run.settings.no_input {
        return Err(
            Failure::usage("chat asks for messages, and --no-input forbids asking")
                .next("pipe the messages in, one a line"),
        );
    }
    let connection = Connection::open(run, Key::Optional).await?;
    let client = &connection.client;
    let chat = match (resumed, assistant) {
        (Some(id), _) => {
            let chat = client.conversation(id);
            if run.global.dry_run {
                return show_preview(run.output, &chat.history().preview()?);
            }
            // Before the first message: a wrong id must not cost what was typed.
            let history = chat.history().send().await?;
            show_opening(run, &chat, history.messages())?;
            chat
        }
        (None, Some(assistant)) => {
            let call = client
                .create_conversation(assistant)
                .set_kind(args.kind.into());
            if run.global.dry_run {
                return show_preview(run.output, &call.preview()?);
            }
            let chat = run.flight.during("the conversation", call.send()).await?;
            show_opening(run, &chat, chat.opening_history())?;
            chat
        }
        (None, None) => return Ok(()),
    };
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = next_line(&mut lines, by_hand).await? {
        if line.trim().is_empty() {
            continue;
        }
        let sent = run
            .flight
            .during("the message", chat.send(line).send())
            .await;
        match sent {
            Ok(turn) => answer(run, &turn, by_hand)?,
            // A person can try again; a script must not go on as if it were answered.
            Err(error) if by_hand => {
                notes::report(&error.into(), run.output.format.is_json());
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// What was said before the first message. It is no reply, so it is no data.
fn show_opening(
    run: &Run,
    chat: &Conversation,
    messages: &[famulor_core::Message],
) -> Result<(), Failure> {
    run.notes.say(&format!(
        "conversation {}; end it with Ctrl-D",
        visible_line(chat.id().as_str())
    ));
    if !run.notes.quiet {
        let mut stderr = anstream::stderr();
        messages
            .iter()
            .try_for_each(|message| transcript::message(&mut stderr, message))?;
    }
    Ok(())
}

async fn next_line(
    lines: &mut Lines<BufReader<tokio::io::Stdin>>,
    by_hand: bool,
) -> Result<Option<String>, Failure> {
    if by_hand {
        let mut stderr = anstream::stderr();
        write!(stderr, "{USER}you:{USER:#} ")?;
        stderr.flush()?;
    }
    let line = lines.next_line().await.map_err(|error| {
        Failure::usage(format!(
            "cannot read a message from standard input: {error}"
        ))
    })?;
    if by_hand && line.is_none() {
        // The cursor still stands behind the prompt.
        writeln!(anstream::stderr())?;
    }
    Ok(line)
}

fn answer(run: &Run, turn: &Turn, by_hand: bool) -> Result<(), Failure> {
    if run.output.format.is_json() {
        return run.output.row(turn);
    }
    for call in turn.function_calls() {
        run.notes
            .say(&format!("  called {}", transcript::function_call(call)));
    }
    run.output.text(|out| match (turn.text(), by_hand) {
        (Some(text), true) => transcript::said(out, "assistant", ASSISTANT, text),
        (Some(text), false) => writeln!(out, "{}", visible(text)),
        (None, true) => writeln!(out, "{DIM}(no answer: a person has taken over){DIM:#}"),
        (None, false) => Ok(()),
    })?;
    if turn.text().is_none() && !by_hand {
        run.notes
            .say("no answer: AI replies are off for this conversation, a person answers");
    }
    Ok(())
}

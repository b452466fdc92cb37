//! `famulor chat`

mod editor;
mod keyboard;
mod piped;
mod record;
mod slash;

use std::path::PathBuf;

use famulor_core::{AssistantUuid, Conversation, ConversationId, Message, Turn};

use self::record::Record;
use crate::commands::conversation::BillableKind;
use crate::commands::{conversation, show_preview};
use crate::connection::{Connection, Key};
use crate::failure::Failure;
use crate::notes::DIM;
use crate::run::Run;
use crate::settings;
use crate::signals::Signals;
use crate::spinner::Spinner;
use crate::stdin::Stdin;
use crate::terminal::Restore;
use crate::transcript;
use crate::visible::visible_line;

const EXAMPLES: &str = "\
Examples:
  famulor chat --emulator --assistant-uuid 550e8400-e29b-41d4-a716-446655440000
  famulor chat --assistant-uuid 550e8400-e29b-41d4-a716-446655440000 \\
      --type widget --transcript chat.txt
  famulor chat --resume 7c9e6679-7425-40de-944b-e07fc1f90ae7
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

    /// Write what is said to this file too, behind what it holds [default: nowhere]
    #[arg(long, value_name = "FILE")]
    transcript: Option<PathBuf>,
}

/// A conversation that is talked in, and where that is written down.
struct Chat {
    conversation: Conversation,
    record: Record,
}

pub(crate) async fn run(args: Args, run: &mut Run, signals: &mut Signals) -> Result<(), Failure> {
    let by_hand = Stdin::is_terminal();
    let flight = std::sync::Arc::clone(&run.flight);
    let opened = tokio::select! {
        biased;
        exit = signals.next() => Err(flight.stopped(exit)),
        chat = open(args, run, by_hand) => chat,
    };
    let Some((chat, opening, _connection)) = opened? else {
        return Ok(());
    };
    if by_hand {
        let _restore = Restore::later();
        return keyboard::talk(run, chat, &opening, signals).await;
    }
    tokio::select! {
        biased;
        exit = signals.next() => Err(flight.stopped(exit)),
        result = piped::talk(run, chat) => result,
    }
}

/// The conversation and what was said in it so far; `None` after a dry run.
async fn open(
    args: Args,
    run: &mut Run,
    by_hand: bool,
) -> Result<Option<(Chat, Vec<Message>, Connection)>, Failure> {
    let resumed = args.resume.map(ConversationId::new).transpose()?;
    run.stdin.take("chat")?;
    if by_hand && run.settings.no_input {
        return Err(
            Failure::usage("chat asks for messages, and --no-input forbids asking")
                .next("pipe the messages in, one a line"),
        );
    }
    // Before anything is created: a file that cannot be written must not cost a conversation.
    let record = match args.transcript {
        Some(path) if !run.global.dry_run => Record::open(path)?,
        _ => Record::none(),
    };
    let (conversation, opening, connection) = match resumed {
        Some(id) => {
            let connection = Connection::open(run, Key::Optional).await?;
            let conversation = connection.client.conversation(id);
            if run.global.dry_run {
                show_preview(run.output, &conversation.history().preview()?)?;
                return Ok(None);
            }
            // Before the first message: a wrong id must not cost what was typed.
            let spinner = Spinner::reading(run, "reading the conversation");
            let history = conversation.history().send().await;
            drop(spinner);
            let history = history?;
            let opening = history.messages().to_vec();
            (conversation, opening, connection)
        }
        None => {
            let assistant = conversation::assistant(args.assistant_uuid, run)?;
            let connection = Connection::open(run, Key::Optional).await?;
            let call = connection
                .client
                .create_conversation(assistant)
                .set_kind(args.kind.into());
            if run.global.dry_run {
                show_preview(run.output, &call.preview()?)?;
                return Ok(None);
            }
            let spinner = Spinner::reading(run, "beginning the conversation");
            let created = run.flight.during("the conversation", call.send()).await;
            drop(spinner);
            let created = created?;
            let opening = created.opening_history().to_vec();
            (created, opening, connection)
        }
    };
    let mut chat = Chat {
        conversation,
        record,
    };
    show_opening(run, &mut chat, &opening, by_hand)?;
    Ok(Some((chat, opening, connection)))
}

/// What was said before the first message. It is no reply, so it is no data.
fn show_opening(
    run: &Run,
    chat: &mut Chat,
    messages: &[Message],
    by_hand: bool,
) -> Result<(), Failure> {
    let help = if by_hand {
        "; /help says what you can do"
    } else {
        ""
    };
    run.notes.say(&format!(
        "conversation {}{help}",
        visible_line(chat.conversation.id().as_str())
    ));
    for message in messages {
        chat.record.message(message)?;
        if !run.notes.quiet {
            transcript::message_to_a_person(&mut anstream::stderr(), message)?;
        }
    }
    Ok(())
}

/// The functions that were called for an answer, as notes.
fn show_calls(run: &Run, turn: &Turn) {
    for call in turn.function_calls() {
        let call = transcript::function_call(call);
        run.notes.say(&format!("  called {call}"));
    }
    if turn.was_read_back() {
        run.notes
            .say("  the answer was lost on its way and read back from the conversation");
    }
}

/// What stands in the place of an answer when there is none.
fn nobody(out: &mut dyn std::io::Write) -> std::io::Result<()> {
    writeln!(out, "{DIM}(no answer: a person has taken over){DIM:#}")
}

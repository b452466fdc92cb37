//! `famulor conversation send`

use famulor_core::{ConversationId, OnUnknown};

use crate::commands::reply::parse_on_unknown;
use crate::commands::show_preview;
use crate::connection::{Connection, Key};
use crate::failure::Failure;
use crate::input::MessageSource;
use crate::run::Run;
use crate::spinner::Spinner;
use crate::transcript::function_call;
use crate::visible::visible;

const EXAMPLES: &str = "\
Examples:
  famulor conversation send 7c9e6679-7425-40de-944b-e07fc1f90ae7 \"A demo?\"
  famulor conversation send 7c9e6679-7425-40de-944b-e07fc1f90ae7 < message
  famulor conversation send --on-unknown fail \\
      7c9e6679-7425-40de-944b-e07fc1f90ae7 \"Hi\"
";

#[derive(clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// The conversation's id
    conversation: String,

    /// The message, at most 2000 characters; - or left out: standard input
    #[arg(value_name = "MESSAGE|-")]
    message: Option<String>,

    /// When it is not known whether the message arrived: look (verify), give up (fail), or send
    /// it again, which may be billed twice (resend) [default: verify]
    #[arg(long, value_name = "POLICY", value_parser = parse_on_unknown)]
    on_unknown: Option<OnUnknown>,
}

pub(crate) async fn run(args: Args, run: &mut Run) -> Result<(), Failure> {
    let id = ConversationId::new(args.conversation)?;
    let message = MessageSource::of(args.message, &mut run.stdin)?;
    let connection = Connection::open(run, Key::Optional).await?;
    let client = &connection.client;
    let mut call = client.conversation(id).send(message.read().await?);
    if let Some(policy) = args.on_unknown {
        call = call.with_on_unknown(policy);
    }
    if run.global.dry_run {
        return show_preview(run.output, &call.preview()?);
    }
    let spinner = Spinner::start(run);
    let turn = run.flight.during("the message", call.send()).await;
    drop(spinner);
    let turn = turn?;
    run.output.object(&turn, |out| match turn.text() {
        Some(text) => writeln!(out, "{}", visible(text)),
        None => Ok(()),
    })?;
    if turn.text().is_none() {
        run.notes
            .say("no answer: AI replies are off for this conversation, a person answers");
    }
    if turn.was_read_back() {
        run.notes
            .say("the answer was lost on its way and read back from the conversation");
    }
    for call in turn.function_calls() {
        run.notes.say(&format!("called {}", function_call(call)));
    }
    Ok(())
}

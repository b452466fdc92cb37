//! `famulor reply`

use famulor_core::{AssistantId, CustomerId, OnUnknown, Reply};

use crate::commands::show_preview;
use crate::connection::{Connection, Key};
use crate::failure::Failure;
use crate::input::{self, MessageSource, Variable};
use crate::notes::Notes;
use crate::run::Run;
use crate::settings;
use crate::spinner::Spinner;
use crate::transcript::function_call;
use crate::visible::{visible, visible_line};

const EXAMPLES: &str = "\
Examples:
  famulor reply --emulator --assistant-id 123 --customer crm-42 \"Hi\"
  famulor reply --assistant-id 123 --customer +49155551234 \"An appointment?\"
  famulor reply --assistant-id 123 --customer crm-42 --var name=John --json \"Hi\"
  export FAMULOR_ASSISTANT_ID=123
  echo \"Where is my order?\" | famulor reply --customer jane@example.com
  famulor reply --customer crm-42 --vars-file vars.json --on-unknown fail \"Hi\"
";

#[derive(clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// The customer's message; - or left out: standard input
    #[arg(value_name = "MESSAGE|-")]
    message: Option<String>,

    /// The assistant that answers: its number [env: FAMULOR_ASSISTANT_ID]
    #[arg(long, value_name = "INT", value_parser = settings::parse_assistant_id,
        allow_negative_numbers = true)]
    assistant_id: Option<AssistantId>,

    /// Who writes: at most 255 characters, and always the same for the same customer
    #[arg(long, value_name = "ID")]
    customer: String,

    /// A variable for the assistant; repeatable
    #[arg(long = "var", value_name = "K=V", value_parser = Variable::parse)]
    vars: Vec<Variable>,

    /// Variables from a file that holds a JSON object; -: from standard input
    #[arg(long, value_name = "FILE|-")]
    vars_file: Option<String>,

    /// When it is not known whether the message arrived: look (verify), give up (fail), or send
    /// it again, which may be billed twice (resend) [default: verify]
    #[arg(long, value_name = "POLICY", value_parser = parse_on_unknown)]
    on_unknown: Option<OnUnknown>,
}

pub(crate) fn parse_on_unknown(text: &str) -> Result<OnUnknown, String> {
    text.parse()
        .map_err(|_| "none of verify, fail, resend".to_owned())
}

pub(crate) async fn run(args: Args, run: &mut Run) -> Result<(), Failure> {
    let of_settings = run
        .settings
        .assistant_id
        .as_ref()
        .map(|setting| setting.value);
    let assistant = args.assistant_id.or(of_settings).ok_or_else(|| {
        Failure::usage("there is no assistant")
            .next("give --assistant-id, or set FAMULOR_ASSISTANT_ID; the emulator has 123")
    })?;
    let customer = CustomerId::raw(args.customer)?;
    let message = MessageSource::of(args.message, &mut run.stdin)?;
    let variables = input::variables(args.vars_file.as_deref(), args.vars, &mut run.stdin).await?;
    let connection = Connection::open(run, Key::Required).await?;
    let client = &connection.client;

    let mut call = client.reply(assistant, customer, message.read().await?);
    if !variables.is_empty() {
        call = call.set_variables(variables);
    }
    if let Some(policy) = args.on_unknown {
        call = call.with_on_unknown(policy);
    }
    if run.global.dry_run {
        return show_preview(run.output, &call.preview()?);
    }
    let spinner = Spinner::start(run);
    let reply = run.flight.during("the message", call.send()).await;
    drop(spinner);
    let reply = reply?;
    run.output.object(&reply, |out| match reply.text() {
        Some(text) => writeln!(out, "{}", visible(text)),
        None => Ok(()),
    })?;
    notes(run.notes, &reply);
    Ok(())
}

/// What the text output leaves out.
fn notes(notes: Notes, reply: &Reply) {
    if reply.text().is_none() || reply.ai_disabled() {
        notes.say("AI replies are off for this conversation: a person answers");
    }
    if reply.was_read_back() {
        notes.say("the answer was lost on its way and read back from the conversation");
    }
    for call in reply.function_calls() {
        notes.say(&format!("called {}", function_call(call)));
    }
    notes.say(&format!(
        "conversation {}",
        visible_line(reply.conversation_id().as_str())
    ));
}

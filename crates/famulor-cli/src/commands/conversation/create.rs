//! `famulor conversation create`

use clap::ValueEnum;
use famulor_core::{AssistantUuid, ConversationKind};

use crate::commands::show_preview;
use crate::connection::{Connection, Key};
use crate::failure::Failure;
use crate::input::{self, Variable};
use crate::run::Run;
use crate::settings;
use crate::transcript;
use crate::visible::visible_line;

const EXAMPLES: &str = "\
Examples:
  famulor conversation create --type test \\
      --assistant-uuid 550e8400-e29b-41d4-a716-446655440000 \\
      --var customer_name=\"John Smith\" --var company=\"Acme Corp\"
  famulor conversation create --emulator --type test --json \\
      --assistant-uuid 550e8400-e29b-41d4-a716-446655440000
";

/// The kinds that can be created. Which one is never guessed: one of them costs money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BillableKind {
    /// Free, for development
    Test,
    /// Billed for each user message
    Widget,
}

impl From<BillableKind> for ConversationKind {
    fn from(kind: BillableKind) -> Self {
        match kind {
            BillableKind::Test => Self::Test,
            BillableKind::Widget => Self::Widget,
        }
    }
}

#[derive(clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// The assistant that answers: its UUID [env: FAMULOR_ASSISTANT_UUID]
    #[arg(long, value_name = "UUID", value_parser = settings::parse_assistant_uuid)]
    assistant_uuid: Option<AssistantUuid>,

    /// test is free, widget is billed for each user message
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    kind: BillableKind,

    /// A variable for the assistant; repeatable
    #[arg(long = "var", value_name = "K=V", value_parser = Variable::parse)]
    vars: Vec<Variable>,
}

pub(crate) async fn run(args: Args, run: &mut Run) -> Result<(), Failure> {
    let assistant = assistant(args.assistant_uuid, run)?;
    let variables = input::variables(None, args.vars, &mut run.stdin).await?;
    let connection = Connection::open(run, Key::Optional).await?;
    let client = &connection.client;
    let mut call = client
        .create_conversation(assistant)
        .set_kind(args.kind.into());
    if !variables.is_empty() {
        call = call.set_variables(variables);
    }
    if run.global.dry_run {
        return show_preview(run.output, &call.preview()?);
    }
    let conversation = run.flight.during("the conversation", call.send()).await?;
    run.output.object(&conversation, |out| {
        writeln!(out, "{}", visible_line(conversation.id().as_str()))?;
        conversation
            .opening_history()
            .iter()
            .try_for_each(|m| transcript::message(out, m))
    })
}

pub(crate) fn assistant(flag: Option<AssistantUuid>, run: &Run) -> Result<AssistantUuid, Failure> {
    let of_settings = run
        .settings
        .assistant_uuid
        .as_ref()
        .map(|setting| setting.value);
    flag.or(of_settings).ok_or_else(|| {
        Failure::usage("there is no assistant").next(
            "give --assistant-uuid, or set FAMULOR_ASSISTANT_UUID; the emulator has \
             550e8400-e29b-41d4-a716-446655440000",
        )
    })
}

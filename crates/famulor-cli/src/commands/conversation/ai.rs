//! `famulor conversation ai`

use clap::ValueEnum;
use famulor_core::ConversationId;
use serde_json::json;

use crate::commands::show_preview;
use crate::connection::{Connection, Key};
use crate::failure::Failure;
use crate::run::Run;

const EXAMPLES: &str = "\
Examples:
  famulor conversation ai off 7c9e6679-7425-40de-944b-e07fc1f90ae7
      a person answers from now on
  famulor conversation ai on 7c9e6679-7425-40de-944b-e07fc1f90ae7
      the assistant answers again
";

#[derive(Clone, Copy, ValueEnum)]
enum Switch {
    /// The assistant answers
    On,
    /// A person answers; messages are stored
    Off,
}

#[derive(clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// Whether the assistant answers
    #[arg(value_enum, value_name = "on|off")]
    switch: Switch,

    /// The conversation's id
    conversation: String,
}

pub(crate) async fn run(args: Args, run: &mut Run) -> Result<(), Failure> {
    let id = ConversationId::new(args.conversation)?;
    let connection = Connection::open(run, Key::Required).await?;
    let conversation = connection.client.conversation(id);
    let call = match args.switch {
        Switch::On => conversation.ai_on(),
        Switch::Off => conversation.ai_off(),
    };
    if run.global.dry_run {
        return show_preview(run.output, &call.preview()?);
    }
    let enabled = call.send().await?;
    run.output.object(&json!({ "ai_enabled": enabled }), |out| {
        writeln!(
            out,
            "{}",
            if enabled {
                "the assistant answers"
            } else {
                "a person answers"
            }
        )
    })
}

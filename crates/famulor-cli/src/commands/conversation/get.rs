//! `famulor conversation get`

use famulor_core::ConversationId;

use crate::commands::show_preview;
use crate::connection::{Connection, Key};
use crate::failure::Failure;
use crate::notes::DIM;
use crate::run::Run;
use crate::transcript;
use crate::visible::visible_line;

const EXAMPLES: &str = "\
Examples:
  famulor conversation get 7c9e6679-7425-40de-944b-e07fc1f90ae7
  famulor conversation get 7c9e6679-7425-40de-944b-e07fc1f90ae7 --json
";

#[derive(clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// The conversation's id
    conversation: String,
}

pub(crate) async fn run(args: Args, run: &mut Run) -> Result<(), Failure> {
    let id = ConversationId::new(args.conversation)?;
    let connection = Connection::open(run, Key::Optional).await?;
    let call = connection.client.conversation(id).history();
    if run.global.dry_run {
        return show_preview(run.output, &call.preview()?);
    }
    let history = call.send().await?;
    run.output.object(&history, |out| {
        history
            .messages()
            .iter()
            .try_for_each(|message| transcript::message(out, message))?;
        for (name, value) in history.variables().as_map().into_iter().flatten() {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            writeln!(
                out,
                "{DIM}{} = {}{DIM:#}",
                visible_line(name),
                visible_line(&value)
            )?;
        }
        Ok(())
    })
}

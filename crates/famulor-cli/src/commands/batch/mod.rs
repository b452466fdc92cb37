//! `famulor batch`: many messages, sent as the limit allows, whatever dies in between.

mod again;
mod counts;
mod decide;
mod export;
mod forecast;
mod import;
mod input;
mod intake;
mod plan;
mod progress;
mod rows;
mod run;
mod serve;
mod status;
mod store;
mod work;

pub(super) use input::Fields as Input;
pub(super) use rows::Line as Output;

use crate::failure::Failure;
use crate::run::Run;
use crate::signals::Signals;

const EXAMPLES: &str = "\
Examples:
  famulor batch run messages.jsonl --dry-run
      what would be sent, and how long that takes
  famulor batch run messages.jsonl --out replies.jsonl
      send it; stopped and started again, it goes on where it was
  famulor batch status
  famulor batch export --job messages
";

#[derive(clap::Args)]
#[command(before_help = EXAMPLES, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Send a file of messages, as fast as the limit allows (billed)
    Run(run::Args),
    /// How far the jobs are
    Status(status::Args),
    /// Write the outcome of every message, as JSON lines in the order of the input
    Export(export::Args),
    /// Send failed or cancelled messages once more, or those that a person has looked at
    Retry(decide::RetryArgs),
    /// Never send what is still waiting
    Cancel(decide::CancelArgs),
    /// Send what any job in the store has waiting, until stopped (billed)
    Work(work::Args),
}

/// `1 message`, `2 messages`
fn messages(count: u64) -> String {
    match count {
        1 => "1 message".to_owned(),
        count => format!("{count} messages"),
    }
}

/// The commands that send end in their own way; the others are like all commands.
pub(crate) async fn run(args: Args, run: &mut Run, signals: &mut Signals) -> Result<(), Failure> {
    let flight = std::sync::Arc::clone(&run.flight);
    let other = match args.command {
        Command::Run(args) => return run::run(args, run, signals).await,
        Command::Work(args) => return work::run(args, run, signals).await,
        other => other,
    };
    tokio::select! {
        biased;
        exit = signals.next() => Err(flight.stopped(exit)),
        result = look_or_decide(other, run) => result,
    }
}

async fn look_or_decide(command: Command, run: &mut Run) -> Result<(), Failure> {
    match command {
        Command::Status(args) => status::run(args, run).await,
        Command::Export(args) => export::run(args, run).await,
        Command::Retry(args) => decide::retry(args, run).await,
        Command::Cancel(args) => decide::cancel(args, run).await,
        Command::Run(_) | Command::Work(_) => Ok(()),
    }
}

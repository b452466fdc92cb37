//! `famulor conversation`

mod ai;
mod create;
mod get;
mod list;
mod send;

pub(crate) use self::create::{BillableKind, assistant};

use crate::failure::Failure;
use crate::run::Run;

const EXAMPLES: &str = "\
Examples:
  famulor conversation create --type test \\
      --assistant-uuid 550e8400-e29b-41d4-a716-446655440000
  famulor conversation send 7c9e6679-7425-40de-944b-e07fc1f90ae7 \"A demo?\"
  famulor conversation get 7c9e6679-7425-40de-944b-e07fc1f90ae7
  famulor conversation ai off 7c9e6679-7425-40de-944b-e07fc1f90ae7
  famulor conversation list --type api --limit 20
";

#[derive(clap::Args)]
#[command(before_help = EXAMPLES, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Start a conversation; prints its id and the opening message
    Create(create::Args),
    /// Print a conversation: its messages, function calls and variables
    Get(get::Args),
    /// Send a message to a conversation; prints the assistant's answer (billed in a widget one)
    Send(send::Args),
    /// List the account's conversations
    List(list::Args),
    /// Let the assistant answer in a conversation, or let a person
    Ai(ai::Args),
}

pub(crate) async fn run(args: Args, run: &mut Run) -> Result<(), Failure> {
    match args.command {
        Command::Create(args) => create::run(args, run).await,
        Command::Get(args) => get::run(args, run).await,
        Command::Send(args) => send::run(args, run).await,
        Command::List(args) => list::run(args, run).await,
        Command::Ai(args) => ai::run(args, run).await,
    }
}

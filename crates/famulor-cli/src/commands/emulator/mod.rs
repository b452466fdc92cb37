//! `famulor emulator …`

mod check;
mod serve;

use famulor_emulator::ScriptError;

use crate::failure::Failure;
use crate::run::Run;
use crate::signals::Signals;

const EXAMPLES: &str = "\
Examples:
  famulor emulator serve
  famulor emulator serve --script desk.yaml --listen 127.0.0.1:0
  famulor emulator check desk.yaml
  famulor schema emulator-script      what a script can have
";

#[derive(clap::Args)]
#[command(before_help = EXAMPLES, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Serve the API on this machine until stopped
    Serve(serve::Args),
    /// Find the mistakes of a script, without serving it
    Check(check::Args),
}

pub(crate) async fn run(args: Args, run: &Run, signals: &mut Signals) -> Result<(), Failure> {
    match args.command {
        Command::Serve(args) => serve::run(args, run, signals).await,
        Command::Check(args) => check::run(args, run),
    }
}

/// Every mistake a line, as compilers write them, so that editors find the place.
fn wrong_script(error: &ScriptError) -> Failure {
    let lines = error.to_string();
    let mut lines = lines.lines().map(str::to_owned);
    let first = lines.next().unwrap_or_default();
    Failure::config(first)
        .details(lines)
        .of_this_machine()
        .next("famulor schema emulator-script shows what a script can have")
}

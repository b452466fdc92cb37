//! `famulor assistant`

use crate::commands::show_preview;
use crate::connection::{Connection, Key};
use crate::failure::Failure;
use crate::paging;
use crate::run::Run;

const EXAMPLES: &str = "\
Examples:
  famulor assistant list
  famulor assistant list --all --json
";

#[derive(clap::Args)]
#[command(before_help = EXAMPLES, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// List assistants, with the number that replies take and the UUID that conversations take
    List(List),
}

#[derive(clap::Args)]
#[command(before_help = EXAMPLES)]
struct List {
    /// All of them, not only the first page
    #[arg(long)]
    all: bool,
}

const COLUMNS: [&str; 5] = ["id", "uuid", "name", "type", "status"];

pub(crate) async fn run(args: Args, run: &mut Run) -> Result<(), Failure> {
    let Command::List(List { all }) = args.command;
    let connection = Connection::open(run, Key::Required).await?;
    let mut call = connection.client.list_assistants();
    if all {
        call = call.set_per_page(paging::LARGEST_PAGE);
    }
    if run.global.dry_run {
        return show_preview(run.output, &call.preview()?);
    }
    if all {
        return paging::print_stream(run, call.stream(), None, &COLUMNS).await;
    }
    let page = call.send().await?;
    run.output.rows(page.items(), &COLUMNS)?;
    if page.next_page().is_some() {
        run.notes.say("there are more; --all shows them");
    }
    Ok(())
}

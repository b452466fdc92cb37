//! `famulor batch export`

use famulor_outbox::Filter;

use super::rows::Destination;
use super::store::{Store, StoreArgs};
use crate::failure::Failure;
use crate::run::Run;

const EXAMPLES: &str = "\
Examples:
  famulor batch export --job messages > replies.jsonl
  famulor batch export --job messages --out replies.jsonl
";

#[derive(clap::Args)]
#[command(before_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    store: StoreArgs,

    /// The job [default: the only one in the store] [example: spring]
    #[arg(long, value_name = "NAME")]
    job: Option<String>,

    /// Write to this file, whole; -: to standard output [example: replies.jsonl]
    #[arg(long, value_name = "FILE|-", default_value = "-", value_parser = Destination::parse)]
    out: Destination,
}

pub(super) async fn run(args: Args, run: &mut Run) -> Result<(), Failure> {
    run.refuse_dry_run("batch export")?;
    let store = Store::existing(&args.store, run).await?;
    let job = store.job(args.job).await?;
    args.out.write(&store.outbox, &job).await?;
    let (counts, _) = store.counts(&Filter::all().with_job(&job)).await?;
    if counts.waiting() > 0 {
        run.notes.say(&format!(
            "{} of {} messages are still waiting, and not among these rows",
            counts.waiting(),
            counts.total()
        ));
    }
    Ok(())
}

//! `famulor batch work`

use famulor_outbox::Filter;
use tokio_util::sync::CancellationToken;

use super::serve::{self, Ended, account};
use super::store::{Store, StoreArgs};
use crate::connection::{Connection, Key};
use crate::failure::Failure;
use crate::run::Run;
use crate::signals::Signals;

const EXAMPLES: &str = "\
Examples:
  famulor batch work
  famulor batch work --store postgres://db.example/famulor
      one of these on each of many machines: they share the work
";

#[derive(clap::Args)]
#[command(before_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    worker: serve::WorkerArgs,
}

pub(super) async fn run(args: Args, run: &mut Run, signals: &mut Signals) -> Result<(), Failure> {
    run.refuse_dry_run("batch work")?;
    let flight = std::sync::Arc::clone(&run.flight);
    let opening = async {
        let store = Store::open(&args.store, run).await?;
        let connection = Connection::open_for_batch(run, Key::Required).await?;
        Ok::<_, Failure>((store, connection))
    };
    let (store, connection) = tokio::select! {
        biased;
        exit = signals.next() => return Err(flight.stopped(exit)),
        opened = opening => opened?,
    };
    let stop = CancellationToken::new();
    let worker = serve::worker(&store, run, &connection, &args.worker);
    let filter = Filter::all().with_account(&account(run));
    let ended = serve::until_end(
        worker.run(stop.clone()),
        stop,
        &store,
        filter.clone(),
        "all jobs".to_owned(),
        run,
        signals,
    )
    .await?;
    match ended {
        Ended::Stopped(exit) => {
            let left = serve::left(&store, &filter).await;
            run.notes.say(&format!("stopped: {left}"));
            Err(Failure::Stopped(exit))
        }
        Ended::AtOnce(exit) => {
            run.notes.say(
                "stopped at once; what was in flight is looked for when a worker starts again",
            );
            Err(Failure::Stopped(exit))
        }
        Ended::Worker(_) => Ok(()),
    }
}

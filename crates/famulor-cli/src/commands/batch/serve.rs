//! A worker of the outbox, until it is done or told to stop.

use std::time::{Duration, Instant};

use famulor_outbox::{Filter, Result as OutboxResult, WorkerBuilder, WorkerEnd};
use tokio_util::sync::CancellationToken;

use super::forecast::{Forecast, Pace};
use super::progress::Progress;
use super::store::{Store, refused};
use crate::connection::Connection;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::Run;
use crate::signals::Signals;
use crate::{crash, duration};

/// The flags of every command that sends.
#[derive(clap::Args)]
pub(super) struct WorkerArgs {
    /// How many messages may be in flight at once [default: as many as the limit lets go at once, or 32] [example: 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024),
        hide_short_help = true)]
    concurrency: Option<u16>,

    /// After so much silence of a worker, others look for what it had in flight [default: 60s] [example: 2m]
    #[arg(long, value_name = "DUR", value_parser = duration::parse_positive, hide_short_help = true)]
    lease: Option<Duration>,
}

/// How it ended.
pub(super) enum Ended {
    /// By itself.
    Worker(WorkerEnd),
    /// By a signal; what was in flight was waited for.
    Stopped(Exit),
    /// By a second signal, at once.
    AtOnce(Exit),
}

/// Whose rows this process sends: a key's account under the name of the profile that it is from, and another one for
/// each API that is not the usual one. So no other account's key, and no emulator, is ever taken for it.
pub(super) fn account(run: &Run) -> String {
    let profile = &run.settings.profile.value;
    if run.global.emulator {
        return format!("{profile}@emulator");
    }
    match &run.settings.base_url {
        Some(url) => format!("{profile}@{}", url.value.trim_end_matches('/')),
        None => profile.clone(),
    }
}

/// A worker with this run's settings.
pub(super) fn worker(
    store: &Store,
    run: &Run,
    connection: &Connection,
    args: &WorkerArgs,
) -> WorkerBuilder {
    let at_once = args.concurrency.map(usize::from);
    let mut worker = store
        .outbox
        .worker()
        .with_account(&account(run), connection.client.clone())
        .with_concurrency(at_once.unwrap_or_else(|| Pace::of(&run.settings).at_once()));
    if let Some(lease) = args.lease {
        worker = worker.with_lease(lease);
    }
    if let Some(wait) = &run.settings.doubt_wait {
        worker = worker.with_doubt_wait(wait.value);
    }
    if crash::is_ordered() {
        worker = worker.with_checkpoint(crash::reached);
    }
    if crash::without_intents() {
        worker = worker.without_intents();
    }
    worker
}

/// Whether something else writes to standard error.
pub(super) fn logs(run: &Run) -> bool {
    run.global.verbose > 0 || run.environment.raw("FAMULOR_LOG").is_some()
}

/// How far a job is whose worker was stopped; also when the store cannot tell.
pub(super) async fn left(store: &Store, filter: &Filter) -> String {
    match store.counts(filter).await {
        Ok((counts, _)) => counts.line(),
        Err(_) => "the store is away; what is not in it is looked for when it goes on".to_owned(),
    }
}

/// Runs a worker and shows how far it is.
pub(super) async fn until_end(
    worker: impl Future<Output = OutboxResult<WorkerEnd>>,
    stop: CancellationToken,
    store: &Store,
    filter: Filter,
    what: String,
    run: &Run,
    signals: &mut Signals,
) -> Result<Ended, Failure> {
    let (counts, _) = store.counts(&filter).await?;
    let forecast = Forecast::new(Pace::of(&run.settings), counts.settled());
    let mut progress = Progress::start(run.notes, logs(run), what, forecast);
    progress.show(counts, Duration::ZERO);
    let mut stopped = None;
    // A store that is silent must not keep a signal waiting.
    let mut look = None;
    tokio::pin!(worker);
    loop {
        tokio::select! {
            biased;
            exit = signals.next() => match stopped {
                Some(_) => return Ok(Ended::AtOnce(exit)),
                None => {
                    stopped = Some(exit);
                    stop.cancel();
                    progress.say(
                        "stopping: what is in flight is waited for, nothing new is sent (once more: stop at once)",
                    );
                }
            },
            end = &mut worker => {
                progress.end();
                let end = end.map_err(refused)?;
                return Ok(match stopped {
                    Some(exit) => Ended::Stopped(exit),
                    None => Ended::Worker(end),
                });
            }
            () = progress.due(), if look.is_none() => {
                look = Some((Instant::now(), Box::pin(store.counts(&filter))));
            }
            (began, found) = async {
                match &mut look {
                    Some((began, looking)) => (*began, looking.await),
                    None => std::future::pending().await,
                }
            } => {
                look = None;
                match found {
                    Ok((counts, _)) => progress.show(counts, began.elapsed()),
                    // A database that is away for a minute is the worker's business: it waits.
                    Err(failure) => progress.cannot_look(&failure),
                }
            }
        }
    }
}

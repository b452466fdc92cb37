//! A worker from its beginning to its end.

use std::sync::Arc;
use std::time::Duration;

use famulor_core::Client;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::builder::{EndReason, WorkerEnd};
use super::dispatch::dispatch;
use super::keep::{Registration, find_lost, keep};
use super::pace::Pace;
use super::place::look_ahead;
use super::read_back::read_back;
use super::shared::{Account, Settings, Shared};
use crate::store::{AccountOf, OwnerGone, Store};
use crate::{Error, ErrorKind, Result};

/// How often a worker that drains looks whether all is settled, and one of a job whether there is such a job.
const LOOK_EVERY: Duration = Duration::from_millis(250);

pub(super) async fn conduct(
    store: Store,
    accounts: Vec<(String, Client)>,
    settings: Arc<Settings>,
    stop: CancellationToken,
    drain: bool,
) -> Result<WorkerEnd> {
    let job = match &settings.job {
        None => None,
        Some(name) => match find_job(&store, name, &stop, drain).await? {
            Some(job) => Some(job),
            None => {
                return Ok(nothing_done(if drain {
                    EndReason::Finished
                } else {
                    EndReason::Stopped
                }));
            }
        },
    };
    let mut served = Vec::with_capacity(accounts.len());
    for (name, client) in accounts {
        served.push(Arc::new(Account {
            number: store.write(AccountOf(name)).await?,
            client,
            calls: Arc::new(Semaphore::new(settings.concurrency)),
            pace: Pace::default(),
        }));
    }
    let registration = Registration::new(&store, settings.lease_ms()).await?;
    let owner = registration.owner;
    find_lost(&store, owner, settings.without_intents).await?;
    let shared = Arc::new(Shared::new(store, settings, job, owner));
    let keeping = tokio::spawn(keep(Arc::clone(&shared), registration));
    let mut tasks = Vec::new();
    for account in &served {
        let with = || (Arc::clone(&shared), Arc::clone(account));
        let (shared, account) = with();
        tasks.push(tokio::spawn(dispatch(shared, account)));
        let (shared, account) = with();
        tasks.push(tokio::spawn(look_ahead(shared, account)));
        let (shared, account) = with();
        tasks.push(tokio::spawn(read_back(shared, account)));
    }
    let reason = wait(&shared, &served, &stop, drain).await;
    shared.halt.cancel();
    for task in tasks {
        let _ = task.await;
    }
    let in_doubt = let_calls_end(&shared).await;
    shared.over.cancel();
    let registration = keeping.await.ok();
    // The last thing: it is registered for as long as it may still send.
    let gone = OwnerGone {
        known: vec![shared.owner()],
        as_if_unsent: false,
    };
    // Told or not: what is only dropped is found by others.
    if let (Ok(_), Some(registration)) = (shared.store.write(gone).await, registration) {
        registration.end();
    }
    match shared.take_failure() {
        Some(error) => Err(error),
        None => Ok(WorkerEnd {
            reason,
            settled: shared.settled(),
            in_doubt,
        }),
    }
}

fn nothing_done(reason: EndReason) -> WorkerEnd {
    WorkerEnd {
        reason,
        settled: 0,
        in_doubt: 0,
    }
}

/// The job's number; waits until there is such a job, unless it is to be drained.
async fn find_job(
    store: &Store,
    name: &str,
    stop: &CancellationToken,
    drain: bool,
) -> Result<Option<i64>> {
    loop {
        match store.job_number(name).await {
            Ok(Some(job)) => return Ok(Some(job)),
            Ok(None) if drain => return Ok(None),
            Err(error) if error.kind() != ErrorKind::Unreachable => return Err(error),
            _ => {}
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(None),
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Waits for a reason to end.
async fn wait(
    shared: &Shared,
    served: &[Arc<Account>],
    stop: &CancellationToken,
    drain: bool,
) -> EndReason {
    loop {
        let ended = shared.ended.notified();
        if shared.halt.is_cancelled() {
            // Why is said by the failure.
            return EndReason::Stopped;
        }
        if shared.has_failed_enough() {
            return EndReason::TooManyFailures;
        }
        if drain && is_drained(shared, served).await.unwrap_or(false) {
            return EndReason::Finished;
        }
        let told = async {
            match drain {
                true => drop(timeout(LOOK_EVERY, ended).await),
                false => ended.await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return EndReason::Stopped,
            () = told => {}
        }
    }
}

async fn is_drained(shared: &Shared, served: &[Arc<Account>]) -> std::result::Result<bool, Error> {
    if !shared.sending().is_empty() {
        return Ok(false);
    }
    for account in served {
        if shared.store.unfinished(account.number, shared.job).await? > 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Waits for calls under way as long as it is worth it; says how many were left.
async fn let_calls_end(shared: &Shared) -> u64 {
    let latest = Instant::now() + shared.settings.stop_wait.min(Duration::from_secs(86_400));
    loop {
        let ended = shared.ended.notified();
        let left = shared.sending().len();
        if left == 0 {
            return 0;
        }
        if timeout_at(latest, ended).await.is_err() {
            return u64::try_from(left).unwrap_or(u64::MAX);
        }
    }
}

//! `famulor batch retry` and `famulor batch cancel`: what a person decides.

use clap::ValueEnum;
use famulor_outbox::{Filter, Resolution, Row, State};
use serde::Serialize;

use super::messages;
use super::store::{Store, StoreArgs, refused};
use crate::failure::Failure;
use crate::run::Run;

const RETRY_EXAMPLES: &str = "\
Examples:
  famulor batch retry --job messages
      everything that failed or was cancelled
  famulor batch retry --job messages --line 7 --state needs_review
      a message that you have looked for and that did not arrive
";

#[derive(clap::Args)]
#[command(before_help = RETRY_EXAMPLES)]
pub(super) struct RetryArgs {
    #[command(flatten)]
    store: StoreArgs,

    /// The job [default: the only one in the store] [example: spring]
    #[arg(long, value_name = "NAME")]
    job: Option<String>,

    /// Only the message of this line of the input; repeatable [example: 17]
    #[arg(long = "line", value_name = "N")]
    lines: Vec<u64>,

    /// Only messages in this state; repeatable [default: failed, cancelled]
    /// [example: needs_review]
    // What may have arrived is never sent again unless somebody says so in these words.
    #[arg(long = "state", value_enum, value_name = "STATE")]
    states: Vec<Retried>,
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Retried {
    Failed,
    Cancelled,
    /// May have arrived: look first, it may be billed a second time
    NeedsReview,
    /// Given up under --on-unknown fail; the same holds
    InDoubt,
}

impl From<Retried> for State {
    fn from(state: Retried) -> Self {
        match state {
            Retried::Failed => Self::Failed,
            Retried::Cancelled => Self::Cancelled,
            Retried::NeedsReview => Self::NeedsReview,
            Retried::InDoubt => Self::InDoubt,
        }
    }
}

const CANCEL_EXAMPLES: &str = "\
Examples:
  famulor batch cancel --job messages
      everything that is still waiting
  famulor batch cancel --job messages --line 7 --state needs_review
      a message that you have looked for: it is never sent again
";

#[derive(clap::Args)]
#[command(before_help = CANCEL_EXAMPLES)]
pub(super) struct CancelArgs {
    #[command(flatten)]
    store: StoreArgs,

    /// The job [default: the only one in the store] [example: spring]
    #[arg(long, value_name = "NAME")]
    job: Option<String>,

    /// Only the message of this line of the input; repeatable [example: 17]
    #[arg(long = "line", value_name = "N")]
    lines: Vec<u64>,

    /// Which messages: those that wait, or those to review, which are then failed for good
    #[arg(
        long,
        value_enum,
        value_name = "STATE",
        default_value = "queued",
        hide_possible_values = true
    )]
    state: Cancelled,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Cancelled {
    Queued,
    NeedsReview,
}

/// What was decided, in how many rows.
#[derive(Serialize)]
struct Decided {
    job: String,
    changed: u64,
}

pub(super) async fn retry(args: RetryArgs, run: &mut Run) -> Result<(), Failure> {
    run.refuse_dry_run("batch retry")?;
    let store = Store::existing(&args.store, run).await?;
    let job = store.job(args.job).await?;
    let states: Vec<State> = match args.states.as_slice() {
        [] => vec![State::Failed, State::Cancelled],
        given => given.iter().copied().map(State::from).collect(),
    };
    let filter = Filter::all().with_job(&job).with_states(states);
    let mut changed = 0;
    if args.lines.is_empty() {
        changed = store.outbox.retry(&filter).await.map_err(refused)?;
    } else {
        for row in rows_of_lines(&store, &filter, &args.lines).await? {
            let this = filter.clone().with_row(row.id);
            changed += store.outbox.retry(&this).await.map_err(refused)?;
        }
    }
    let decided = Decided { job, changed };
    run.output.object(&decided, |out| {
        writeln!(out, "{} to be sent again", messages(changed))
    })?;
    if changed > 0 {
        run.notes
            .say("they are sent by the same batch run as before, and by famulor batch work");
    }
    Ok(())
}

pub(super) async fn cancel(args: CancelArgs, run: &mut Run) -> Result<(), Failure> {
    run.refuse_dry_run("batch cancel")?;
    let store = Store::existing(&args.store, run).await?;
    let job = store.job(args.job).await?;
    let filter = Filter::all().with_job(&job);
    let changed = match args.state {
        Cancelled::Queued if args.lines.is_empty() => {
            store.outbox.cancel(&filter).await.map_err(refused)?
        }
        Cancelled::Queued => {
            let waiting = filter.with_states([State::Queued]);
            let mut changed = 0;
            for row in rows_of_lines(&store, &waiting, &args.lines).await? {
                let this = waiting.clone().with_row(row.id);
                changed += store.outbox.cancel(&this).await.map_err(refused)?;
            }
            changed
        }
        Cancelled::NeedsReview => {
            let to_review = filter.with_states([State::NeedsReview]);
            let mut changed = 0;
            for row in rows_of_lines(&store, &to_review, &args.lines).await? {
                let given_up = store.outbox.resolve(row.id, Resolution::GiveUp);
                given_up.await.map_err(refused)?;
                changed += 1;
            }
            changed
        }
    };
    let decided = Decided { job, changed };
    run.output.object(&decided, |out| {
        writeln!(out, "{} not to be sent", messages(changed))
    })
}

/// The rows of these lines, or of all; a line that has none of them is an error, before anything is changed.
async fn rows_of_lines(store: &Store, filter: &Filter, lines: &[u64]) -> Result<Vec<Row>, Failure> {
    const PAGE: usize = 1000;
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = store
            .outbox
            .list(filter, after, PAGE)
            .await
            .map_err(refused)?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        found.extend(
            page.into_iter().filter(|row| {
                lines.is_empty() || row.line.is_some_and(|line| lines.contains(&line))
            }),
        );
    }
    for line in lines {
        if !found.iter().any(|row| row.line == Some(*line)) {
            return Err(
                Failure::usage(format!("line {line} has no message in such a state"))
                    .next("batch export shows the state of each line"),
            );
        }
    }
    Ok(found)
}

//! `famulor batch status`

use std::io::Write;

use famulor_outbox::Filter;
use serde::Serialize;

use super::counts::Counts;
use super::store::{Store, StoreArgs};
use crate::failure::Failure;
use crate::output::Output;
use crate::run::Run;
use crate::visible::visible_line;

const EXAMPLES: &str = "\
Examples:
  famulor batch status
  famulor batch status --job messages --json
";

#[derive(clap::Args)]
#[command(before_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    store: StoreArgs,

    /// Of this job only [default: of every job in the store] [example: spring]
    #[arg(long, value_name = "NAME")]
    job: Option<String>,
}

/// One job's figures.
#[derive(Serialize)]
pub(super) struct JobStatus {
    job: String,
    total: u64,
    #[serde(flatten)]
    counts: Counts,
    attempts: u64,
}

const COLUMNS: [&str; 9] = [
    "job",
    "total",
    "done",
    "failed",
    "needs_review",
    "in_doubt",
    "sending",
    "queued",
    "cancelled",
];

pub(super) async fn run(args: Args, run: &mut Run) -> Result<(), Failure> {
    run.refuse_dry_run("batch status")?;
    let store = Store::existing(&args.store, run).await?;
    if let Some(name) = args.job {
        let job = store.job(Some(name)).await?;
        let status = JobStatus::of(&store, job).await?;
        return status.print(run.output);
    }
    let mut rows = Vec::new();
    for job in store.outbox.jobs().await.map_err(super::store::refused)? {
        rows.push(JobStatus::of(&store, job).await?);
    }
    run.output.rows(&rows, &COLUMNS)
}

impl JobStatus {
    pub(super) async fn of(store: &Store, job: String) -> Result<Self, Failure> {
        let (counts, status) = store.counts(&Filter::all().with_job(&job)).await?;
        Ok(Self {
            job,
            total: counts.total(),
            counts,
            attempts: status.attempts,
        })
    }

    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The figures, a line each.
    pub(super) fn print(&self, output: Output) -> Result<(), Failure> {
        output.object(self, |out| self.text(out))
    }

    fn text(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let counts = &self.counts;
        writeln!(out, "job           {}", visible_line(&self.job))?;
        for (name, count, always) in [
            ("done", counts.done, true),
            ("failed", counts.failed, true),
            ("needs review", counts.needs_review, true),
            ("in doubt", counts.in_doubt, true),
            ("sending", counts.sending, false),
            ("waiting", counts.queued, true),
            ("cancelled", counts.cancelled, false),
            ("together", self.total, true),
        ] {
            if always || count > 0 {
                writeln!(out, "{name:<12}  {count}")?;
            }
        }
        Ok(())
    }
}

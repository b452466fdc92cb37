//! `famulor batch run`

use std::path::{Path, PathBuf};
use std::time::Instant;

use famulor_core::{ErrorKind, OnUnknown};
use famulor_outbox::{EndReason, Filter};
use tokio_util::sync::CancellationToken;

use super::counts::Counts;
use super::import::{self, Checked, Tell, Terms};
use super::input::{Format, Source};
use super::intake::{Intake, MANY};
use super::rows::Destination;
use super::serve::{self, Ended, account};
use super::status::JobStatus;
use super::store::{Store, StoreArgs};
use super::{again, plan};
use crate::commands::reply::parse_on_unknown;
use crate::connection::{Connection, Key};
use crate::duration::rough;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::Run;
use crate::signals::Signals;
use crate::stdin::Stdin;

const EXAMPLES: &str = "\
Examples:
  famulor batch run messages.jsonl --dry-run
      what would be sent, and how long that takes
  famulor batch run messages.jsonl --out replies.jsonl
  famulor batch run customers.csv --out replies.jsonl --skip-invalid
  make-messages | famulor batch run - --job spring --out -
  famulor --emulator batch run messages.jsonl --rate-limit off --out -
      the whole of it without a key, without cost

A line of messages.jsonl:
  {\"assistant_id\":123,\"customer_identifier\":\"+49155551234\",\"message\":\"Hi\"}
  and, as you like, \"variables\":{\"name\":\"Jane\"} and \"id\":\"your own\"
The same as CSV:
  assistant_id,customer_identifier,message,var.name,id
  123,+49155551234,Hi,Jane,your own
";

#[derive(clap::Args)]
#[command(before_help = EXAMPLES)]
pub(super) struct Args {
    /// The messages; -: standard input
    #[arg(value_name = "FILE|-")]
    file: String,

    /// How they are written [default: by the file's ending, else jsonl] [example: csv]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,

    /// Write the outcome of every message to this file, whole, once all are settled; -: to standard output
    /// [default: nowhere, see batch export] [example: replies.jsonl]
    #[arg(long, value_name = "FILE|-", value_parser = Destination::parse)]
    out: Option<Destination>,

    #[command(flatten)]
    store: StoreArgs,

    /// The name under which it goes on later [default: the file's name without its ending]
    /// [example: spring]
    #[arg(long, value_name = "NAME")]
    job: Option<String>,

    /// When it is not known whether a message arrived: look (verify), give up (fail), or send it
    /// again, which may be billed twice (resend); kept with each message when the job begins
    /// [default: verify] [example: fail]
    #[arg(long, value_name = "POLICY", value_parser = parse_on_unknown)]
    on_unknown: Option<OnUnknown>,

    /// Stop once so many messages have failed [default: never] [example: 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_failures: Option<u64>,

    /// Send the good lines of an input that has bad ones: those become rows of state failed
    /// [example: famulor batch run messages.csv --skip-invalid]
    #[arg(long)]
    skip_invalid: bool,

    #[command(flatten)]
    worker: serve::WorkerArgs,
}

/// Everything that is needed to send.
struct Ready {
    store: Store,
    connection: Connection,
    job: String,
}

pub(super) async fn run(args: Args, run: &mut Run, signals: &mut Signals) -> Result<(), Failure> {
    let flight = std::sync::Arc::clone(&run.flight);
    let ready = tokio::select! {
        biased;
        // Nothing is sent of a job that is not taken over whole.
        exit = signals.next() => return Err(flight.stopped(exit)),
        ready = prepare(&args, run) => ready?,
    };
    match ready {
        Some(ready) => send(&args, ready, run, signals).await,
        None => Ok(()),
    }
}

/// Checks everything that can be checked, and takes the input over. `None`: that was all that was asked for.
async fn prepare(args: &Args, run: &mut Run) -> Result<Option<Ready>, Failure> {
    let job = job_name(args)?;
    let path = (args.file != "-").then(|| PathBuf::from(&args.file));
    let by_name = path.as_deref().map_or(Format::Jsonl, Format::of);
    let format = args.format.unwrap_or(by_name);
    let dry_run = run.global.dry_run;
    if !dry_run && let Some(out) = &args.out {
        out.check()?;
    }
    if path.is_none() {
        run.stdin.take("FILE")?;
        if Stdin::is_terminal() {
            run.notes
                .say("reading messages from the terminal, a line each; end with Ctrl-D");
        }
    }
    let tell = Tell {
        as_json: run.output.format.is_json(),
        quiet: run.notes.quiet,
        skipped: args.skip_invalid,
    };
    let (notes, logs) = (run.notes, serve::logs(run));
    // Beside the runtime, so that signals are heard meanwhile.
    let reading = tokio::task::spawn_blocking(move || {
        let source = match &path {
            Some(path) => Source::file(path)?,
            None => Source::standard_input()?,
        };
        let intake = Intake::start(notes, logs, format!("checking {}", source.name), None);
        import::check(source, format, tell, intake)
    });
    let checked = reading
        .await
        .map_err(|error| Failure::unexpected(format!("reading the input failed: {error}")))?;
    let mut checked = checked?;
    refuse_bad(&checked, args.skip_invalid)?;
    if dry_run {
        plan::show(run, &args.store, job, checked.messages, checked.bad).await?;
        return Ok(None);
    }
    let connection = Connection::open_for_batch(run, Key::Required).await?;
    let store = Store::open(&args.store, run).await?;
    let account = account(run);
    refuse_foreign(&store, &job, &account).await?;
    let terms = Terms {
        job: &job,
        account: &account,
        on_unknown: args.on_unknown,
    };
    let lines = checked.messages + checked.bad;
    if lines >= MANY {
        notes.say(&format!("taking {lines} messages over into the store"));
    }
    let began = Instant::now();
    let deed = format!("taking over job {job}");
    let intake = Intake::start(notes, logs, deed, Some(lines));
    let is_new = import::import(&store.outbox, &mut checked, format, terms, intake).await?;
    if lines >= MANY {
        let (done, time) = match is_new {
            true => ("taken over", format!(" in {}", rough(began.elapsed()))),
            false => ("are there from an earlier run", String::new()),
        };
        notes.say(&format!("{lines} messages {done}{time}"));
    }
    if args.on_unknown.is_some() && !is_new {
        run.notes.say(
            "--on-unknown changes nothing here: the messages keep what was given when the job began",
        );
    }
    Ok(Some(Ready {
        store,
        connection,
        job,
    }))
}

/// `spring` for `lists/spring.csv`.
fn job_name(args: &Args) -> Result<String, Failure> {
    let name = match &args.job {
        Some(name) => name.clone(),
        None if args.file == "-" => {
            return Err(
                Failure::usage("standard input has no name to call the job by")
                    .next("name the job with --job"),
            );
        }
        None => {
            let stem = Path::new(&args.file).file_stem().unwrap_or_default();
            stem.to_string_lossy().into_owned()
        }
    };
    let is_name = !name.trim().is_empty()
        && name.chars().count() <= 255
        && !name.chars().any(char::is_control);
    if is_name {
        return Ok(name);
    }
    Err(
        Failure::usage("the job's name is empty, too long or not text")
            .next("name the job with --job"),
    )
}

fn refuse_bad(checked: &Checked, skip: bool) -> Result<(), Failure> {
    let (good, bad) = (checked.messages, checked.bad);
    let name = &checked.source.name;
    if bad > 0 && !skip {
        let are = if bad == 1 { "is" } else { "are" };
        return Err(
            Failure::usage(format!("{bad} of {} lines in {name} {are} bad", good + bad))
                .next("mend them, or send the others with --skip-invalid"),
        );
    }
    if good + bad == 0 {
        return Err(Failure::usage(format!("there is no message in {name}")));
    }
    Ok(())
}

/// A key must not send what belongs to another account; nor may what an emulator answered pass for the real thing.
async fn refuse_foreign(store: &Store, job: &str, account: &str) -> Result<(), Failure> {
    if !store.has(job).await? {
        return Ok(());
    }
    let whole = Filter::all().with_job(job);
    let (all, _) = store.counts(&whole).await?;
    let (ours, _) = store.counts(&whole.clone().with_account(account)).await?;
    if all.total() == ours.total() {
        return Ok(());
    }
    let other = store.other_account(&whole, account).await?;
    Err(Failure::config(format!(
        "the job {job} was begun with the account {other}, not with {account}"
    ))
    .next("give the same --profile and --base-url, or call this one something else with --job"))
}

async fn send(
    args: &Args,
    ready: Ready,
    run: &mut Run,
    signals: &mut Signals,
) -> Result<(), Failure> {
    let Ready {
        store,
        connection,
        job,
    } = ready;
    let stop = CancellationToken::new();
    let mut worker = serve::worker(&store, run, &connection, &args.worker).with_job(&job);
    if let Some(failures) = args.max_failures {
        worker = worker.with_max_failures(failures);
    }
    let filter = Filter::all().with_job(&job);
    let ended = serve::until_end(
        worker.drain(stop.clone()),
        stop,
        &store,
        filter.clone(),
        format!("job {job}"),
        run,
        signals,
    )
    .await?;
    let reason = match ended {
        Ended::Worker(end) => end.reason,
        Ended::Stopped(exit) => {
            return Err(stopped(exit, &serve::left(&store, &filter).await, args));
        }
        Ended::AtOnce(exit) => {
            let line = "at once; what was in flight is looked for when it goes on";
            return Err(stopped(exit, line, args));
        }
    };
    let status = JobStatus::of(&store, job.clone()).await?;
    match &args.out {
        Some(out) => {
            out.write(&store.outbox, &job).await?;
            run.notes
                .say(&format!("job {job}: {}", status.counts().line()));
        }
        None => status.print(run.output)?,
    }
    let counts = *status.counts();
    if reason == EndReason::TooManyFailures {
        return Err(too_many_failures(&counts, args));
    }
    unfinished(&store, &job, &counts).map_or(Ok(()), Err)
}

/// What to say to somebody who has stopped it.
fn stopped(exit: Exit, how: &str, args: &Args) -> Failure {
    let word = match exit {
        Exit::Terminated => "terminated",
        _ => "interrupted",
    };
    Failure::of_batch(ErrorKind::Internal, exit, format!("{word}: {how}")).next(go_on(args))
}

fn go_on(args: &Args) -> String {
    let command = again::command_line();
    match args.file.as_str() {
        "-" => format!("it goes on with the same input: … | {command}"),
        _ => format!("it goes on with: {command}"),
    }
}

fn too_many_failures(counts: &Counts, args: &Args) -> Failure {
    let message = format!("stopped after too many failures: {}", counts.line());
    Failure::of_batch(ErrorKind::Refused, Exit::BatchUnfinished, message).next(go_on(args))
}

/// Exit 10, if something came of every message, but not always a reply.
fn unfinished(store: &Store, job: &str, counts: &Counts) -> Option<Failure> {
    let open = counts.needs_review + counts.in_doubt;
    if counts.failed + open == 0 {
        return None;
    }
    let mut causes = Vec::new();
    for (count, what) in [
        (counts.failed, "failed"),
        (counts.needs_review, "to review by a person"),
        (counts.in_doubt, "in doubt"),
    ] {
        if count > 0 {
            causes.push(format!("{count} {what}"));
        }
    }
    let message = format!("of {} messages: {}", counts.total(), causes.join(", "));
    let kind = match open {
        0 => ErrorKind::Refused,
        _ => ErrorKind::UnknownOutcome,
    };
    let mut next = format!("{} says why, line by line", store.command("export", job));
    if counts.failed > 0 {
        let retry = store.command("retry", job);
        next.push_str(&format!("; {retry} sends what failed once more"));
    }
    if open > 0 {
        next.push_str(
            "; what a person has looked for goes again with batch retry --state needs_review (or in_doubt), or is given \
             up with batch cancel --state needs_review",
        );
    }
    Some(Failure::of_batch(kind, Exit::BatchUnfinished, message).next(next))
}

//! `famulor emulator serve`

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use famulor_emulator::{Emulator, JournalEntry, LimitAlgorithm, RateLimit as EmulatedLimit};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::connection::causes;
use crate::duration;
use crate::failure::Failure;
use crate::request_log;
use crate::run::Run;
use crate::settings::RateLimit;
use crate::signals::Signals;

const EXAMPLES: &str = "\
Examples:
  famulor emulator serve
  famulor emulator serve --listen 127.0.0.1:0 --ready-file ready
  famulor emulator serve --rate-limit off --latency 50ms
  famulor emulator serve --time-scale 60      a minute of it takes a second
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
    Serve(Serve),
}

#[derive(clap::Args)]
#[command(before_help = EXAMPLES)]
struct Serve {
    /// Where to listen; port 0 picks a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8787")]
    listen: SocketAddr,

    /// Write the base URL to this file, whole, once it listens
    #[arg(long, value_name = "F")]
    ready_file: Option<PathBuf>,

    /// The limit of replies per token: N/DUR or off (no limits at all) [default: 5/60s]
    // Takes the place of the client's flag of that name: a global one gives way
    // to a command's own with the same id and type.
    #[arg(long, value_name = "N/DUR|off", value_parser = RateLimit::parse)]
    rate_limit: Option<RateLimit>,

    /// How it counts
    #[arg(long, value_enum, value_name = "ALGORITHM", default_value = "fixed")]
    limit_algorithm: Algorithm,

    /// How long each answer takes, in emulated time
    #[arg(long, value_name = "DUR", value_parser = duration::parse, default_value = "0s")]
    latency: Duration,

    /// Accept this token only [default: any]
    #[arg(long, value_name = "T")]
    token: Option<String>,

    /// Give the same ids and replies for the same seed
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// Let its time run X times as fast as real time
    #[arg(
        long,
        value_name = "X",
        default_value_t = 1.0,
        allow_negative_numbers = true
    )]
    time_scale: f64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Algorithm {
    /// A window that starts at the first request, as Laravel counts
    Fixed,
    /// No window of any position holds more
    Sliding,
    /// A bucket that is refilled evenly
    TokenBucket,
}

impl From<Algorithm> for LimitAlgorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Fixed => Self::Fixed,
            Algorithm::Sliding => Self::SlidingLog,
            Algorithm::TokenBucket => Self::TokenBucket,
        }
    }
}

pub(crate) async fn run(args: Args, run: &Run, signals: &mut Signals) -> Result<(), Failure> {
    run.refuse_dry_run("emulator serve")?;
    let Command::Serve(args) = args.command;
    // A file left behind by an earlier run would name a server that is gone.
    if let Some(file) = &args.ready_file {
        remove(file)?;
    }
    let (entries, mut requests) = unbounded_channel();
    let emulator = start(&args, move |entry| {
        // Nobody reads them any more once the server is told to stop.
        let _ = entries.send(entry.clone());
    })
    .await?;
    let base_url = emulator.base_url();
    welcome(run, &base_url, args.token.is_some());
    if let Some(file) = &args.ready_file {
        write_whole(file, &base_url)?;
    }
    let exit = tokio::select! {
        exit = signals.next() => exit,
        failure = log(run, &mut requests) => return Err(failure),
    };
    stop(run, emulator, requests, signals).await?;
    Err(Failure::Stopped(exit))
}

/// Prints every request as it ends, for as long as somebody reads that.
async fn log(run: &Run, requests: &mut UnboundedReceiver<JournalEntry>) -> Failure {
    while let Some(entry) = requests.recv().await {
        if run.notes.quiet {
            continue;
        }
        if let Err(failure) = request_log::print(run.output, &entry) {
            return failure;
        }
    }
    Failure::unexpected("the emulator ended by itself")
}

async fn start(
    args: &Serve,
    show: impl Fn(&JournalEntry) + Send + Sync + 'static,
) -> Result<Emulator, Failure> {
    let mut builder = Emulator::builder()
        .on_request(show)
        .listen(args.listen)
        .limit_algorithm(args.limit_algorithm.into())
        .latency(args.latency)
        .seed(args.seed)
        .time_scale(args.time_scale);
    match &args.rate_limit {
        Some(RateLimit::Limit(limit)) => {
            let limit = EmulatedLimit::every(limit.requests(), limit.window());
            builder = builder.rate_limit(limit);
        }
        Some(RateLimit::Off) => builder = builder.without_limits(),
        None => {}
    }
    if let Some(token) = &args.token {
        if token.is_empty() {
            return Err(Failure::usage(
                "--token is empty: no request could carry it",
            ));
        }
        builder = builder.token(token);
    }
    builder.start().await.map_err(|error| {
        Failure::config(causes(&error)).next("choose another --listen, such as 127.0.0.1:0")
    })
}

/// Where it is and what to type next: no data, so it goes beside the data.
fn welcome(run: &Run, base_url: &str, one_token: bool) {
    let token = if one_token {
        "the token you gave"
    } else {
        "any token"
    };
    run.notes.say(&format!(
        "A local Famulor listens on {base_url} and accepts {token}. Try it from another shell:\n\
         \n\
         \x20 export FAMULOR_BASE_URL={base_url} FAMULOR_API_KEY={key}\n\
         \x20 famulor reply --assistant-id 123 --customer +49155551234 \"Hi\"\n\
         \n\
         \x20 curl {base_url}/ai/generate-reply -H 'Authorization: Bearer {key}' \\\n\
         \x20   -H 'Content-Type: application/json' \\\n\
         \x20   -d '{{\"assistant_id\":123,\"customer_identifier\":\"+49155551234\",\"message\":\"Hi\"}}'\n\
         \n\
         Stop it with Ctrl-C.",
        key = if one_token { "…" } else { "test" },
    ));
}

/// Answers what is under way. A second signal ends it at once.
async fn stop(
    run: &Run,
    emulator: Emulator,
    mut requests: UnboundedReceiver<JournalEntry>,
    signals: &mut Signals,
) -> Result<(), Failure> {
    tokio::select! {
        () = emulator.shutdown() => {}
        _ = signals.next() => {}
    }
    while let Ok(entry) = requests.try_recv() {
        if !run.notes.quiet {
            request_log::print(run.output, &entry)?;
        }
    }
    run.notes.say("stopped");
    Ok(())
}

fn remove(file: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unwritable(file, &error)),
        _ => Ok(()),
    }
}

/// Written beside it and renamed, so that who waits for the file never reads half of it.
fn write_whole(file: &Path, text: &str) -> Result<(), Failure> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let beside = PathBuf::from(beside);
    std::fs::File::create(&beside)
        .and_then(|mut out| out.write_all(text.as_bytes()))
        .and_then(|()| std::fs::rename(&beside, file))
        .map_err(|error| unwritable(file, &error))
}

fn unwritable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::config(format!(
        "cannot write --ready-file {}: {error}",
        file.display()
    ))
}

//! `famulor emulator serve`

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use famulor_emulator::{
    Emulator, JournalEntry, LimitAlgorithm, RateLimit as EmulatedLimit, Script, StartError,
};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::wrong_script;
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
  famulor emulator serve --script desk.yaml
  famulor emulator serve --limit-algorithm sliding --token secret --seed 7
  famulor emulator serve --rate-limit off --latency 50ms
  famulor emulator serve --time-scale 60      a minute of it takes a second
";

#[derive(clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// Where to listen; port 0 picks a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8787")]
    listen: SocketAddr,

    /// Write the base URL to this file, whole, once it listens
    #[arg(long, value_name = "F")]
    ready_file: Option<PathBuf>,

    /// What it is from the start: assistants, rules, tokens, faults (YAML). A flag wins over it
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,

    /// The limit of replies per token: N/DUR or off (no limits at all) [default: 5/60s]
    // Takes the place of the client's flag of that name: a global one gives way
    // to a command's own with the same id and type.
    #[arg(long, value_name = "N/DUR|off", value_parser = RateLimit::parse)]
    rate_limit: Option<RateLimit>,

    // These have no default of clap's: it would take the place of what the script says.
    /// How it counts [default: fixed]
    #[arg(long, value_enum, value_name = "ALGORITHM")]
    limit_algorithm: Option<Algorithm>,

    /// How long each answer takes, in emulated time [default: 0s]
    #[arg(long, value_name = "DUR", value_parser = duration::parse)]
    latency: Option<Duration>,

    /// Accept this token only [default: any]
    #[arg(long, value_name = "T")]
    token: Option<String>,

    /// Give the same ids and replies for the same seed [default: 0]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Let its time run X times as fast as real time; 0: only the control plane moves it
    /// [default: 1]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    time_scale: Option<f64>,
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

pub(super) async fn run(args: Args, run: &Run, signals: &mut Signals) -> Result<(), Failure> {
    run.refuse_dry_run("emulator serve")?;
    // A file left behind by an earlier run would name a server that is gone.
    if let Some(file) = &args.ready_file {
        remove(file)?;
    }
    let script = match &args.script {
        Some(file) => Some(Script::from_file(file).map_err(|error| wrong_script(&error))?),
        None => None,
    };
    let tokens = match &script {
        _ if args.token.is_some() => "the token you gave",
        Some(script) if script.only_these_tokens() => "the tokens of the script",
        _ => "any token",
    };
    let (entries, mut requests) = unbounded_channel();
    let emulator = start(&args, script, move |entry| {
        // Nobody reads them any more once the server is told to stop.
        let _ = entries.send(entry.clone());
    })
    .await?;
    let base_url = emulator.base_url();
    welcome(run, &base_url, tokens);
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
    args: &Args,
    script: Option<Script>,
    show: impl Fn(&JournalEntry) + Send + Sync + 'static,
) -> Result<Emulator, Failure> {
    let mut builder = Emulator::builder().on_request(show).listen(args.listen);
    // It may serve a load test: no connection is to wait for another's thread.
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    builder = builder.io_threads(cores);
    // Before the flags, so that they win.
    if let Some(script) = script {
        builder = builder.script(script);
    }
    if let Some(algorithm) = args.limit_algorithm {
        builder = builder.limit_algorithm(algorithm.into());
    }
    if let Some(latency) = args.latency {
        builder = builder.latency(latency);
    }
    if let Some(seed) = args.seed {
        builder = builder.seed(seed);
    }
    if let Some(scale) = args.time_scale {
        builder = builder.time_scale(scale);
    }
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
        builder = builder.only_token(token);
    }
    builder.start().await.map_err(|error| {
        let failure = Failure::config(causes(&error));
        match error {
            StartError::Listen { .. } => {
                failure.next("choose another --listen, such as 127.0.0.1:0")
            }
            _ => failure,
        }
    })
}

/// Where it is and what to type next: no data, so it goes beside the data.
fn welcome(run: &Run, base_url: &str, tokens: &str) {
    run.notes.say(&format!(
        "A local Famulor listens on {base_url} and accepts {tokens}. Try it from another shell:\n\
         \n\
         \x20 export FAMULOR_BASE_URL={base_url} FAMULOR_API_KEY={key}\n\
         \x20 famulor reply --assistant-id 123 --customer +49155551234 \"Hi\"\n\
         \n\
         \x20 curl {base_url}/ai/generate-reply -H 'Authorization: Bearer {key}' \\\n\
         \x20   -H 'Content-Type: application/json' \\\n\
         \x20   -d '{{\"assistant_id\":123,\"customer_identifier\":\"+49155551234\",\"message\":\"Hi\"}}'\n\
         \n\
         Stop it with Ctrl-C.",
        key = if tokens == "any token" { "test" } else { "…" },
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

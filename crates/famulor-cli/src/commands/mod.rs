//! The commands, a file each.

pub(crate) mod api;
pub(crate) mod assistant;
pub(crate) mod auth;
pub(crate) mod batch;
pub(crate) mod chat;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod conversation;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod emulator;
pub(crate) mod man;
pub(crate) mod profile;
pub(crate) mod reply;
pub(crate) mod schema;
pub(crate) mod version;
pub(crate) mod whoami;

use serde::Serialize;
use tokio::runtime::{Builder, Runtime};
use tracing::Instrument;

use crate::args::{Cli, Command, Global};
use crate::failure::Failure;
use crate::flight::Flight;
use crate::local::Local;
use crate::notes;
use crate::output::Output;
use crate::run::Run;
use crate::settings::Environment;
use crate::signals::Signals;
use crate::telemetry;
use crate::terminal::Restore;

/// A failure, and whether it is to be told in JSON.
type Told<T> = Result<T, (Failure, bool)>;

/// Runs the command line. What needs no client is done at once; a runtime is made for the rest.
pub(crate) fn start(cli: Cli, environment: Environment, json: bool) -> Told<()> {
    let Cli { global, command } = cli;
    let here: fn(Command, Local) -> Result<(), Failure> = match command {
        Command::Version
        | Command::Completions(_)
        | Command::Man(_)
        | Command::Schema(_)
        | Command::Config(_)
        | Command::Profile(_) => at_once,
        Command::Auth(_) | Command::Doctor => {
            |command, local| on(one_thread()?, interruptible(command, local))
        }
        // Servers, and many customers at once.
        Command::Emulator(_) | Command::Demo(_) | Command::Batch(_) => {
            let runtime = threads().map_err(|failure| (failure, json))?;
            return on(runtime, with_client(command, global, environment, json));
        }
        command => {
            let runtime = one_thread().map_err(|failure| (failure, json))?;
            return on(runtime, with_client(command, global, environment, json));
        }
    };
    let local = Local::new(global, environment);
    let json = local.output.format.is_json();
    here(command, local).map_err(|failure| (failure.of_this_machine(), json))
}

fn at_once(command: Command, local: Local) -> Result<(), Failure> {
    match command {
        Command::Version => version::run(&local),
        Command::Completions(args) => completions::run(args, &local),
        Command::Man(args) => man::run(args, &local),
        Command::Schema(args) => schema::run(args, &local),
        Command::Config(args) => config::run(args, &local),
        Command::Profile(args) => profile::run(args, &local),
        _ => Ok(()),
    }
}

async fn interruptible(command: Command, mut local: Local) -> Result<(), Failure> {
    let mut signals = Signals::install()?;
    let _restore = Restore::later();
    let command = async {
        match command {
            Command::Auth(args) => auth::run(args, &mut local).await,
            _ => doctor::run(local).await,
        }
    };
    tokio::select! {
        biased;
        exit = signals.next() => Err(Flight::default().stopped(exit)),
        result = command => result,
    }
}

async fn with_client(
    command: Command,
    global: Global,
    environment: Environment,
    json: bool,
) -> Told<()> {
    let mut signals = Signals::install().map_err(|failure| (failure, json))?;
    let mut run = Run::new(global, environment).map_err(|failure| (failure, json))?;
    let json = run.output.format.is_json();
    let Some(telemetry) = run.telemetry.clone() else {
        let result = work(command, &mut run, &mut signals).await;
        return result.map_err(|failure| (failure, json));
    };
    let span = telemetry::command();
    let whole = work(command, &mut run, &mut signals).instrument(span.clone());
    let result = whole.await;
    telemetry::note_end(&span, result.as_ref().err());
    drop(span);
    // Whoever waits for the outcome has it before the collector has its spans.
    let result = result.map_err(|failure| {
        notes::report(&failure, json);
        (Failure::Told(failure.exit()), json)
    });
    tokio::select! {
        biased;
        _ = signals.next() => {}
        () = telemetry.end(run.notes, run.global.verbose > 0) => {}
    }
    result
}

async fn work(command: Command, run: &mut Run, signals: &mut Signals) -> Result<(), Failure> {
    match command {
        // These end in their own way.
        Command::Emulator(args) => emulator::run(args, run, signals).await,
        Command::Chat(args) => chat::run(args, run, signals).await,
        Command::Batch(args) => batch::run(args, run, signals).await,
        command => {
            let flight = std::sync::Arc::clone(&run.flight);
            tokio::select! {
                biased;
                exit = signals.next() => Err(flight.stopped(exit)),
                result = dispatch(command, run) => result,
            }
        }
    }
}

async fn dispatch(command: Command, run: &mut Run) -> Result<(), Failure> {
    match command {
        Command::Demo(args) => demo::run(args, run).await,
        Command::Reply(args) => reply::run(args, run).await,
        Command::Conversation(args) => conversation::run(args, run).await,
        Command::Assistant(args) => assistant::run(args, run).await,
        Command::Whoami => whoami::run(run).await,
        Command::Api(args) => api::run(args, run).await,
        _ => Ok(()),
    }
}

/// Runs it to its end.
fn on<T>(runtime: Runtime, work: impl Future<Output = T>) -> T {
    let result = runtime.block_on(work);
    // A thread that still waits for standard input must not hold the process up.
    runtime.shutdown_background();
    result
}

/// A single call needs no threads, and would wait for their making.
fn one_thread() -> Result<Runtime, Failure> {
    built(&mut Builder::new_current_thread())
}

fn threads() -> Result<Runtime, Failure> {
    built(&mut Builder::new_multi_thread())
}

fn built(builder: &mut Builder) -> Result<Runtime, Failure> {
    builder
        .enable_all()
        .build()
        .map_err(|error| Failure::unexpected(format!("cannot start: {error}")))
}

/// Prints what `--dry-run` shows instead of sending it.
fn show_preview<T: Serialize>(output: Output, preview: &T) -> Result<(), Failure> {
    let value = serde_json::to_value(preview)
        .map_err(|error| Failure::unexpected(format!("cannot show the request: {error}")))?;
    output.object(&value, |out| {
        use crate::visible::visible_line;
        let text = |value: &serde_json::Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), |text| visible_line(text).into_owned())
        };
        writeln!(out, "{} {}", text(&value["method"]), text(&value["url"]))?;
        for (name, header) in value["headers"].as_object().into_iter().flatten() {
            writeln!(out, "{name}: {}", text(header))?;
        }
        if !value["body"].is_null() {
            let body = crate::json::pretty(&value["body"])?;
            writeln!(out)?;
            out.write_all(&body)?;
        }
        Ok(())
    })
}

//! The commands, a file each.

pub(crate) mod api;
pub(crate) mod assistant;
pub(crate) mod batch;
pub(crate) mod chat;
pub(crate) mod completions;
pub(crate) mod conversation;
pub(crate) mod demo;
pub(crate) mod emulator;
pub(crate) mod reply;
pub(crate) mod version;
pub(crate) mod whoami;

use serde::Serialize;

use crate::args::Command;
use crate::failure::Failure;
use crate::output::Output;
use crate::run::Run;
use crate::signals::Signals;

/// Runs a command until it is done or a signal comes.
pub(crate) async fn run(
    command: Command,
    run: &mut Run,
    signals: &mut Signals,
) -> Result<(), Failure> {
    // A server ends in its own way.
    if let Command::Emulator(args) = command {
        return emulator::run(args, run, signals).await;
    }
    // So does what is told to stop sending.
    if let Command::Batch(args) = command {
        return batch::run(args, run, signals).await;
    }
    let flight = std::sync::Arc::clone(&run.flight);
    tokio::select! {
        biased;
        exit = signals.next() => Err(flight.stopped(exit)),
        result = dispatch(command, run) => result,
    }
}

async fn dispatch(command: Command, run: &mut Run) -> Result<(), Failure> {
    match command {
        Command::Demo(args) => demo::run(args, run).await,
        Command::Reply(args) => reply::run(args, run).await,
        Command::Chat(args) => chat::run(args, run).await,
        Command::Conversation(args) => conversation::run(args, run).await,
        Command::Assistant(args) => assistant::run(args, run).await,
        Command::Whoami => whoami::run(run).await,
        Command::Api(args) => api::run(args, run).await,
        Command::Emulator(_) | Command::Batch(_) => Ok(()),
        Command::Completions(args) => completions::run(args, run),
        Command::Version => version::run(run),
    }
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

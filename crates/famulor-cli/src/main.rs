//! The `famulor` command line.

mod args;
mod argv;
mod commands;
mod connection;
mod crash;
mod duration;
mod exit;
mod failure;
mod flight;
mod input;
mod json;
mod logging;
mod notes;
mod output;
mod paging;
mod quota;
mod request_log;
mod run;
mod settings;
mod signals;
mod stdin;
mod table;
mod transcript;
mod visible;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Cli;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::Run;
use crate::settings::Environment;
use crate::signals::Signals;

fn main() -> ExitCode {
    let environment = Environment::of_process();
    let wishes = argv::Wishes::of(std::env::args_os().skip(1), &environment);
    wishes.color.write_global();
    let cli = match Cli::try_parse_from(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(argv::explain(error, wishes).code()),
    };
    let result = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => {
            let result = runtime.block_on(execute(cli, environment, wishes.json));
            // A thread that still waits for standard input must not hold the process up.
            runtime.shutdown_background();
            result
        }
        Err(error) => Err((
            Failure::unexpected(format!("cannot start: {error}")),
            wishes.json,
        )),
    };
    match result {
        Ok(()) => ExitCode::from(Exit::Success.code()),
        Err((failure, as_json)) => {
            notes::report(&failure, as_json);
            ExitCode::from(failure.exit().code())
        }
    }
}

/// Runs the command; a failure comes with whether it is to be told in JSON.
async fn execute(cli: Cli, environment: Environment, json: bool) -> Result<(), (Failure, bool)> {
    let mut signals = Signals::install().map_err(|failure| (failure, json))?;
    let mut run = Run::new(cli.global, environment).map_err(|failure| (failure, json))?;
    let json = run.output.format.is_json();
    commands::run(cli.command, &mut run, &mut signals)
        .await
        .map_err(|failure| (failure, json))
}

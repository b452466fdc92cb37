//! The `famulor` command line.

// The help's texts are documentation to the compiler; a terminal shows them as they are.
#![allow(rustdoc::bare_urls)]

mod args;
mod argv;
mod commands;
mod connection;
mod crash;
mod duration;
mod error_object;
mod exit;
mod failure;
mod flight;
mod input;
mod json;
mod local;
mod logging;
mod notes;
mod output;
mod paging;
mod private_file;
mod quota;
mod request_log;
mod run;
mod settings;
mod signals;
mod spinner;
mod stdin;
mod table;
mod telemetry;
mod terminal;
mod transcript;
mod visible;
mod wrap;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Cli;
use crate::exit::Exit;
use crate::settings::Environment;

fn main() -> ExitCode {
    let environment = Environment::of_process();
    let wishes = argv::Wishes::of(std::env::args_os().skip(1), &environment);
    wishes.color.write_global();
    let words = argv::understood(std::env::args_os().collect());
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(argv::explain(error, wishes).code()),
    };
    match commands::start(cli, environment, wishes.json) {
        Ok(()) => ExitCode::from(Exit::Success.code()),
        Err((failure, as_json)) => {
            notes::report(&failure, as_json);
            ExitCode::from(failure.exit().code())
        }
    }
}

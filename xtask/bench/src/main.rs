//! Measurements, each beside a yardstick from the same run: `cargo xtask bench`.

mod call;
mod cli;
mod crash;
mod emulator;
mod outbox;
mod quota;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["quota"] => quota::run(),
        ["call"] => call::run(),
        ["cli"] => cli::run(),
        ["outbox"] => outbox::run(),
        ["emulator"] => emulator::run(1_000_000),
        ["emulator", requests] => match requests.parse() {
            Ok(requests) => emulator::run(requests),
            Err(_) => Err(format!("{requests} is no number of requests")),
        },
        ["crash", rest @ ..] => crash::run(rest),
        // What `emulator` runs as processes of their own.
        ["serve", server, address, body] => emulator::serve(server, address, body),
        // For a profiler beside a server: `perf record -p PID`.
        ["drive", address, requests] => emulator::drive(address, requests),
        // What `call` runs under callgrind.
        ["call-client", client, url, calls] => call::client(client, url, calls),
        // What `outbox` runs as processes of their own.
        ["outbox-scale", input, store, rows] => outbox::measured(input, store, rows),
        _ => Err(
            "usage: cargo xtask bench quota | call | cli | outbox | crash | emulator [REQUESTS]"
                .to_owned(),
        ),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            eprintln!("{cause}");
            ExitCode::FAILURE
        }
    }
}

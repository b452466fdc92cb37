//! Measurements, each beside a yardstick from the same run: `cargo xtask bench`.

mod call;
mod cli;
mod crash;
mod decode;
mod emulator;
mod figure;
mod outbox;
mod plot;
mod process;
mod quota;
mod report;
mod section;
mod size;
mod tokens;
mod turns;
mod valgrind;

use std::process::ExitCode;

use section::Section;
use size::Size;

/// Everything that can be measured by itself, in the order in which the report has it.
const BENCHES: [Bench; 8] = [
    Bench {
        name: "call",
        run: call::run,
    },
    Bench {
        name: "decode",
        run: decode::run,
    },
    Bench {
        name: "tokens",
        run: tokens::run,
    },
    Bench {
        name: "quota",
        run: quota::run,
    },
    Bench {
        name: "outbox",
        run: outbox::run,
    },
    Bench {
        name: "cli",
        run: cli::run,
    },
    Bench {
        name: "emulator",
        run: |size| emulator::run(size, size.pick(emulator::REQUESTS, 200_000, 500)),
    },
    Bench {
        name: "crash",
        run: |size| {
            let both = [
                "--phase", "sqlite", "--phase", "postgres", "--phase", "control", "--kills", "16",
            ];
            let one = ["--phase", "sqlite", "--kills", "1"];
            crash::run(size.pick(&[], &both, &one))
        },
    },
];

struct Bench {
    name: &'static str,
    run: fn(Size) -> Result<Section, String>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            eprintln!("{cause}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<(), String> {
    if let [name, size @ ..] = words
        && let Some(bench) = BENCHES.iter().find(|bench| bench.name == *name)
    {
        match size {
            [] => return (bench.run)(Size::Alone)?.verdict(),
            ["--quick"] => return (bench.run)(Size::Quick)?.verdict(),
            _ => {}
        }
    }
    match words {
        ["emulator", requests] => match requests.parse() {
            Ok(requests) => emulator::run(Size::Alone, requests)?.verdict(),
            Err(_) => Err(format!("{requests} is no number of requests")),
        },
        ["crash", rest @ ..] => crash::run(rest)?.verdict(),
        ["report", rest @ ..] => report::run(rest),
        // What `emulator` runs as processes of their own.
        ["serve", server, address, body] => emulator::serve(server, address, body),
        // For a profiler beside a server: `perf record -p PID`.
        ["drive", address, requests] => emulator::drive(address, requests),
        // What others run as processes of their own.
        ["call-client", client, url, calls] => call::client(client, url, calls),
        ["decode-client", into, file] => decode::client(into, file),
        ["tokens-client", who, url, tokens, calls] => tokens::client(who, url, tokens, calls),
        ["outbox-scale", input, store, rows] => outbox::measured(input, store, rows),
        _ => {
            let names = BENCHES.map(|bench| bench.name).join(" | ");
            Err(format!("usage: cargo xtask bench [{names}]"))
        }
    }
}

//! `cargo xtask bench call`: what a call through the SDK costs, beside the same call on bare reqwest, by Python's requests
//! and by Node's fetch.
//!
//! Instructions are counted by callgrind in a process of its own, so that the figure is the same from run to run. The
//! difference of a long and a short run leaves out what starting costs.

mod clients;
mod seed;
mod whole;

use famulor_emulator::Emulator;

pub(crate) use clients::client;
pub(crate) use whole::python_with_requests;

use crate::figure::Figure;
use crate::section::Section;
use crate::size::Size;
use crate::valgrind;

/// What the SDK may cost more than bare reqwest.
const MOST: f64 = 1.15;

const METHOD: &str = "\
One reply, sent and decoded, on loopback: CPU instructions counted by callgrind, the difference of a long and a short \
run, so that the figure is the same from run to run.\n\n\
Then the documentation's own example, in a loop: it creates a conversation (seed 000). A process for each program, by \
turns, medians. The snippets for Python and Node are taken word for word from the page: its Python opens a connection \
for each call, Node's `fetch` keeps one, and Python with a `Session`, which the page does not show, stands beside. A \
call is the difference of a long and a short run, without the start; the first call is a whole process that starts, \
makes one call and ends. CPU is user and system time of the program; the emulator's is not in it, and time from start \
to end has it for all of them.";

pub(crate) fn run(size: Size) -> Result<Section, String> {
    let mut section = Section::new("A call", "cargo xtask bench call", METHOD);
    let runtime = runtime()?;
    let builder = Emulator::builder().without_limits().balance(1e9);
    let emulator = runtime
        .block_on(builder.start())
        .map_err(|e| format!("the emulator does not start: {e}"))?;
    let url = emulator.base_url();
    match instructions(&url, size) {
        Ok([sdk, bare, parsed_once]) => {
            let reply = || Figure::new("a reply through the SDK", "instructions", sdk);
            section.add(reply().beside("bare reqwest", bare).ratio_at_most(MOST));
            section.add(reply().beside("bare reqwest, its URL parsed once", parsed_once));
        }
        Err(why) => {
            eprintln!("{why}");
            section.unseen("Instructions were not counted: valgrind is missing or failed.");
        }
    }
    whole::measure(&mut section, &emulator, size)?;
    Ok(section)
}

/// Of one reply: through the SDK, on bare reqwest, and on bare reqwest with the URL parsed once.
fn instructions(url: &str, size: Size) -> Result<[f64; 3], String> {
    let (short, long) = size.pick((100, 400), (100, 400), (2, 6));
    let per_call = |client: &str| -> Result<f64, String> {
        let counted =
            |calls: u32| valgrind::instructions(&["call-client", client, url, &calls.to_string()]);
        let more = counted(long)?.saturating_sub(counted(short)?);
        Ok(more as f64 / f64::from(long - short))
    };
    Ok([
        per_call(clients::SDK)?,
        per_call(clients::BARE)?,
        per_call(clients::BARE_WITH_URL)?,
    ])
}

pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|e| e.to_string())
}

//! Memory over a long run: the journal is bounded, and so is everything else that requests leave behind.

use super::Verdicts;
use super::load::{self, Request};
use super::process::Process;

/// Where it is looked at, in hundredths of the requests.
const LOOKS: [u64; 5] = [10, 25, 50, 75, 100];

/// Memory is flat when the last nine tenths of the requests add less than this share.
const GROWTH: f64 = 1.1;

pub(super) fn watch(verdicts: &mut Verdicts, requests: u64) -> Result<(), String> {
    let process = Process::start("emulator", "")?;
    let request = Request::reply();
    let mut done = 0;
    let mut sizes = Vec::new();
    println!("| requests | memory, kB |\n|---|---|");
    for hundredths in LOOKS {
        let until = requests * hundredths / 100;
        load::requests(process.address, &request, until - done)?;
        done = until;
        let size = process.memory()?;
        println!("| {done} | {size} |");
        sizes.push(size as f64);
    }
    let growth = sizes[sizes.len() - 1] / sizes[0];
    verdicts.check(
        growth <= GROWTH,
        format!("memory grows {growth:.3}× over the last nine tenths, at most {GROWTH}×"),
    );
    Ok(())
}

//! CPU instructions of one request inside the server, counted by callgrind: the same from run to run, whatever else the
//! machine does. The system's own work for a request is not in it.

use super::load::{self, Request};
use super::process::Process;
use crate::figure::Figure;
use crate::section::Section;
use crate::size::Size;

/// A long run less a short one leaves out what starting costs. The short one fills the journal and the histories' first
/// turns no more than the long one: both grow with every request.
const SHORT: u64 = 500;
const LONG: u64 = 3_000;

pub(super) fn compare(section: &mut Section, size: Size, body: &str) -> Result<(), String> {
    let mut counts = Vec::new();
    for server in ["emulator", "axum", "wiremock"] {
        match of_one(server, size, body) {
            Ok(count) => counts.push(count),
            Err(why) => {
                eprintln!("{why}");
                section.note(
                    "Instructions of a request were not counted: valgrind is missing or failed.",
                );
                return Ok(());
            }
        }
    }
    for (name, count) in ["bare axum", "wiremock"].into_iter().zip(&counts[1..]) {
        let figure = Figure::new("a request inside the server", "instructions", counts[0]);
        section.add(figure.beside(name, *count));
    }
    Ok(())
}

fn of_one(server: &str, size: Size, body: &str) -> Result<f64, String> {
    let (short, long) = size.pick((SHORT, LONG), (SHORT, LONG), (20, 60));
    let less = of_many(server, body, short)?;
    let more = of_many(server, body, long)?;
    Ok(more.saturating_sub(less) as f64 / (long - short) as f64)
}

fn of_many(server: &str, body: &str, requests: u64) -> Result<u64, String> {
    let process = Process::counted(server, body)?;
    load::requests(process.address, &Request::reply(), requests)?;
    process.instructions()
}

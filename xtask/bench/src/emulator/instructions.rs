//! CPU instructions of one request inside the server, counted by callgrind: the same from run to run, whatever else the
//! machine does. The system's own work for a request is not in it.

use super::load::{self, Request};
use super::process::Process;

/// A long run less a short one leaves out what starting costs. The short one fills the journal and the histories' first
/// turns no more than the long one: both grow with every request.
const SHORT: u64 = 500;
const LONG: u64 = 3_000;

pub(super) fn compare(body: &str) -> Result<(), String> {
    let mut rows = Vec::new();
    for server in ["emulator", "axum", "wiremock"] {
        match of_one(server, body) {
            Ok(count) => rows.push((server, count)),
            Err(why) => {
                println!("skip instructions: {why}");
                return Ok(());
            }
        }
    }
    println!("| server | CPU instructions a request |\n|---|---|");
    for (server, count) in rows {
        println!("| {server} | {count:.0} |");
    }
    Ok(())
}

fn of_one(server: &str, body: &str) -> Result<f64, String> {
    let short = of_many(server, body, SHORT)?;
    let long = of_many(server, body, LONG)?;
    Ok(long.saturating_sub(short) as f64 / (LONG - SHORT) as f64)
}

fn of_many(server: &str, body: &str, requests: u64) -> Result<u64, String> {
    let process = Process::counted(server, body)?;
    load::requests(process.address, &Request::reply(), requests)?;
    process.instructions()
}

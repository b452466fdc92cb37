//! Memory over a long run: the journal is bounded, and so is everything else that requests leave behind.

use super::load::{self, Request};
use super::process::Process;
use crate::figure::{Figure, number};
use crate::section::Section;

/// Where it is looked at, in hundredths of the requests.
const LOOKS: [u64; 5] = [10, 25, 50, 75, 100];

/// Memory is flat when the last nine tenths of the requests add less than this share.
const GROWTH: f64 = 1.1;

pub(super) fn watch(section: &mut Section, requests: u64) -> Result<(), String> {
    let process = Process::start("emulator", "")?;
    let request = Request::reply();
    let mut done = 0;
    let mut sizes = Vec::new();
    for hundredths in LOOKS {
        let until = requests * hundredths / 100;
        load::requests(process.address, &request, until - done)?;
        done = until;
        let size = process.memory()?;
        sizes.push((number(done as f64), size as f64 / 1024.0));
    }
    let (first, rest) = sizes.split_first().ok_or("nothing was looked at")?;
    for (index, (requests, size)) in rest.iter().enumerate() {
        let figure = Figure::new(format!("memory after {requests} requests"), "MiB", *size);
        let mut figure = figure.beside(format!("after {}", first.0), first.1);
        if index + 1 == rest.len() {
            figure = figure.ratio_at_most(GROWTH);
        }
        section.add(figure);
    }
    Ok(())
}

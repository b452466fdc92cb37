//! `cargo xtask bench outbox`: messages a second beside bare durable commits, an import beside `sqlite3 .import`, memory
//! and the time of a claim from a thousand rows to a million.
//!
//! Yardstick and outbox take turns, and the medians count, so that a disk that has a bad minute is bad for both.

mod input;
mod paces;
mod scale;
mod yardstick;

use std::time::Duration;

use famulor_core::{AssistantId, Client, CustomerId};
use famulor_emulator::Emulator;
use famulor_outbox::NewMessage;
use famulor_test_stores::{Durability, PostgresServer};

use crate::figure::{Figure, number};
use crate::plot::{Axis, Lines, Plot, Scale, Series};
use crate::section::Section;
use crate::size::Size;
use crate::turns::Compared;

pub(crate) use scale::measured;

/// What is promised of a yardstick.
const AT_LEAST: f64 = 0.5;

/// Memory with a million rows, in MiB.
const MEMORY: f64 = 64.0;

/// A claim among a million rows may take so many times what it takes among a thousand.
const FLAT: f64 = 2.0;

const ROWS: u64 = 1_000_000;

/// Rows of the store, for how it grows.
const SIZES: [u64; 4] = [1_000, 10_000, 100_000, ROWS];

const METHOD: &str = "\
Messages a second from the store to an emulator without limits and back, 64 calls at a time, beside bare durable \
commits one after another in the same store, two a message: more than those, because messages that are under way \
together share theirs. Then a file of lines taken in, each parsed and checked, beside `sqlite3 .import` of the same \
file into one column, as durable. Both by turns, medians. Then the same with ever more rows in an SQLite store, a process \
for each: the most memory that it ever had, and a worker that sends one message at a time, from one outcome to the next.";

pub(crate) fn run(size: Size) -> Result<Section, String> {
    let folder = temporary_folder()?;
    let mut section = Section::new("Outbox", "cargo xtask bench outbox", METHOD);
    let file = folder.path().join("pace.sqlite").display().to_string();
    pace(&mut section, "SQLite", paces::measure(&file, size)?);
    let server = PostgresServer::start(Durability::Disk);
    match &server {
        Some(server) => {
            let compared = paces::measure(&server.place(), size)?;
            pace(&mut section, "PostgreSQL", compared);
        }
        None => section.unseen("PostgreSQL is not installed here, and was not measured."),
    }
    drop(server);
    let rows = size.pick(ROWS, ROWS, 1_000);
    let taken_in = input::measure(folder.path(), rows, size.pick(3, 3, 1))?;
    let figure = Figure::new("lines a second taken in", "", taken_in.ours);
    section.add(
        figure
            .beside_with(
                "`sqlite3 .import`",
                taken_in.yardstick,
                Some(taken_in.ratio),
            )
            .ratio_at_least(AT_LEAST),
    );
    let sizes = &SIZES[..size.pick(4, 4, 2)];
    let rows = scale::measure(folder.path(), sizes)?;
    growth(&mut section, &rows);
    section.plots = plots(&rows);
    Ok(section)
}

fn pace(section: &mut Section, store: &str, compared: Compared) {
    let figure = Figure::new(format!("messages a second, {store}"), "", compared.ours);
    let ratio = Some(compared.ratio);
    let figure = figure.beside_with("two bare commits each", compared.yardstick, ratio);
    section.add(figure.ratio_at_least(AT_LEAST));
}

/// Each size beside the smallest of the same run.
fn growth(section: &mut Section, rows: &[scale::Row]) {
    let Some((few, more)) = rows.split_first() else {
        return;
    };
    let beside = format!("{} rows", number(few.rows as f64));
    let last = more.len().saturating_sub(1);
    for (index, row) in more.iter().enumerate() {
        let among = number(row.rows as f64);
        let mut claim = Figure::new(
            format!("a message from claim to outcome, {among} rows"),
            "ms",
            row.claim,
        );
        if index == last {
            claim = claim.ratio_at_most(FLAT);
        }
        section.add(claim.beside(beside.clone(), few.claim));
    }
    for row in more {
        let what = format!("memory at most, {} rows", number(row.rows as f64));
        let memory = Figure::new(what, "MiB", row.memory).beside(beside.clone(), few.memory);
        section.add(memory.at_most(MEMORY));
    }
    if let Some(most) = more.last() {
        let among = number(most.rows as f64);
        let status = Figure::new(format!("a status, {among} rows"), "ms", most.status);
        section.add(status.beside(beside.clone(), few.status));
        let page = Figure::new(format!("a page of 500, {among} rows"), "ms", most.page);
        section.add(page.beside(beside, few.page));
    }
}

fn plots(rows: &[scale::Row]) -> Vec<Plot> {
    let of =
        |value: fn(&scale::Row) -> f64| rows.iter().map(move |row| (row.rows as f64, value(row)));
    let plot = |file, title: &str, label, name, points: Vec<(f64, f64)>| Plot {
        file,
        alt: format!("{title}, from a thousand rows to a million"),
        svg: Lines {
            title,
            x: Axis {
                label: "rows in the store",
                scale: Scale::Powers,
            },
            y: Axis {
                label,
                scale: Scale::Linear,
            },
            series: vec![Series { name, points }],
        }
        .svg(),
    };
    vec![
        plot(
            "benchmarks/outbox-claim.svg",
            "A message of the outbox, by how many rows the store has",
            "time, ms",
            "from one outcome to the next, one message at a time",
            of(|row| row.claim).collect(),
        ),
        plot(
            "benchmarks/outbox-memory.svg",
            "Memory of the outbox, by how many rows the store has",
            "memory, MiB",
            "the most that the process ever had, with import, worker and emulator",
            of(|row| row.memory).collect(),
        ),
    ]
}

/// On the disk that the build is on, and not in a memory file system: commits have to reach a disk.
fn temporary_folder() -> Result<tempfile::TempDir, String> {
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let beside = own.parent().ok_or("this program is nowhere")?;
    tempfile::tempdir_in(beside).map_err(|e| format!("no folder to measure in: {e}"))
}

fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| e.to_string())
}

async fn emulator() -> Result<Emulator, String> {
    let builder = Emulator::builder().without_limits().balance(1e9);
    builder.start().await.map_err(|e| e.to_string())
}

fn client(emulator: &Emulator) -> Result<Client, String> {
    Client::builder()
        .with_api_key("bench")
        .with_base_url(&emulator.base_url())
        .without_proxy()
        .without_limits()
        .with_doubt_wait(Duration::from_secs(5))
        .build()
        .map_err(|e| e.to_string())
}

fn message(customer: u64, number: u64) -> Result<NewMessage, String> {
    let customer = CustomerId::raw(format!("crm-{customer}")).map_err(|e| e.to_string())?;
    let text = format!("Message number {number} of this customer, please answer it kindly");
    Ok(NewMessage::new(AssistantId::new(123), customer, text))
}

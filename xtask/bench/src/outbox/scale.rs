//! From a thousand rows to a million: memory, and how long a claim takes.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use famulor_outbox::{Filter, Outbox};
use tokio_util::sync::CancellationToken;

use super::{client, emulator, input, runtime};
use crate::process;
use crate::turns::median;

/// Messages sent one at a time, of which each has a claim to itself.
const CLAIMS: usize = 200;

/// What so many rows cost.
pub(super) struct Row {
    pub(super) rows: u64,
    /// Of a process that imports them, sends some and looks at all, in MiB.
    pub(super) memory: f64,
    /// Milliseconds of a message from its claim to its outcome, of a status, and of a page of 500.
    pub(super) claim: f64,
    pub(super) status: f64,
    pub(super) page: f64,
}

/// Measures each size in a process of its own.
pub(super) fn measure(folder: &Path, sizes: &[u64]) -> Result<Vec<Row>, String> {
    let mut measured = Vec::new();
    for rows in sizes {
        let input = folder.join(format!("scale-{rows}.jsonl"));
        input::write(&input, *rows)?;
        let store = folder.join(format!("scale-{rows}.sqlite"));
        let output = process::own()?
            .arg("outbox-scale")
            .args([&input, &store])
            .arg(rows.to_string())
            .output()
            .map_err(|e| e.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout);
        let figures: Vec<f64> = text
            .split_whitespace()
            .filter_map(|word| word.parse().ok())
            .collect();
        let [memory, claim, status, page] = figures[..] else {
            return Err(format!(
                "{rows} rows: {}",
                String::from_utf8_lossy(&output.stderr)
            ));
        };
        measured.push(Row {
            rows: *rows,
            memory,
            claim,
            status,
            page,
        });
        for path in [input, store] {
            fs::remove_file(path).map_err(|e| e.to_string())?;
        }
    }
    Ok(measured)
}

/// The process that is measured: imports, serves some, looks at all. Prints its figures.
pub(crate) fn measured(input: &str, store: &str, rows: &str) -> Result<(), String> {
    let rows: u64 = rows.parse().map_err(|_| "no number of rows".to_owned())?;
    runtime()?.block_on(async {
        input::import(Path::new(input), Path::new(store), rows).await?;
        let outbox = Outbox::open(store).await.map_err(|e| e.to_string())?;
        let claim = claims(&outbox).await?;
        let (status, page) = looks(&outbox, rows).await?;
        println!("{} {claim} {status} {page}", most_memory()?);
        Ok(())
    })
}

/// Milliseconds from one outcome to the next of a worker that sends one message at a time: the median.
async fn claims(outbox: &Outbox) -> Result<f64, String> {
    let emulator = emulator().await?;
    let mut outcomes = outbox.subscribe(Filter::all());
    outcomes.ready().await.map_err(|e| e.to_string())?;
    let worker = outbox
        .worker()
        .with_account("default", client(&emulator)?)
        .with_concurrency(1);
    let stop = CancellationToken::new();
    let running = tokio::spawn(worker.run(stop.clone()));
    let (mut before, mut times) = (None, Vec::new());
    while times.len() < CLAIMS {
        outcomes.next().await.map_err(|e| e.to_string())?;
        let now = Instant::now();
        if let Some(before) = before.replace(now) {
            times.push(now.duration_since(before).as_secs_f64() * 1000.0);
        }
    }
    stop.cancel();
    running
        .await
        .map_err(|e| e.to_string())?
        .map_err(|e| e.to_string())?;
    Ok(median(times.into_iter()))
}

/// Milliseconds of a status and of a page, over all rows.
async fn looks(outbox: &Outbox, rows: u64) -> Result<(f64, f64), String> {
    let mut statuses = Vec::new();
    for _ in 0..20 {
        let began = Instant::now();
        let status = outbox
            .status(&Filter::all().with_job("job"))
            .await
            .map_err(|e| e.to_string())?;
        statuses.push(began.elapsed());
        if status.total() != rows {
            return Err(format!("{rows} rows, {status:?}"));
        }
    }
    let (mut after, mut seen, mut pages) = (None, 0, Vec::new());
    loop {
        let began = Instant::now();
        let page = outbox
            .list(&Filter::all().with_job("job"), after, 500)
            .await
            .map_err(|e| e.to_string())?;
        pages.push(began.elapsed());
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        seen += page.len() as u64;
    }
    let millis =
        |times: Vec<Duration>| median(times.into_iter().map(|time| time.as_secs_f64() * 1000.0));
    match seen == rows {
        true => Ok((millis(statuses), millis(pages))),
        false => Err(format!("{rows} rows, {seen} listed")),
    }
}

/// The most memory that this process ever had, in MiB: the input is read, the emulator runs, and all of the outbox.
fn most_memory() -> Result<f64, String> {
    let status = std::fs::read_to_string("/proc/self/status").map_err(|e| e.to_string())?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    Ok(kib.ok_or("the system does not say how much memory is used")? / 1024.0)
}

//! What the report takes from it, and what is promised.

use super::{CALLS, Measured, Row};
use crate::figure::{Figure, number};
use crate::plot::{Bars, Group, Plot};
use crate::section::Section;

/// The servers for which bursts are right: fixed windows, sliding log, token bucket.
const BURSTS_ARE_RIGHT: [usize; 4] = [0, 1, 2, 4];

/// What each of the ledger's rows uses at the least, in the order of the rows, in percent.
const LEAST_USE: [f64; 3] = [98.0, 95.0, 95.0];

/// How many times its yardstick a pair may cost.
const MEMORY_AT_MOST: f64 = 3.0;
pub(super) const STORE_AT_MOST: f64 = 1.5;

const BYTES_AT_MOST: f64 = 512.0;

pub(super) fn section(measured: &Measured) -> Section {
    let mut section = Section::new(
        "Quota",
        "cargo xtask bench quota",
        format!(
            "How much of a limit of 5 in 60 s is used, and how often a call is refused: {CALLS} calls of a saturated \
             backlog on models of seven servers, in simulated time, the same calls for every way of pacing. A figure \
             here is the worst of the four servers for which bursts are right. Then what a slot costs, in memory \
             beside governor's keyed check, and in a store that processes share beside bare statements that write as \
             much, by turns. All rows, and servers on which everybody is refused: [quota.md](quota.md)."
        ),
    );
    use_of_the_limit(&mut section, measured);
    for cost in &measured.memory {
        let what = match cost.tokens {
            1 => "a slot of one token, in memory".to_owned(),
            tokens => format!("a slot, in memory, {} tokens", number(tokens as f64)),
        };
        let figure = Figure::new(what, "ns", cost.time.ours);
        let ratio = Some(cost.time.ratio);
        section.add(
            figure
                .beside_with("governor's check", cost.time.yardstick, ratio)
                .ratio_at_most(MEMORY_AT_MOST),
        );
        if let Some((bytes, governors)) = cost.bytes {
            let what = format!("memory of a token, {} tokens", number(cost.tokens as f64));
            let figure = Figure::new(what, "bytes", bytes).at_most(BYTES_AT_MOST);
            section.add(figure.beside("governor's", governors));
        }
    }
    for cost in measured.stores.iter().filter(|cost| cost.judged) {
        let what = match cost.connections {
            1 => format!("a slot in {}, one connection", cost.store),
            connections => format!("a slot in {}, {connections} connections", cost.store),
        };
        let figure = Figure::new(what, "µs", cost.time.ours);
        let ratio = Some(cost.time.ratio);
        section.add(
            figure
                .beside_with("two bare statements", cost.time.yardstick, ratio)
                .ratio_at_most(STORE_AT_MOST),
        );
    }
    for store in ["SQLite", "PostgreSQL", "Redis"] {
        if !measured
            .stores
            .iter()
            .any(|cost| cost.store.starts_with(store))
        {
            section.note(format!(
                "{store} is not installed here, and was not measured."
            ));
        }
    }
    section.plots.push(plot(measured));
    section
}

fn use_of_the_limit(section: &mut Section, measured: &Measured) {
    let governor = measured
        .rows
        .iter()
        .find(|row| row.client.starts_with("governor"));
    let (mut theirs_used, mut theirs_refused, mut name) = (f64::NAN, f64::NAN, "");
    if let Some(row) = governor {
        (theirs_used, theirs_refused, name) = (least_used(row), most_refused(row), row.client);
    }
    for (row, least) in measured.rows.iter().zip(LEAST_USE) {
        let used = Figure::new(format!("limit used, {}", row.client), "%", least_used(row));
        section.add(used.beside(name, theirs_used).at_least(least));
        let what = format!("refused of a hundred accepted, {}", row.client);
        let refused = Figure::new(what, "", most_refused(row));
        section.add(refused.beside_with(name, theirs_refused, None).at_most(0.0));
    }
}

fn least_used(row: &Row) -> f64 {
    let used = BURSTS_ARE_RIGHT.map(|server| row.cells[server].used * 100.0);
    used.into_iter().fold(f64::INFINITY, f64::min)
}

fn most_refused(row: &Row) -> f64 {
    let refused = BURSTS_ARE_RIGHT.map(|server| row.cells[server].refused);
    refused.into_iter().fold(0.0, f64::max)
}

/// One group of bars a server, one bar a client; its refusals stand behind it.
pub(super) fn plot(measured: &Measured) -> Plot {
    let groups = measured.servers.iter().enumerate();
    let groups = groups.map(|(server, name)| Group {
        name,
        bars: measured
            .rows
            .iter()
            .map(|row| {
                let cell = &row.cells[server];
                let used = cell.used * 100.0;
                (
                    cell.used,
                    format!("{used:.1} % used, {:.1} refused", cell.refused),
                )
            })
            .collect(),
    });
    let alt = "Use of the limit and refusals for each hundred accepted calls, by server and client";
    let bars = Bars {
        alt,
        axis: "calls accepted, % of what the server would have accepted",
        series: measured.rows.iter().map(|row| row.client).collect(),
        groups: groups.collect(),
    };
    Plot {
        file: "quota.svg",
        alt: alt.to_owned(),
        svg: bars.svg(),
    }
}

//! Everything that was measured, on the terminal and in `docs/quota.md`.

use std::fmt::Write;
use std::path::Path;

use super::figures::{STORE_AT_MOST, plot};
use super::{CALLS, Measured};

pub(super) fn write(measured: &Measured) -> Result<(), String> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let page = format!(
        "# How much of the limit is used\n\n\
         A saturated backlog of {CALLS} calls at 5 in 60 s, half of them answered within 2 s and one in a hundred after \
         8 s, on models of seven servers. Each cell: the share of what the server would have accepted, and refusals for \
         each hundred accepted. The models are those that the ledger's own tests run against \
         (`crates/famulor-quota/tests/servers`).\n\n\
         Repeat it with `cargo xtask bench quota`.\n\n\
         ![The same figures as bars](quota.svg)\n\n{}",
        text(measured)
    );
    std::fs::write(docs.join("quota.md"), page).map_err(|e| format!("docs/quota.md: {e}"))?;
    plot(measured).write(&docs)
}

pub(super) fn text(measured: &Measured) -> String {
    let mut out = String::new();
    use_of_the_limit(&mut out, measured);
    what_the_ladder_learned(&mut out, measured);
    cost_in_memory(&mut out, measured);
    cost_in_stores(&mut out, measured);
    out
}

fn use_of_the_limit(out: &mut String, measured: &Measured) {
    out.push_str("| server |");
    for row in &measured.rows {
        let _ = write!(out, " {} |", row.client);
    }
    out.push_str("\n|---|");
    out.push_str(&"---|".repeat(measured.rows.len()));
    out.push('\n');
    for (server, name) in measured.servers.iter().enumerate() {
        let _ = write!(out, "| {name} |");
        for row in &measured.rows {
            let cell = &row.cells[server];
            let _ = write!(out, " {:.1} % · {:.1} |", cell.used * 100.0, cell.refused);
        }
        out.push('\n');
    }
    out.push_str(
        "\nLaravel's throttle counts a call when it arrives and reads the counter for `X-RateLimit-Remaining` when it \
         writes the answer: so the first answer of a burst has counted the whole burst, frees its slots together, and \
         the next burst leaves together (first column). A server that reads it on arrival, as Laravel's variant for \
         Redis does, says so much only in the answer to the call that arrived last, and a call of mean latency L keeps \
         its slot for 60 s + L (second column).\n",
    );
}

fn what_the_ladder_learned(out: &mut String, measured: &Measured) {
    out.push_str("\n## What the ladder learned\n\n");
    out.push_str(
        "On a server for which bursts are wrong, refusals teach the ledger to space its calls.\n\n",
    );
    out.push_str("| server | ledger | refused in the first half | in the second half | rung at the end |\n|---|---|---|---|---|\n");
    for (server, name) in measured.servers.iter().enumerate() {
        for row in &measured.rows {
            let cell = &row.cells[server];
            if let Some(rung) = cell.rung.as_ref().filter(|_| cell.refused > 0.0) {
                let (first, second) = cell.halves;
                let _ = writeln!(
                    out,
                    "| {name} | {} | {first} | {second} | {rung} |",
                    row.client
                );
            }
        }
    }
}

fn cost_in_memory(out: &mut String, measured: &Measured) {
    out.push_str("\n## What a slot costs in memory\n\n");
    out.push_str(
        "Taking and completing five slots a token, beside as many keyed checks of governor, by turns; each figure is \
         the median of its turns, and the ratio that of the turns' ratios.\n\n",
    );
    out.push_str("| tokens | acquire and complete | governor's check | ratio | memory a token | governor's |\n|---|---|---|---|---|---|\n");
    for cost in &measured.memory {
        let bytes = cost.bytes.map_or("– | –".to_owned(), |(ours, governors)| {
            format!("{ours:.0} bytes | {governors:.0} bytes")
        });
        let _ = writeln!(
            out,
            "| {} | {:.0} ns | {:.0} ns | {:.2} | {bytes} |",
            cost.tokens, cost.time.ours, cost.time.yardstick, cost.time.ratio
        );
    }
}

fn cost_in_stores(out: &mut String, measured: &Measured) {
    out.push_str("\n## What a slot costs in a store that processes share\n\n");
    out.push_str(
        "Pairs of an acquire and its complete, beside pairs of bare statements that write a row as large (in Redis, a \
         value) to the same server or file, on as many connections, by turns as above. An acquire waits for the disk \
         and a complete does not; the same goes for the first bare statement and the second.\n\n\
         Promised is a ratio of 1.5 at the most for a store that keeps what it is told, with tokens of each \
         connection's own: these rows are marked \u{2713} when they hold it. The others are here to be seen: a server that \
         loses what it held when it ends, and sixteen processes that do nothing but take slots of one token.\n\n",
    );
    out.push_str(
        "| store | connections | pairs a second | bare pairs a second | ratio |\n|---|---|---|---|---|\n",
    );
    for cost in &measured.stores {
        let mark = match cost.judged {
            true if cost.time.ratio <= STORE_AT_MOST => " \u{2713}",
            true => " \u{2717}",
            false => "",
        };
        let token = if cost.shared { ", one token" } else { "" };
        let _ = writeln!(
            out,
            "| {} | {}{token} | {:.0} | {:.0} | {:.2}{mark} |",
            cost.store,
            cost.connections,
            cost.pairs(),
            cost.bare(),
            cost.time.ratio
        );
    }
}

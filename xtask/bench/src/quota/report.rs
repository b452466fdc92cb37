//! The figures on the terminal, in `docs/quota.md`, and against what is promised of them.

use std::fmt::Write;
use std::path::Path;

use super::cost::Cost;
use super::plot;
use super::{CALLS, Row};

pub(super) fn print(servers: &[&str], rows: &[Row], costs: &[Cost]) {
    println!("{}", text(servers, rows, costs));
}

pub(super) fn write(servers: &[&str], rows: &[Row], costs: &[Cost]) -> Result<(), String> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let page = format!(
        "# How much of the limit is used\n\n\
         A saturated backlog of {CALLS} calls at 5 in 60 s, half of them answered within 2 s and one in a hundred after \
         8 s, on models of seven servers. Each cell: the share of what the server would have accepted, and refusals for \
         each hundred accepted. The models are those that the ledger's own tests run against \
         (`crates/famulor-quota/tests/servers`).\n\n\
         Repeat it with `cargo xtask bench quota`.\n\n\
         ![The same figures as bars](quota.svg)\n\n{}",
        text(servers, rows, costs)
    );
    let write = |name: &str, text: &str| {
        std::fs::write(docs.join(name), text).map_err(|e| format!("docs/{name}: {e}"))
    };
    write("quota.md", &page)?;
    write("quota.svg", &plot::svg(servers, rows))
}

fn text(servers: &[&str], rows: &[Row], costs: &[Cost]) -> String {
    let mut out = String::from("| server |");
    for row in rows {
        let _ = write!(out, " {} |", row.client);
    }
    out.push_str("\n|---|");
    out.push_str(&"---|".repeat(rows.len()));
    out.push('\n');
    for (server, name) in servers.iter().enumerate() {
        let _ = write!(out, "| {name} |");
        for row in rows {
            let cell = &row.cells[server];
            let _ = write!(out, " {:.1} % · {:.1} |", cell.used * 100.0, cell.refused);
        }
        out.push('\n');
    }
    out.push_str(
        "\nThe headers add little at these latencies: only the answer of the call that was counted last proves that \
         all others have arrived, and once calls no longer leave in bursts it is mostly a call's own answer that frees \
         its slot. A call of mean latency L keeps its slot for 60 s + L, which is what is missing from 100 %.\n",
    );
    out.push_str("\n## What the ladder learned\n\n");
    out.push_str(
        "On a server for which bursts are wrong, refusals teach the ledger to space its calls.\n\n",
    );
    out.push_str("| server | ledger | refused in the first half | in the second half | rung at the end |\n|---|---|---|---|---|\n");
    for (server, name) in servers.iter().enumerate() {
        for row in rows {
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
    out.push_str("\n## What a slot costs in memory\n\n");
    out.push_str(
        "Taking and completing five slots a token, beside as many keyed checks of governor.\n\n",
    );
    out.push_str("| tokens | acquire and complete | governor's check | ratio | memory a token |\n|---|---|---|---|---|\n");
    for cost in costs {
        let bytes = cost
            .bytes
            .map_or("–".to_owned(), |bytes| format!("{bytes:.0} bytes"));
        let _ = writeln!(
            out,
            "| {} | {:.0} ns | {:.0} ns | {:.2} | {bytes} |",
            cost.tokens,
            cost.pair,
            cost.check,
            cost.ratio()
        );
    }
    out
}

/// Fails if a figure is not what the project promises.
pub(super) fn judge(rows: &[Row], costs: &[Cost]) -> Result<(), String> {
    let mut broken = Vec::new();
    for (row, least) in rows.iter().take(2).zip([0.95, 0.95]) {
        // The servers for which bursts are right.
        for index in [0, 1, 2, 4] {
            let cell = &row.cells[index];
            if cell.refused > 0.0 || cell.used < least {
                broken.push(format!(
                    "{}, server {}: {:.1} % used, {:.2} refused; promised {:.0} % and 0",
                    row.client,
                    index + 1,
                    cell.used * 100.0,
                    cell.refused,
                    least * 100.0
                ));
            }
        }
    }
    for cost in costs {
        if cost.ratio() > 3.0 || cost.bytes.is_some_and(|bytes| bytes > 512.0) {
            broken.push(format!(
                "{} tokens: {:.2} times governor, {:?} bytes",
                cost.tokens,
                cost.ratio(),
                cost.bytes
            ));
        }
    }
    if broken.is_empty() {
        Ok(())
    } else {
        Err(broken.join("\n"))
    }
}

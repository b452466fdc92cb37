//! `cargo xtask bench decode`: reading a conversation's history into types, beside plain serde_json into a `Value`, from
//! ten turns to ten thousand.

mod read;

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use famulor_gen::types::GetConversationResponse;
use serde_json::Value;

use crate::figure::{Figure, number};
use crate::plot::{Axis, Lines, Plot, Scale, Series};
use crate::section::Section;
use crate::size::Size;
use crate::turns::{Compared, Turn, ours_first};
use crate::valgrind;

const DOCUMENTED: &str =
    include_str!("../../../tests/fixtures/getConversation.response.200-success.seed001.json");

const METHOD: &str = "\
The documented conversation (seed 001), its messages repeated until there are so many turns, as one body: decoded into \
the types that the SDK gives out, and by serde_json into a `Value`, by turns, medians of the turns' ratios. The types \
keep every field that they do not know. Memory is the most that a process of its own had allocated, as DHAT counts it, \
less what the same process takes without decoding. The last is a whole read over loopback, the answer's body with \
it: `conversation.history()`, and bare reqwest into a `Value`.";

/// How long one turn of one decoder lasts, at the least, in seconds.
const TURN: f64 = 0.01;

/// What one size costs.
struct Row {
    turns: usize,
    bytes: usize,
    /// Microseconds.
    time: Compared,
    /// Bytes: of the types, and of a `Value`.
    memory: Option<(f64, f64)>,
}

pub(crate) fn run(size: Size) -> Result<Section, String> {
    let mut section = Section::new("Decoding a history", "cargo xtask bench decode", METHOD);
    let folder = tempfile::tempdir().map_err(|e| format!("a folder: {e}"))?;
    let turns = size.pick(31, 15, 3);
    let mut rows = Vec::new();
    for count in [10, 100, 1_000, 10_000] {
        let body = body(count)?;
        let file = folder.path().join(format!("{count}.json"));
        fs::write(&file, &body).map_err(|e| e.to_string())?;
        rows.push(Row {
            turns: count,
            bytes: body.len(),
            time: time(&body, turns)?,
            memory: match memory(&file) {
                Ok(memory) => Some(memory),
                Err(why) => {
                    eprintln!("{why}");
                    section.note(format!(
                        "Memory of {count} turns was not measured: valgrind is missing or failed."
                    ));
                    None
                }
            },
        });
    }
    say(&mut section, &rows);
    read::measure(&mut section, body(10_000)?, size)?;
    section.plots = plots(&rows);
    Ok(section)
}

/// The documented body with so many messages.
fn body(turns: usize) -> Result<Vec<u8>, String> {
    let mut body: Value = serde_json::from_str(DOCUMENTED).map_err(|e| e.to_string())?;
    let messages = body["history"].as_array().cloned().unwrap_or_default();
    if messages.is_empty() {
        return Err("the documented conversation has no messages".to_owned());
    }
    body["history"] = messages.iter().cycle().take(turns).cloned().collect();
    serde_json::to_vec(&body).map_err(|e| e.to_string())
}

fn types(body: &[u8]) -> Result<GetConversationResponse, String> {
    serde_json::from_slice(body).map_err(|e| e.to_string())
}

fn value(body: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(body).map_err(|e| e.to_string())
}

/// Decoding alone, and letting go of what came of it, as everybody has to.
fn time(body: &[u8], turns: usize) -> Result<Compared, String> {
    let once = Instant::now();
    drop(black_box(value(body)?));
    let times = (TURN / once.elapsed().as_secs_f64()).ceil().max(1.0) as u32;
    let mut measured = Vec::new();
    for turn in 0..turns {
        let ours = || each(times, || types(body).map(drop));
        let yardstick = || each(times, || value(body).map(drop));
        let (ours, yardstick) = if ours_first(turn) {
            let ours = ours()?;
            (ours, yardstick()?)
        } else {
            let yardstick = yardstick()?;
            (ours()?, yardstick)
        };
        measured.push(Turn { ours, yardstick });
    }
    Ok(Compared::of(&measured))
}

/// Microseconds.
fn each(times: u32, once: impl Fn() -> Result<(), String>) -> Result<f64, String> {
    let start = Instant::now();
    for _ in 0..times {
        black_box(once()?);
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / f64::from(times))
}

fn memory(file: &Path) -> Result<(f64, f64), String> {
    let file = file.to_str().ok_or("a path that is no text")?;
    let most = |into: &str| valgrind::most_allocated(&["decode-client", into, file]);
    let without = most("nothing")?;
    let less = |bytes: u64| bytes.saturating_sub(without) as f64;
    Ok((less(most("types")?), less(most("value")?)))
}

/// The process whose memory is measured: it reads a body, and decodes it once.
pub(crate) fn client(into: &str, file: &str) -> Result<(), String> {
    let body = fs::read(file).map_err(|e| format!("{file}: {e}"))?;
    match into {
        "types" => black_box(types(&body)?).history.map(drop),
        "value" => black_box(value(&body)?).as_object().map(|_| ()),
        _ => Some(()),
    }
    .ok_or_else(|| "the body has no history".to_owned())
}

fn say(section: &mut Section, rows: &[Row]) {
    for row in rows {
        let turns = number(row.turns as f64);
        let kilobytes = number(row.bytes as f64 / 1e3);
        let what = format!("decoding {turns} turns ({kilobytes} kB)");
        let figure = Figure::new(what, "µs", row.time.ours);
        section.add(figure.beside_with(
            "serde_json into a `Value`",
            row.time.yardstick,
            Some(row.time.ratio),
        ));
    }
    for row in rows {
        if let Some((ours, theirs)) = row.memory {
            let what = format!("memory at most, {} turns", number(row.turns as f64));
            let figure = Figure::new(what, "kB", ours / 1e3);
            section.add(figure.beside("serde_json into a `Value`", theirs / 1e3));
        }
    }
}

fn plots(rows: &[Row]) -> Vec<Plot> {
    let of = |value: &dyn Fn(&Row) -> Option<f64>| -> Vec<(f64, f64)> {
        let points = rows.iter();
        points
            .filter_map(|row| Some((row.turns as f64, value(row)?)))
            .collect()
    };
    let plot = |file, title: &str, label, ours, theirs| Plot {
        file,
        alt: format!("{title}, the SDK's types beside serde_json's Value, from 10 to 10,000 turns"),
        svg: Lines {
            title,
            x: Axis {
                label: "turns of the conversation",
                scale: Scale::Powers,
            },
            y: Axis {
                label,
                scale: Scale::Powers,
            },
            series: vec![
                Series {
                    name: "the SDK's types",
                    points: ours,
                },
                Series {
                    name: "serde_json into a Value",
                    points: theirs,
                },
            ],
        }
        .svg(),
    };
    let mut plots = vec![plot(
        "benchmarks/decode-time.svg",
        "Time to decode a history",
        "time, µs",
        of(&|row| Some(row.time.ours)),
        of(&|row| Some(row.time.yardstick)),
    )];
    if rows.iter().any(|row| row.memory.is_some()) {
        plots.push(plot(
            "benchmarks/decode-memory.svg",
            "Memory to decode a history",
            "most memory allocated, kB",
            of(&|row| Some(row.memory?.0 / 1e3)),
            of(&|row| Some(row.memory?.1 / 1e3)),
        ));
    }
    plots
}

#[cfg(test)]
mod tests {
    use super::{body, types, value};

    #[test]
    fn a_body_of_so_many_turns_is_the_documented_one_repeated() -> Result<(), String> {
        let decoded = types(&body(12)?)?;
        let history = decoded.history.ok_or("no history")?;
        assert_eq!(history.len(), 12);
        assert_eq!(history[0].content, history[5].content);
        assert_ne!(history[0].content, history[1].content);
        assert_eq!(value(&body(12)?)?["variables"]["plan"], "premium");
        Ok(())
    }
}

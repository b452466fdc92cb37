//! `cargo xtask bench`: everything, in `docs/benchmarks.md`.

mod machine;
mod page;

use std::path::Path;
use std::time::{Duration, Instant};

use crate::BENCHES;
use crate::section::Section;
use crate::size::Size;

/// What all of it may take on two cores, with what has to be built.
const ALL: Duration = Duration::from_secs(20 * 60);

/// How much of it is for what, in seconds: what each takes on two cores that do nothing else, and some more.
const BUDGET: [(&str, u64); 9] = [
    ("building", 630),
    ("call", 60),
    ("decode", 40),
    ("tokens", 80),
    ("quota", 120),
    ("outbox", 90),
    ("cli", 30),
    ("emulator", 70),
    ("crash", 80),
];

/// A bench's part, and how it went.
struct Part {
    name: &'static str,
    took: Duration,
    outcome: Result<Section, String>,
}

/// `--building SECONDS`: what the caller has spent on that. `--quick`: only whether everything runs; writes nothing, or a
/// page whose figures mean nothing into another folder, to look at.
pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let (size, building, folder) = match words {
        ["--quick"] => (Size::Quick, Duration::ZERO, None),
        ["--quick", folder] => (Size::Quick, Duration::ZERO, Some(folder.into())),
        [] => (Size::Report, Duration::ZERO, Some(docs)),
        ["--building", seconds] => {
            let seconds = seconds.parse().map_err(|_| "no number of seconds")?;
            (Size::Report, Duration::from_secs(seconds), Some(docs))
        }
        _ => return Err("usage: cargo xtask bench".to_owned()),
    };
    let parts: Vec<Part> = BENCHES
        .iter()
        .map(|bench| {
            println!("\n── cargo xtask bench {}", bench.name);
            let start = Instant::now();
            let outcome = (bench.run)(size);
            if let Err(cause) = &outcome {
                eprintln!("{cause}");
            }
            Part {
                name: bench.name,
                took: start.elapsed(),
                outcome,
            }
        })
        .collect();
    print_times(&parts, building);
    if let Some(folder) = folder {
        write(&folder, &parts, building)?;
    }
    let broken: Vec<String> = parts
        .iter()
        .filter_map(|part| match &part.outcome {
            Ok(section) => section.verdict().err(),
            Err(cause) => Some(cause.clone()),
        })
        .collect();
    match broken.is_empty() {
        true => Ok(()),
        false => Err(broken.join("\n")),
    }
}

fn write(folder: &Path, parts: &[Part], building: Duration) -> Result<(), String> {
    for section in parts.iter().filter_map(|part| part.outcome.as_ref().ok()) {
        for plot in &section.plots {
            plot.write(folder)?;
        }
    }
    let page = page::page(parts, building, &machine::facts());
    let path = folder.join("benchmarks.md");
    std::fs::write(&path, page).map_err(|e| format!("{}: {e}", path.display()))?;
    println!("\nwritten: benchmarks.md");
    Ok(())
}

fn all_of(parts: &[Part], building: Duration) -> Duration {
    building + parts.iter().map(|part| part.took).sum::<Duration>()
}

fn budget(name: &str) -> u64 {
    let entry = BUDGET.iter().find(|(known, _)| *known == name);
    entry.map_or(0, |(_, seconds)| *seconds)
}

fn print_times(parts: &[Part], building: Duration) {
    println!("\n{:<10} {:>8} {:>8}", "part", "seconds", "planned");
    let line = |name: &str, took: Duration| {
        println!("{name:<10} {:>8.1} {:>8}", took.as_secs_f64(), budget(name));
    };
    line("building", building);
    for part in parts {
        line(part.name, part.took);
    }
    let all = all_of(parts, building);
    println!(
        "{:<10} {:>8.1} {:>8}",
        "together",
        all.as_secs_f64(),
        ALL.as_secs()
    );
    if all > ALL {
        println!("that is over {} minutes", ALL.as_secs() / 60);
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL, BUDGET};
    use crate::BENCHES;

    #[test]
    fn every_bench_has_its_part_of_the_time_and_they_fit_together() {
        for bench in &BENCHES {
            assert!(super::budget(bench.name) > 0, "{}", bench.name);
        }
        let planned: u64 = BUDGET.iter().map(|(_, seconds)| seconds).sum();
        assert!(planned <= ALL.as_secs(), "{planned} s");
    }
}

//! The report as a page.

use std::fmt::Write;
use std::time::Duration;

use super::{ALL, Part, all_of, budget};
use crate::figure::{Figure, number};
use crate::section::Section;

pub(super) fn page(parts: &[Part], building: Duration, machine: &[(&str, String)]) -> String {
    let minutes = ALL.as_secs() / 60;
    let mut out = format!(
        "# Benchmarks\n\n\
         What it costs, each figure beside a peer from the same run on the same machine. The ratio is ours divided by the \
         peer's, and it is what to look at: another machine has other figures and about the same ratios. Nothing absolute \
         is promised. \u{2713} marks a promise that holds, \u{2717} one that was missed.\n\n\
         All of it is written by `cargo xtask bench`, which has {minutes} minutes for that on two cores. This was {}; what \
         it was measured on stands [below](#the-machine).\n\n",
        jiff::Timestamp::now().strftime("on %Y-%m-%d")
    );
    in_short(&mut out, parts, building);
    for part in parts {
        match &part.outcome {
            Ok(section) => section_of(&mut out, section),
            Err(_) => {
                let _ = write!(
                    out,
                    "\n## {0}\n\nThis could not be measured. `cargo xtask bench {0}` says why.\n",
                    part.name
                );
            }
        }
    }
    out.push_str("\n## The machine\n\n| | |\n|---|---|\n");
    for (name, fact) in machine {
        let _ = writeln!(out, "| {name} | {fact} |");
    }
    out
}

fn in_short(out: &mut String, parts: &[Part], building: Duration) {
    out.push_str(
        "| | promises held | took, s | planned, s | repeat it with |\n|---|---|---|---|---|\n",
    );
    for part in parts {
        let (took, planned) = (part.took.as_secs_f64(), budget(part.name));
        let _ = match &part.outcome {
            Ok(section) => {
                let (promises, held) = section.promises();
                let promises = match promises {
                    0 => "none made".to_owned(),
                    _ => format!("{held} of {promises}"),
                };
                writeln!(
                    out,
                    "| [{}](#{}) | {promises} | {took:.0} | {planned} | `{}` |",
                    section.title,
                    section.title.to_lowercase().replace(' ', "-"),
                    section.command
                )
            }
            Err(_) => writeln!(
                out,
                "| {} | not measured | {took:.0} | {planned} | `cargo xtask bench {0}` |",
                part.name
            ),
        };
    }
    let _ = writeln!(
        out,
        "| building what is measured | | {:.0} | {} | |\n| together | | {:.0} | {} | `cargo xtask bench` |",
        building.as_secs_f64(),
        budget("building"),
        all_of(parts, building).as_secs_f64(),
        ALL.as_secs()
    );
}

fn section_of(out: &mut String, section: &Section) {
    let _ = write!(
        out,
        "\n## {}\n\n{}\n\nRepeat it with `{}`.\n\n",
        section.title, section.method, section.command
    );
    out.push_str("| | Famulor | beside it | | ratio | promised |\n|---|---|---|---|---|---|\n");
    for figure in &section.figures {
        row(out, figure);
    }
    for plot in &section.plots {
        let _ = write!(out, "\n![{}]({})\n", plot.alt, plot.file);
    }
    if !section.notes.is_empty() {
        out.push('\n');
    }
    for note in &section.notes {
        let _ = writeln!(out, "- {note}");
    }
}

fn row(out: &mut String, figure: &Figure) {
    let (name, value, ratio) = figure.peer.as_ref().map_or_else(
        || ("–".to_owned(), "–".to_owned(), None),
        |peer| {
            let value = crate::figure::with_unit(peer.value, figure.unit);
            (peer.name.clone(), value, peer.ratio)
        },
    );
    let ratio = ratio.map_or("–".to_owned(), number);
    let promised = match (figure.promise_in_words(), figure.holds()) {
        (Some(words), Some(true)) => format!("{words} \u{2713}"),
        (Some(words), _) => format!("{words} \u{2717}"),
        (None, _) => String::new(),
    };
    let _ = writeln!(
        out,
        "| {} | {} | {name} | {value} | {ratio} | {promised} |",
        figure.what,
        figure.own_in_words()
    );
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::page;
    use crate::BENCHES;
    use crate::figure::Figure;
    use crate::report::Part;
    use crate::section::Section;

    const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");

    /// The page as it is committed.
    fn written() -> String {
        std::fs::read_to_string(format!("{DOCS}/benchmarks.md"))
            .expect("docs/benchmarks.md, which `cargo xtask bench` writes")
    }

    #[test]
    fn a_figure_stands_with_its_peer_its_ratio_and_its_verdict() {
        let mut section = Section::new("A call", "cargo xtask bench call", "How.");
        let kept = Figure::new("kept", "µs", 1.0).beside("curl", 2.0);
        section.add(kept.ratio_at_most(0.5));
        let missed = Figure::new("missed", "µs", 3.0).beside("curl", 2.0);
        section.add(missed.ratio_at_most(1.2));
        section.note("curl is old here.");
        let parts = [
            Part {
                name: "call",
                took: Duration::from_secs(7),
                outcome: Ok(section),
            },
            Part {
                name: "cli",
                took: Duration::ZERO,
                outcome: Err("a path that is nobody's business".to_owned()),
            },
        ];
        let page = page(&parts, Duration::from_secs(3), &[("cores", "2".to_owned())]);
        for line in [
            "| kept | 1 µs | curl | 2 µs | 0.50 | ratio at most 0.5 \u{2713} |",
            "| missed | 3 µs | curl | 2 µs | 1.50 | ratio at most 1.2 \u{2717} |",
            "- curl is old here.",
            "Repeat it with `cargo xtask bench call`.",
            "| [A call](#a-call) | 1 of 2 | 7 | 60 | `cargo xtask bench call` |",
            "| building what is measured | | 3 | 630 | |",
            "| together | | 10 | 1200 | `cargo xtask bench` |",
            "| cores | 2 |",
        ] {
            assert!(
                page.lines().any(|written| written == line),
                "{line}\n{page}"
            );
        }
        assert!(!page.contains("nobody's business"), "{page}");
    }

    #[test]
    fn the_written_page_has_every_bench_with_its_command() {
        let written = written();
        for bench in &BENCHES {
            let command = format!("Repeat it with `cargo xtask bench {}", bench.name);
            assert!(
                written.contains(&command),
                "{} is not in the page",
                bench.name
            );
        }
        assert!(written.starts_with("# Benchmarks\n"));
        assert!(written.contains("\n## The machine\n"));
    }

    #[test]
    fn every_picture_of_the_written_page_is_there() {
        let docs = std::path::Path::new(DOCS);
        let written = written();
        let pictures: Vec<&str> = written
            .lines()
            .filter(|line| line.starts_with("!["))
            .filter_map(|line| line.split_once("](")?.1.strip_suffix(')'))
            .collect();
        assert!(pictures.len() >= 5, "{pictures:?}");
        for picture in pictures {
            assert!(docs.join(picture).exists(), "docs/{picture} is not there");
        }
    }

    #[test]
    fn every_row_of_the_written_page_is_whole() {
        let mut columns = 0;
        for line in written().lines().filter(|line| line.starts_with('|')) {
            let here = line.matches('|').count();
            let begins = line.starts_with("| |");
            if begins {
                columns = here;
            }
            assert_eq!(here, columns, "{line}");
        }
    }
}

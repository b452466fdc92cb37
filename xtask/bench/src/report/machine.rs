//! On what it was measured: the machine and the peers' versions. Neither its name nor any path.

use std::fs;

use crate::call::python_with_requests;
use crate::process::version;

const LOCK: &str = include_str!("../../../../Cargo.lock");

/// The crates that something stands beside.
const PEERS: [&str; 5] = ["reqwest", "serde_json", "governor", "axum", "wiremock"];

/// What, and what it is.
pub(super) fn facts() -> Vec<(&'static str, String)> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let mut facts = vec![
        ("cores", cores.to_string()),
        ("processor", said("/proc/cpuinfo", "model name")),
        ("memory", memory()),
        ("system", system()),
        ("Rust", or_missing(version("rustc", &["--version"]))),
        (
            "crates",
            PEERS
                .map(|name| format!("{name} {}", locked(name)))
                .join(", "),
        ),
    ];
    let python = python_with_requests().and_then(|python| {
        let asks = "import sys, requests; print(sys.version.split()[0], 'with requests', requests.__version__)";
        version(&python, &["-c", asks])
    });
    facts.push(("Python", or_missing(python)));
    for (name, program, word) in [
        ("Node", "node", 0),
        ("curl", "curl", 1),
        ("SQLite's shell", "sqlite3", 0),
        ("PostgreSQL", "postgres", 2),
        ("Redis", "redis-server", 2),
        ("valgrind", "valgrind", 0),
    ] {
        let line = version(program, &["--version"]);
        let found = line.and_then(|line| {
            let word = line.split_whitespace().nth(word)?;
            let from = word.find(|letter: char| letter.is_ascii_digit())?;
            Some(word[from..].to_owned())
        });
        facts.push((name, or_missing(found)));
    }
    facts
}

fn or_missing(found: Option<String>) -> String {
    found.unwrap_or_else(|| "not found".to_owned())
}

/// The value of the first line of a file that begins with a word.
fn said(file: &str, word: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let mut lines = text.lines();
    let line = lines.find(|line| line.starts_with(word));
    let value = line.and_then(|line| line.split_once([':', '=']));
    value.map_or("unknown".to_owned(), |(_, value)| {
        value.trim().trim_matches('"').to_owned()
    })
}

fn memory() -> String {
    let total = said("/proc/meminfo", "MemTotal");
    let kilobytes = total
        .split(' ')
        .next()
        .and_then(|total| total.parse::<f64>().ok());
    kilobytes.map_or(total.clone(), |kilobytes| {
        format!("{:.0} GiB", kilobytes / 1024.0 / 1024.0)
    })
}

/// The kernel's version without what its builder adds to it.
fn system() -> String {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kernel = kernel.split(['-', '+']).next().unwrap_or_default().trim();
    format!("{}, Linux {kernel}", said("/etc/os-release", "PRETTY_NAME"))
}

/// The version of a crate that this was built with; both where there are two.
fn locked(name: &str) -> String {
    let entry = format!("name = \"{name}\"\nversion = \"");
    let versions: Vec<&str> = LOCK
        .split(&entry)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    versions.join(" and ")
}

#[cfg(test)]
mod tests {
    use super::{PEERS, facts, locked};

    #[test]
    fn every_peer_is_in_the_lock() {
        for name in PEERS {
            assert!(locked(name).contains('.'), "{name}: {:?}", locked(name));
        }
    }

    #[test]
    fn the_facts_say_nothing_of_where_this_is() {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        for (name, fact) in facts() {
            assert!(!fact.is_empty(), "{name} is empty");
            assert!(
                !fact.starts_with('/') && !fact.contains(" /"),
                "{name}: {fact}"
            );
            assert!(
                host.trim().len() < 3 || !fact.contains(host.trim()),
                "{name}: {fact}"
            );
        }
    }
}

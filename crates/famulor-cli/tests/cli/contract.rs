//! `tests/contract.tsv` maps what programs outside rely on to the tests that hold it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::fixture::{Fixture, read};

/// Where the tests are that the table names: `chat::a_test` is in `chat.rs` here, `batch/order::a_test` in the folder
/// beside it.
fn source(file: &str) -> PathBuf {
    let folder = if file.contains('/') { "" } else { "cli" };
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(folder)
        .join(format!("{file}.rs"))
}

/// The rows: a section, a line of it, and its tests. `None` in the packaged crate, which has no repository around it.
fn rows() -> Option<Vec<(String, String, Vec<String>)>> {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/contract.tsv");
    let table = std::fs::read_to_string(table).ok()?;
    let row = |line: &str| {
        let columns: Vec<&str> = line.split('\t').collect();
        assert_eq!(columns.len(), 3, "section, line, tests: {line}");
        let tests = columns[2].split(' ').map(str::to_owned).collect();
        (columns[0].to_owned(), columns[1].to_owned(), tests)
    };
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    Some(lines.map(row).collect())
}

#[test]
fn every_line_of_the_contract_names_tests_that_there_are() {
    let Some(rows) = rows() else { return };
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for (section, line, tests) in &rows {
        assert!(!tests.is_empty(), "{section}: {line}");
        for test in tests {
            let (file, name) = test.split_once("::").unwrap_or_else(|| panic!("{test}"));
            let source = files
                .entry(file.to_owned())
                .or_insert_with(|| read(&source(file)));
            let declared = source.find(&format!("\nfn {name}(")).map(|at| at + 1);
            let at = declared.unwrap_or_else(|| panic!("{line}: there is no test {test}"));
            let before = source[..at].lines().last();
            assert_eq!(before, Some("#[test]"), "{line}: {test} is no test");
        }
    }
    let mut seen = BTreeSet::new();
    for (section, line, _) in &rows {
        assert!(
            seen.insert((section, line)),
            "{section}: {line} is there twice"
        );
    }
}

#[test]
fn every_command_flag_variable_and_exit_code_is_in_the_table() {
    let Some(rows) = rows() else { return };
    let of = |section: &str| -> String {
        let rows = rows.iter().filter(|(of, ..)| of == section);
        rows.map(|(_, line, _)| format!("\n{line} ")).collect()
    };
    let (commands, globals) = (of("command"), of("global"));
    let world = Fixture::new();
    let help = |command: &[&str]| world.bare(command).arg("--help").run().exits(0).stdout;
    let mut waiting = vec![Vec::new()];
    let mut found = 0;
    while let Some(command) = waiting.pop() {
        let text = help(&command.iter().map(String::as_str).collect::<Vec<_>>());
        let below = section(&text, "Commands:");
        if below.is_empty() {
            found += 1;
            let name = command.join(" ");
            assert!(
                commands.contains(&format!("\n{name} ")),
                "no {name} in the table"
            );
        }
        for name in below
            .iter()
            .filter_map(|line| line.split_whitespace().next())
        {
            let mut path = command.clone();
            path.push(name.to_owned());
            waiting.push(path);
        }
        for flag in section(&text, "Options:")
            .iter()
            .filter_map(|line| long(line))
        {
            let known = commands.contains(&format!("{flag} ")) || OURS.contains(&flag);
            assert!(known, "no {flag} of {command:?} in the table");
        }
        for flag in section(&text, "Global options:")
            .iter()
            .filter_map(|line| long(line))
        {
            assert!(
                globals.contains(&format!("\n{flag} ")),
                "no {flag} in the table"
            );
        }
    }
    assert!(found > 25, "{found} commands");
    let whole = help(&[]);
    let environment = of("environment");
    for word in whole.split(|c: char| !(c.is_ascii_uppercase() || c == '_')) {
        let is_ours = word.starts_with("FAMULOR_") && word.len() > "FAMULOR_".len();
        assert!(
            !is_ours || environment.contains(&format!("\n{word} ")),
            "no {word} in the table"
        );
    }
    let exits = of("exit");
    for code in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 130, 143] {
        assert!(
            exits.contains(&format!("\n{code} ")),
            "no exit code {code} in the table"
        );
    }
}

/// Of every command, or added to what the contract asks for.
const OURS: [&str; 8] = [
    "--help",
    "--version",
    "--keyring",
    "--transcript",
    "--concurrency",
    "--lease",
    "--line",
    "--state",
];

/// The indented lines under a heading of the help.
fn section<'a>(help: &'a str, heading: &str) -> Vec<&'a str> {
    let lines = help.lines().skip_while(|line| *line != heading).skip(1);
    // Entries are indented a little, what explains them more.
    lines
        .take_while(|line| line.starts_with(' ') || line.is_empty())
        .filter(|line| !line.starts_with("          ") && !line.is_empty())
        .collect()
}

/// The long flag that a line of the help is about.
fn long(line: &str) -> Option<&str> {
    line.split_whitespace()
        .map(|word| word.trim_end_matches("...").trim_end_matches(','))
        .take(2)
        .find(|word| word.starts_with("--"))
}

//! The documented bodies, and what their names say.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde_json::Value;

use crate::Problem;

/// The list of where each body comes from.
pub(crate) const INDEX: &str = "INDEX.tsv";

/// The operation part of a name whose body any operation may answer.
pub(crate) const EVERY_OPERATION: &str = "common";

/// Which of an operation's bodies it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Request,
    Response,
    /// What a webhook sends.
    Event,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request => "request",
            Self::Response => "response",
            Self::Event => "event",
        })
    }
}

/// A body as it stands in the documentation, or one written to be refused.
pub(crate) struct Fixture {
    pub(crate) file: String,
    pub(crate) operation: String,
    pub(crate) part: Part,
    /// Of a response.
    pub(crate) status: Option<u16>,
    pub(crate) body: Value,
    /// For what it must be refused, as the index has it.
    pub(crate) refused: Option<String>,
}

/// A line of the index.
struct Line {
    refused: String,
}

pub(crate) fn read(folder: &Path, problems: &mut Vec<Problem>) -> Vec<Fixture> {
    let mut index = read_index(folder, problems);
    let mut names: Vec<String> = match std::fs::read_dir(folder) {
        Ok(entries) => entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| name != INDEX)
            .collect(),
        Err(error) => {
            problems.push(Problem::new("tests/fixtures", "", error.to_string()));
            return Vec::new();
        }
    };
    names.sort();
    let mut fixtures = Vec::new();
    for name in names {
        let file = format!("tests/fixtures/{name}");
        match fixture(folder, &name, &file, index.remove(&name)) {
            Ok(fixture) => fixtures.push(fixture),
            Err(cause) => problems.push(Problem::new(file, "", cause)),
        }
    }
    for name in index.keys() {
        problems.push(Problem::new(
            format!("tests/fixtures/{INDEX}"),
            "",
            format!("{name}: there is no such file"),
        ));
    }
    fixtures
}

fn read_index(folder: &Path, problems: &mut Vec<Problem>) -> BTreeMap<String, Line> {
    let text = std::fs::read_to_string(folder.join(INDEX)).unwrap_or_default();
    let mut lines = BTreeMap::new();
    for (number, line) in text.lines().enumerate().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [file, source, refused] = columns[..] else {
            problems.push(Problem::new(
                format!("tests/fixtures/{INDEX}"),
                format!("line {}", number + 1),
                "a line is `file`, `source` and `refused`, with tabs between them",
            ));
            continue;
        };
        if source.is_empty() {
            problems.push(Problem::new(
                format!("tests/fixtures/{INDEX}"),
                "",
                format!("{file}: has no source"),
            ));
        }
        lines.insert(
            file.to_owned(),
            Line {
                refused: refused.to_owned(),
            },
        );
    }
    lines
}

fn fixture(folder: &Path, name: &str, file: &str, line: Option<Line>) -> Result<Fixture, String> {
    let line = line.ok_or_else(|| format!("has no line in {INDEX}: say where it comes from"))?;
    let (valid_name, invalid) = match name.strip_prefix("invalid-") {
        Some(rest) => (rest, true),
        None => (name, false),
    };
    if invalid == line.refused.is_empty() {
        return Err(format!(
            "the column `refused` of {INDEX} is for invalid-… bodies, and each of them has one"
        ));
    }
    let mut words = valid_name.split('.');
    let operation = words.next().unwrap_or_default();
    let part = match words.next() {
        Some("request") => Part::Request,
        Some("response") => Part::Response,
        Some("event") => Part::Event,
        _ => return Err("a name is `operation.request|response|event.….json`".to_owned()),
    };
    let status = match (part, words.next().unwrap_or_default()) {
        (Part::Response, word) => Some(
            word.get(..3)
                .and_then(|digits| digits.parse().ok())
                .filter(|status| (200..600).contains(status))
                .ok_or("a response's name has its status after `response.`")?,
        ),
        _ => None,
    };
    if !name.ends_with(".json") {
        return Err("is no .json file".to_owned());
    }
    let text = std::fs::read_to_string(folder.join(name)).map_err(|e| e.to_string())?;
    Ok(Fixture {
        file: file.to_owned(),
        operation: operation.to_owned(),
        part,
        status,
        body: serde_json::from_str(&text).map_err(|e| format!("is not JSON: {e}"))?,
        refused: invalid.then_some(line.refused),
    })
}

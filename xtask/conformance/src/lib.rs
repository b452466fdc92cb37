//! The spec against the documented bodies, and both against the generated types.
//!
//! Every body in `tests/fixtures` has to satisfy its operation's schema, name no field that the spec lacks, decode into
//! the generated type and come out again equal; a body named `invalid-…` has to be refused, where and why its line in
//! `INDEX.tsv` says. Every operation has to have a body, and every body an operation.

mod codecs;
mod fixtures;
mod problem;
mod schema;
mod spec;
mod verdict;

use std::collections::BTreeSet;
use std::path::Path;

pub use problem::Problem;

use fixtures::{Fixture, Part};
use spec::{Body, Operation, Spec};

/// What was looked at, and what is wrong.
#[derive(Debug, Default)]
pub struct Report {
    /// How many bodies were found as documented.
    pub accepted: usize,
    /// How many `invalid-…` bodies were refused as they should be.
    pub refused: usize,
    /// How many examples inside the spec satisfy their schema.
    pub examples: usize,
    /// Everything that is wrong.
    pub problems: Vec<Problem>,
}

/// Checks the spec at `spec` against the bodies in the folder `fixtures`, both ways.
#[must_use]
pub fn check(spec: &Path, fixtures: &Path) -> Report {
    let mut report = Report::default();
    let spec = match Spec::read(spec) {
        Ok(spec) => spec,
        Err(problem) => {
            report.problems.push(problem);
            return report;
        }
    };
    let fixtures = fixtures::read(fixtures, &mut report.problems);
    table_covers_spec(&spec, &mut report.problems);
    examples_hold(&spec, &mut report);
    for fixture in &fixtures {
        check_fixture(&spec, fixture, &mut report);
    }
    every_operation_has_bodies(&spec, &fixtures, &mut report.problems);
    report
}

/// The table of generated types has exactly the spec's operations and bodies, by the spec's own names.
fn table_covers_spec(spec: &Spec, problems: &mut Vec<Problem>) {
    let mut known = BTreeSet::new();
    for operation in &spec.operations {
        for (part, body) in operation.bodies() {
            known.insert((operation.id.as_str(), part));
            let Some(codec) = codecs::find(&operation.id, part) else {
                problems.push(Problem::new(
                    codecs::FILE,
                    "",
                    format!(
                        "{}: the {part} has no entry: add one, or its bodies are not decoded",
                        operation.id
                    ),
                ));
                continue;
            };
            if body.type_name() != Some(codec.type_name) {
                problems.push(Problem::new(
                    codecs::FILE,
                    "",
                    format!(
                        "{}: the {part} decodes {}, and in the spec it is {}",
                        operation.id,
                        codec.type_name,
                        body.type_name().unwrap_or("not a $ref to a schema by name")
                    ),
                ));
            }
        }
        for (status, body) in operation.errors() {
            if body.type_name() != Some(codecs::ERROR.type_name) {
                problems.push(Problem::new(
                    "openapi.yaml",
                    &body.pointer,
                    format!(
                        "{} {status}: an error is an {}",
                        operation.id,
                        codecs::ERROR.type_name
                    ),
                ));
            }
        }
    }
    for codec in codecs::ALL {
        if !known.contains(&(codec.operation, codec.part)) {
            problems.push(Problem::new(
                codecs::FILE,
                "",
                format!("{}: the spec has no such {}", codec.operation, codec.part),
            ));
        }
    }
}

fn examples_hold(spec: &Spec, report: &mut Report) {
    for operation in &spec.operations {
        for body in operation.all_bodies() {
            for (pointer, example) in spec.examples(body, &mut report.problems) {
                let causes = spec.causes(body, &example);
                report.examples += usize::from(causes.is_empty());
                report.problems.extend(causes.into_iter().map(|cause| {
                    Problem::new(
                        "openapi.yaml",
                        format!("{pointer}{}", cause.path),
                        cause.text,
                    )
                }));
            }
        }
    }
    // A component is used by many operations; one report of it is enough.
    let mut seen = BTreeSet::new();
    report
        .problems
        .retain(|problem| seen.insert(problem.to_string()));
}

fn check_fixture(spec: &Spec, fixture: &Fixture, report: &mut Report) {
    let operations: Vec<&Operation> = if fixture.operation == fixtures::EVERY_OPERATION {
        spec.operations.iter().filter(|o| !o.is_webhook).collect()
    } else {
        spec.operations
            .iter()
            .filter(|o| o.id == fixture.operation)
            .collect()
    };
    if operations.is_empty() {
        report.problems.push(Problem::new(
            &fixture.file,
            "",
            format!("the spec has no operation {}", fixture.operation),
        ));
        return;
    }
    let before = report.problems.len();
    for operation in operations {
        let Some(body) = operation.body_for(fixture.part, fixture.status) else {
            report.problems.push(Problem::new(
                &fixture.file,
                "",
                match fixture.status {
                    Some(status) => format!(
                        "{} has no {} with status {status}",
                        operation.id, fixture.part
                    ),
                    None => format!("{} has no {}", operation.id, fixture.part),
                },
            ));
            continue;
        };
        let is_error = fixture.status.is_some_and(|status| status >= 400);
        let codec = if is_error {
            Some(&codecs::ERROR)
        } else {
            codecs::find(&operation.id, fixture.part)
        };
        // Without an entry in the table there is nothing to decode into; that is reported by operation.
        check_body(spec, body, codec, fixture, &mut report.problems);
    }
    if report.problems.len() == before {
        match fixture.refused {
            Some(_) => report.refused += 1,
            None => report.accepted += 1,
        }
    }
}

fn check_body(
    spec: &Spec,
    body: &Body,
    codec: Option<&codecs::Codec>,
    fixture: &Fixture,
    problems: &mut Vec<Problem>,
) {
    let causes = spec.causes(body, &fixture.body);
    if let Some(expected) = &fixture.refused {
        let found = verdict::summary(&causes);
        if causes.is_empty() {
            problems.push(Problem::new(
                &fixture.file,
                "",
                "is accepted, and its name says that it must be refused",
            ));
        } else if *expected != found {
            problems.push(Problem::new(
                &fixture.file,
                "",
                format!(
                    "is refused for `{found}`, and {} says `{expected}`",
                    fixtures::INDEX
                ),
            ));
        } else if fixture.part == Part::Request
            && causes
                .iter()
                .all(|cause| cause.keyword != verdict::UNKNOWN_FIELD)
            && codec.is_some_and(|codec| codec.round_trip(&fixture.body).is_none())
        {
            problems.push(Problem::new(
                &fixture.file,
                "",
                "the generated type takes it, so a client would send what the API refuses",
            ));
        }
        return;
    }
    let valid = causes.is_empty();
    problems.extend(
        causes
            .into_iter()
            .map(|cause| Problem::new(&fixture.file, cause.path, cause.text)),
    );
    if let (true, Some(codec)) = (valid, codec) {
        problems.extend(
            codec
                .round_trip(&fixture.body)
                .into_iter()
                .map(|cause| Problem::new(&fixture.file, cause.path, cause.text)),
        );
    }
}

fn every_operation_has_bodies(spec: &Spec, fixtures: &[Fixture], problems: &mut Vec<Problem>) {
    for operation in &spec.operations {
        for (part, _) in operation.bodies() {
            let found = fixtures.iter().any(|fixture| {
                fixture.operation == operation.id
                    && fixture.part == part
                    && fixture.refused.is_none()
                    && (part != Part::Response || fixture.status.is_some_and(|s| s < 300))
            });
            if !found {
                problems.push(Problem::new(
                    "openapi.yaml",
                    "",
                    format!(
                        "{}: no {part} in tests/fixtures: add {}.{part}{}.json",
                        operation.id,
                        operation.id,
                        if part == Part::Response {
                            ".200-…"
                        } else {
                            ".…"
                        }
                    ),
                ));
            }
        }
    }
}

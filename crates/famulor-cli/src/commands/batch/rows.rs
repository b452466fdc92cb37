//! The rows of a job as other programs read them: JSON lines, in the order of the input.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use famulor_core::FunctionCall;
use famulor_outbox::{Filter, Outbox, Row, State};
use schemars::JsonSchema;
use serde::Serialize;

use super::store::refused;
use crate::crash;
use crate::error_object::{ErrorFields, Seconds};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::json;

/// The states that the contract's output has: something came of the message, if only a doubt.
const SHOWN: [State; 5] = [
    State::Done,
    State::Failed,
    State::InDoubt,
    State::NeedsReview,
    State::Cancelled,
];

/// Rows are read in pages of so many, so that a million of them need no more memory than a page.
const PAGE: usize = 1000;

/// What came of a message: a line of the output, with the contract's fields in the contract's order.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "BatchOutput")]
pub(crate) struct Line<'r> {
    /// The number of its line in the input.
    line: Option<u64>,
    /// The caller's own name for it.
    id: Option<&'r str>,
    customer_identifier: &'r str,
    #[schemars(with = "String", extend("enum" = ["done", "failed", "in_doubt", "needs_review", "cancelled"]))]
    state: State,
    /// What the assistant said; null when a person has taken the conversation over.
    reply: Option<&'r str>,
    conversation_id: Option<&'r str>,
    #[schemars(with = "Vec<FunctionCall>")]
    function_calls: &'r [FunctionCall],
    /// Whether a person has taken the conversation over.
    ai_disabled: Option<bool>,
    error: Option<ErrorFields<'r>>,
    /// How often it was sent.
    attempts: u32,
}

/// Where the rows go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    StandardOutput,
    File(PathBuf),
}

impl Destination {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("it is empty".to_owned()),
            "-" => Ok(Self::StandardOutput),
            path => Ok(Self::File(PathBuf::from(path))),
        }
    }

    /// Finds out now, not after three hours, whether the file can be written.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match self {
            Self::File(path) => Target::open(path).map(drop),
            Self::StandardOutput => Ok(()),
        }
    }

    /// Writes all rows of a job that have come to something, and says how many.
    pub(super) async fn write(&self, outbox: &Outbox, job: &str) -> Result<u64, Failure> {
        match self {
            Self::StandardOutput => {
                let mut out = BufWriter::new(io::stdout().lock());
                let count = write_rows(outbox, job, &mut out, |error| error.into()).await?;
                out.flush()?;
                Ok(count)
            }
            Self::File(path) => {
                let mut target = Target::open(path)?;
                let count = write_rows(outbox, job, target.writer(), |error| {
                    unwritable(path, &error)
                })
                .await?;
                target.finish()?;
                Ok(count)
            }
        }
    }
}

async fn write_rows(
    outbox: &Outbox,
    job: &str,
    out: &mut dyn Write,
    failed: impl Fn(io::Error) -> Failure,
) -> Result<u64, Failure> {
    let filter = Filter::all().with_job(job).with_states(SHOWN);
    let mut after = None;
    let mut count = 0;
    loop {
        let rows = outbox.list(&filter, after, PAGE).await.map_err(refused)?;
        let Some(last) = rows.last() else {
            return Ok(count);
        };
        after = Some(last.id);
        for row in &rows {
            let line = json::compact(&Line::of(row))
                .map_err(|error| Failure::unexpected(format!("cannot write a row: {error}")))?;
            crash::reached("during-export");
            out.write_all(&line).map_err(&failed)?;
            count += 1;
        }
    }
}

/// A file that is there whole or not at all: written beside it, then renamed.
enum Target {
    Beside(BufWriter<tempfile::NamedTempFile>, PathBuf),
    /// What is no file (`/dev/stderr`, a pipe) cannot be replaced.
    Straight(BufWriter<std::fs::File>, PathBuf),
}

impl Target {
    fn open(path: &Path) -> Result<Self, Failure> {
        let failed = |error| unwritable(path, &error);
        // Behind a link, the file that it leads to is the one to replace.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if path.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        if path.exists() && !path.is_file() {
            let file = std::fs::OpenOptions::new().write(true).open(&path);
            return Ok(Self::Straight(BufWriter::new(file.map_err(failed)?), path));
        }
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Readable by its owner alone: it holds what customers were told.
        let file = tempfile::Builder::new()
            .prefix(&format!(".{name}."))
            .tempfile_in(folder)
            .map_err(failed)?;
        Ok(Self::Beside(BufWriter::new(file), path))
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Beside(out, _) => out,
            Self::Straight(out, _) => out,
        }
    }

    fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Straight(mut out, path) => out.flush().map_err(|error| unwritable(&path, &error)),
            Self::Beside(out, path) => {
                let finish = || {
                    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
                    file.as_file().sync_all()?;
                    file.persist(&path).map_err(|error| error.error)
                };
                finish()
                    .map(drop)
                    .map_err(|error| unwritable(&path, &error))
            }
        }
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::config(format!("cannot write {}: {error}", path.display()))
}

impl<'r> Line<'r> {
    fn of(row: &'r Row) -> Self {
        Self {
            line: row.line,
            id: row.caller_id.as_deref(),
            customer_identifier: &row.customer,
            state: row.state,
            reply: row.reply.as_deref(),
            conversation_id: row.conversation_id.as_deref(),
            function_calls: &row.function_calls,
            ai_disabled: row.ai_disabled,
            error: error_of(row),
            attempts: row.attempts,
        }
    }
}

/// Why there is no reply, or why a person has to look: what a single command would have said, and ended with.
fn error_of(row: &Row) -> Option<ErrorFields<'_>> {
    let error = row.error.as_ref();
    let reason = row.reason.as_deref();
    let message = reason.or(error.map(|error| error.message.as_str()))?;
    // Without an error there is only the doubt.
    let kind = error.map_or("unknown_outcome", |error| error.kind.as_str());
    Some(ErrorFields {
        kind,
        code: error.and_then(|error| error.code.as_deref()),
        message: message.into(),
        http_status: error.and_then(|error| error.http_status),
        retry_after_s: error.and_then(|error| error.retry_after_s).map(Seconds),
        delivery: error.map_or("unknown", |error| error.delivery.as_str()),
        attempts: row.attempts,
        exit: Exit::of_name(kind).code(),
    })
}

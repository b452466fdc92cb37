//! From the input into the store: checked as a whole first, then taken over.

use std::io::Write;

use famulor_core::{ErrorKind, OnUnknown};
use famulor_outbox::{NewMessage, Outbox};

use super::input::{Digest, Entry, Format, Reader, Source};
use super::intake::Intake;
use super::store::refused;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::notes;
use crate::visible::visible_line;

/// What a look at the whole input has found.
pub(super) struct Checked {
    pub(super) source: Source,
    pub(super) digest: Digest,
    pub(super) messages: u64,
    pub(super) bad: u64,
}

/// How bad lines are told.
#[derive(Clone, Copy)]
pub(super) struct Tell {
    pub(super) as_json: bool,
    /// `--quiet`, which silences notes but no errors.
    pub(super) quiet: bool,
    /// `--skip-invalid`: they are notes then.
    pub(super) skipped: bool,
}

/// Reads all of it and tells every bad line. Blocks.
pub(super) fn check(
    mut source: Source,
    format: Format,
    tell: Tell,
    mut intake: Intake,
) -> Result<Checked, Failure> {
    let mut reader = Reader::new(&mut source, format)?;
    let (mut messages, mut bad) = (0, 0);
    while let Some(entry) = reader.next()? {
        intake.count();
        match entry {
            Entry::Message(_) => messages += 1,
            Entry::Bad(line) => {
                bad += 1;
                intake.beside(|| tell.line(line.line, &line.cause));
            }
        }
    }
    let digest = reader.digest();
    Ok(Checked {
        source,
        digest,
        messages,
        bad,
    })
}

impl Tell {
    fn line(self, line: u64, cause: &str) {
        let message = format!("line {line}: {cause}");
        if self.skipped {
            if !self.quiet {
                let _ = writeln!(anstream::stderr(), "{} (left out)", visible_line(&message));
            }
        } else if self.as_json {
            let failure = Failure::of_batch(ErrorKind::InvalidRequest, Exit::Usage, message);
            notes::report(&failure, true);
        } else {
            let _ = writeln!(anstream::stderr(), "{}", visible_line(&message));
        }
    }
}

fn broken_off(error: famulor_outbox::Error) -> Failure {
    refused(error).next("nothing of it was sent; the same command goes on where this one stopped")
}

/// Whose rows they become, and how they are sent.
pub(super) struct Terms<'a> {
    pub(super) job: &'a str,
    pub(super) account: &'a str,
    pub(super) on_unknown: Option<OnUnknown>,
}

/// Takes the input over into the store; false: it is there from an earlier run. Until that is finished, nobody sends any of it.
pub(super) async fn import(
    outbox: &Outbox,
    checked: &mut Checked,
    format: Format,
    terms: Terms<'_>,
    mut intake: Intake,
) -> Result<bool, Failure> {
    let digest = &checked.digest;
    let mut import = outbox.import(terms.job, &digest.0).await.map_err(refused)?;
    // The digest says that it is the same input: there is nothing to take over a second time.
    if import.is_complete() {
        return Ok(false);
    }
    let mut reader = Reader::new(&mut checked.source, format)?;
    while let Some(entry) = reader.next()? {
        intake.count();
        let pushed = match entry {
            Entry::Message(message) => {
                let line = message.line;
                let mut new = NewMessage::new(message.assistant, message.customer, message.text)
                    .with_job(terms.job)
                    .with_key(&line.to_string())
                    .with_line(line)
                    .with_account(terms.account)
                    .with_variables(message.variables);
                if let Some(id) = message.id {
                    new = new.with_id(&id);
                }
                if let Some(policy) = terms.on_unknown {
                    new = new.with_on_unknown(policy);
                }
                import.push(new).await
            }
            Entry::Bad(bad) => {
                import
                    .push_invalid(bad.line, bad.id, bad.customer, &bad.cause)
                    .await
            }
        };
        pushed.map_err(broken_off)?;
    }
    // Between the two readings somebody may have written to the file.
    if reader.digest() != *digest {
        return Err(Failure::usage(format!(
            "{} was changed while it was read",
            checked.source.name
        ))
        .next("run it again; nothing of it will be sent before it is taken over whole"));
    }
    import.finish().await.map_err(broken_off)?;
    Ok(true)
}

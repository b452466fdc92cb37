//! How an example ends.

use std::error::Error;
use std::process::ExitCode;

/// Whatever went wrong.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Says on standard error what went wrong and what it came from, in place of the `Debug` that `main` would print.
///
/// ```
/// let failed: Result<(), famulor_examples::Failure> = Err("the desk is closed".into());
/// assert_eq!(famulor_examples::report(failed), std::process::ExitCode::FAILURE);
/// ```
pub fn report(outcome: Result<(), Failure>) -> ExitCode {
    let Err(failure) = outcome else {
        return ExitCode::SUCCESS;
    };
    eprintln!("error: {failure}");
    let mut cause = failure.source();
    while let Some(because) = cause {
        eprintln!("  because {because}");
        cause = because.source();
    }
    ExitCode::FAILURE
}

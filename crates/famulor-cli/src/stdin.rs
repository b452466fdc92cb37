//! Standard input: it can be read once, so one taker only.

use std::io::{self, IsTerminal, Read};

use crate::failure::Failure;

#[derive(Debug, Default)]
pub(crate) struct Stdin {
    taken_by: Option<&'static str>,
}

impl Stdin {
    /// Takes standard input for `taker`, unless somebody has it.
    pub(crate) fn take(&mut self, taker: &'static str) -> Result<(), Failure> {
        match self.taken_by.replace(taker) {
            None => Ok(()),
            Some(first) => Err(Failure::usage(format!(
                "standard input can be read only once, and both {first} and {taker} would"
            ))
            .next("give one of them a file")),
        }
    }

    /// All of it, as text. Read beside the runtime, so that signals are heard meanwhile.
    pub(crate) async fn contents(taker: &'static str) -> Result<String, Failure> {
        let read = tokio::task::spawn_blocking(|| {
            let mut text = String::new();
            io::stdin().lock().read_to_string(&mut text).map(|_| text)
        });
        let unreadable =
            |error| Failure::usage(format!("cannot read {taker} from standard input: {error}"));
        read.await
            .map_err(|error| unreadable(error.to_string()))?
            .map_err(|e| unreadable(e.to_string()))
    }

    pub(crate) fn is_terminal() -> bool {
        io::stdin().is_terminal()
    }
}

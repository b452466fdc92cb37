//! A chat on piped input: a message a line, replies on standard output, and it ends with the input.

use tokio::io::{AsyncBufReadExt, BufReader};

use super::Chat;
use crate::failure::Failure;
use crate::run::Run;
use crate::visible::visible;

pub(super) async fn talk(run: &Run, mut chat: Chat) -> Result<(), Failure> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let unreadable = |error| {
        Failure::usage(format!(
            "cannot read a message from standard input: {error}"
        ))
    };
    while let Some(line) = lines.next_line().await.map_err(unreadable)? {
        if line.trim().is_empty() {
            continue;
        }
        chat.record.said("user", &line)?;
        let call = chat.conversation.send(line);
        // A script must not go on as if it were answered.
        let turn = run.flight.during("the message", call.send()).await?;
        chat.record.turn(&turn)?;
        if run.output.format.is_json() {
            run.output.row(&turn)?;
            continue;
        }
        super::show_calls(run, &turn);
        match turn.text() {
            Some(text) => run.output.text(|out| writeln!(out, "{}", visible(text)))?,
            None => run
                .notes
                .say("no answer: AI replies are off for this conversation, a person answers"),
        }
    }
    Ok(())
}

//! The line that is typed: editing, history, several lines. On a thread of its own, because it blocks.

use anstream::{AutoStream, ColorChoice};
use rustyline::error::ReadlineError;
use rustyline::history::{History, MemHistory};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Behavior, ColorMode, Config, Editor, Helper};
use tokio::sync::{mpsc, oneshot};

use crate::failure::Failure;
use crate::notes::USER;

/// What came of asking for a line.
pub(super) enum Line {
    Typed(String),
    /// Ctrl-C, with nothing under way.
    Interrupted,
    /// Ctrl-D, or the terminal is gone.
    End,
}

type Ask = oneshot::Sender<Result<Line, String>>;

/// Asks for lines.
pub(super) struct Keyboard(mpsc::UnboundedSender<Ask>);

impl Keyboard {
    /// `said` are earlier messages, for the arrow keys. They stay in memory: what people write is not put on disk
    /// unless somebody asks for that.
    pub(super) fn start(said: Vec<String>) -> Result<Self, Failure> {
        let (asks, mut asked) = mpsc::unbounded_channel::<Ask>();
        let mut editor = editor(said)
            .map_err(|error| Failure::unexpected(format!("cannot use the terminal: {error}")))?;
        std::thread::spawn(move || {
            while let Some(answer) = asked.blocking_recv() {
                // Who asked may have been told to stop meanwhile.
                let _ = answer.send(read(&mut editor));
            }
        });
        Ok(Self(asks))
    }

    pub(super) async fn line(&self) -> Result<Line, Failure> {
        let (answer, line) = oneshot::channel();
        let gone = || Failure::unexpected("the terminal cannot be read any more");
        self.0.send(answer).map_err(|_| gone())?;
        let line = line.await.map_err(|_| gone())?;
        line.map_err(|error| Failure::usage(format!("cannot read a message: {error}")))
    }
}

fn editor(said: Vec<String>) -> rustyline::Result<Editor<Lines, MemHistory>> {
    let plain = AutoStream::choice(&std::io::stderr()) == ColorChoice::Never;
    let config = Config::builder()
        // The prompt is no data: it stays on the terminal when standard output goes elsewhere.
        .behavior(Behavior::PreferTerm)
        .auto_add_history(true)
        .history_ignore_space(true)
        .color_mode(if plain {
            ColorMode::Disabled
        } else {
            ColorMode::Enabled
        })
        .build();
    let mut history = MemHistory::with_config(&config);
    for line in said {
        history.add(&line)?;
    }
    let mut editor = Editor::with_history(config, history)?;
    editor.set_helper(Some(Lines));
    Ok(editor)
}

fn read(editor: &mut Editor<Lines, MemHistory>) -> Result<Line, String> {
    let prompt = ("you: ", format!("{USER}you:{USER:#} "));
    match editor.readline(&prompt) {
        // The mark of a line that goes on is no part of the message.
        Ok(line) => Ok(Line::Typed(line.replace("\\\n", "\n"))),
        Err(ReadlineError::Interrupted) => Ok(Line::Interrupted),
        Err(ReadlineError::Eof) => Ok(Line::End),
        Err(error) => Err(error.to_string()),
    }
}

/// A backslash at its end makes a line go on; several lines that are pasted are one message.
struct Lines;

impl Validator for Lines {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if context.input().ends_with('\\') {
            ValidationResult::Incomplete
        } else {
            ValidationResult::Valid(None)
        })
    }
}

impl rustyline::completion::Completer for Lines {
    type Candidate = String;
}

impl rustyline::hint::Hinter for Lines {
    type Hint = String;
}

impl rustyline::highlight::Highlighter for Lines {}

impl Helper for Lines {}

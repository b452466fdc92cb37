//! One bench's part of the report.

use crate::figure::Figure;
use crate::plot::Plot;

/// One bench's part of the report. Figures are said on the terminal as they come.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub(crate) title: &'static str,
    /// The one command that measures this again.
    pub(crate) command: String,
    /// What was done, and what stands beside it: for a reader who wants to know what the figures are worth.
    pub(crate) method: String,
    pub(crate) figures: Vec<Figure>,
    /// What was not measured, and other things that a figure cannot say.
    pub(crate) notes: Vec<String>,
    /// Promises that could not be looked at.
    unseen: Vec<String>,
    pub(crate) plots: Vec<Plot>,
}

impl Section {
    pub(crate) fn new(
        title: &'static str,
        command: impl Into<String>,
        method: impl Into<String>,
    ) -> Self {
        Self {
            title,
            command: command.into(),
            method: method.into(),
            figures: Vec::new(),
            notes: Vec::new(),
            unseen: Vec::new(),
            plots: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, figure: Figure) {
        println!("{figure}");
        self.figures.push(figure);
    }

    pub(crate) fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        println!("     {note}");
        self.notes.push(note);
    }

    /// Something that is promised, and why it was not measured: the bench fails, as if it had been missed.
    pub(crate) fn unseen(&mut self, why: impl Into<String>) {
        let why = why.into();
        self.note(why.clone());
        self.unseen.push(why);
    }

    /// How many figures there are with a promise, and how many of them hold it.
    pub(crate) fn promises(&self) -> (usize, usize) {
        let verdicts = || self.figures.iter().filter_map(Figure::holds);
        (
            verdicts().count(),
            verdicts().filter(|holds| *holds).count(),
        )
    }

    /// Fails with the figures that do not hold what is promised of them, and with the promises that nobody looked at.
    pub(crate) fn verdict(&self) -> Result<(), String> {
        let missed: Vec<String> = self
            .figures
            .iter()
            .filter(|figure| figure.holds() == Some(false))
            .map(ToString::to_string)
            .chain(self.unseen.iter().cloned())
            .collect();
        match missed.is_empty() {
            true => Ok(()),
            false => Err(missed.join("\n")),
        }
    }
}

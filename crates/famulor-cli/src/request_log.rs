//! What an emulator is asked, a line a request.

use anstyle::{AnsiColor, Style};
use famulor_emulator::JournalEntry;

use crate::failure::Failure;
use crate::notes::{BOLD, DIM};
use crate::output::Output;
use crate::visible::visible_line;

/// One request that is over.
pub(crate) fn print(output: Output, entry: &JournalEntry) -> Result<(), Failure> {
    if output.format.is_json() {
        return output.row(entry);
    }
    output.text(|out| {
        let status = entry
            .status
            .map_or_else(|| "---".to_owned(), |status| status.to_string());
        let style = style(entry.status);
        write!(
            out,
            "{style}{status}{style:#} {:<4} {}",
            visible_line(&entry.method),
            visible_line(&entry.path)
        )?;
        if let Some(customer) = &entry.customer
            && !entry.path.contains(customer.as_str())
        {
            write!(out, " {}", visible_line(customer))?;
        }
        if let Some(billed) = entry.billed {
            write!(out, "{DIM}, billed {billed}{DIM:#}")?;
        }
        if let Some(fault) = &entry.fault {
            write!(out, "{DIM}, {}{DIM:#}", visible_line(fault))?;
        }
        writeln!(out)
    })
}

fn style(status: Option<u16>) -> Style {
    match status {
        Some(200..=299) => AnsiColor::Green.on_default(),
        Some(429) => AnsiColor::Yellow.on_default(),
        Some(_) => AnsiColor::Red.on_default(),
        None => BOLD,
    }
}

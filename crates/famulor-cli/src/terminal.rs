//! The terminal's own settings, and their return.

use std::io::{self, BufRead, Write};

/// Puts the terminal back as it was, however a command ends: a signal that
/// comes while a line is edited or a key is typed must not leave a shell blind.
pub(crate) struct Restore {
    #[cfg(unix)]
    before: Option<rustix::termios::Termios>,
}

impl Restore {
    pub(crate) fn later() -> Self {
        Self {
            #[cfg(unix)]
            before: rustix::termios::tcgetattr(io::stdin()).ok(),
        }
    }
}

impl Drop for Restore {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(before) = &self.before
            && is_in_front()
        {
            use rustix::termios::{OptionalActions, tcsetattr};
            // The terminal may have gone away meanwhile.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// Shows nothing of what is typed until the guard is dropped; the line break that ends a line is shown all the same.
#[cfg(unix)]
pub(crate) fn hide_keys() -> io::Result<Restore> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

    let restore = Restore::later();
    let mut hidden = tcgetattr(io::stdin())?;
    hidden.local_modes.remove(LocalModes::ECHO);
    hidden.local_modes.insert(LocalModes::ECHONL);
    tcsetattr(io::stdin(), OptionalActions::Now, &hidden)?;
    Ok(restore)
}

/// The same for a program that may run in the background, where whoever touches the terminal is stopped.
pub(crate) fn hide_keys_in_front() -> Option<Restore> {
    if is_in_front() {
        hide_keys().ok()
    } else {
        None
    }
}

#[cfg(unix)]
fn is_in_front() -> bool {
    rustix::termios::tcgetpgrp(io::stdin()).is_ok_and(|group| group == rustix::process::getpgrp())
}

#[cfg(not(unix))]
fn is_in_front() -> bool {
    true
}

#[cfg(not(unix))]
pub(crate) fn hide_keys() -> io::Result<Restore> {
    Ok(Restore::later())
}

/// The same, and keeps them as they are for whoever reads next: a Ctrl-D too, which would otherwise end a line that
/// nobody reads, and be lost. Signals stay signals.
#[cfg(unix)]
pub(crate) fn hold_keys() -> io::Result<Restore> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

    let restore = Restore::later();
    let mut held = tcgetattr(io::stdin())?;
    let lines = LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON;
    held.local_modes.remove(lines);
    tcsetattr(io::stdin(), OptionalActions::Now, &held)?;
    Ok(restore)
}

#[cfg(not(unix))]
pub(crate) fn hold_keys() -> io::Result<Restore> {
    Ok(Restore::later())
}

/// Asks for a line that is not shown while it is typed. Blocks.
#[cfg(unix)]
pub(crate) fn ask_hidden(question: &str) -> io::Result<String> {
    let restore = hide_keys()?;
    let line = ask(question);
    drop(restore);
    line
}

#[cfg(not(unix))]
pub(crate) fn ask_hidden(_: &str) -> io::Result<String> {
    Err(io::Error::other(
        "what is typed cannot be hidden on this system; pipe the key in",
    ))
}

#[cfg(unix)]
fn ask(question: &str) -> io::Result<String> {
    let mut stderr = anstream::stderr();
    write!(stderr, "{question}")?;
    stderr.flush()?;
    first_line()
}

/// The first line of standard input, without its end. Blocks.
pub(crate) fn first_line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let text = line.trim_end_matches(['\n', '\r']).len();
    line.truncate(text);
    Ok(line)
}

/// How wide the terminal is that standard error is shown on; `None` if that is none.
#[cfg(unix)]
pub(crate) fn width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stderr()).ok()?;
    (size.ws_col > 0).then_some(size.ws_col.into())
}

#[cfg(not(unix))]
pub(crate) fn width() -> Option<usize> {
    None
}

//! The program on a terminal of its own, and what stands on its screen.

use std::io::{Read, Write};
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use pty_process::Size;
use pty_process::blocking::{Command, Pty};

use crate::fixture::{Fixture, KEY, Running, wait_until};

/// A terminal with a program on it.
pub(crate) struct Terminal {
    /// Kept open for as long as the program runs, and written to.
    keys: Arc<Mutex<Pty>>,
    seen: Arc<Mutex<Seen>>,
    /// Reads until the program has ended and all that it wrote has been read.
    reader: Option<JoinHandle<()>>,
    running: Running,
}

struct Seen {
    screen: vt100::Parser<Watch>,
    bytes: Vec<u8>,
}

/// What a screen does not show: the title, the clipboard.
#[derive(Default)]
pub(crate) struct Watch(Vec<String>);

impl vt100::Callbacks for Watch {
    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.0
            .push(format!("title {}", String::from_utf8_lossy(title)));
    }

    fn set_window_icon_name(&mut self, _: &mut vt100::Screen, name: &[u8]) {
        self.0
            .push(format!("icon {}", String::from_utf8_lossy(name)));
    }

    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8], data: &[u8]) {
        self.0
            .push(format!("clipboard {}", String::from_utf8_lossy(data)));
    }

    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.0.push("bell".to_owned());
    }
}

impl Terminal {
    pub(crate) fn start(world: &Fixture, (rows, columns): (u16, u16), arguments: &[&str]) -> Self {
        Self::with(world, (rows, columns), arguments, &[])
    }

    /// Variables of the environment, beside those that every run has; an empty one is not set.
    pub(crate) fn with(
        world: &Fixture,
        (rows, columns): (u16, u16),
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let (pty, pts) = pty_process::blocking::open().expect("a terminal");
        pty.resize(Size::new(rows, columns)).expect("its size");
        let base_url = world.emulator.base_url();
        let (witness, answers) = world.witness.variable();
        let mut command = Command::new(env!("CARGO_BIN_EXE_famulor"))
            .args(arguments)
            .env_clear()
            .env("TERM", "xterm-256color")
            .env("HOME", world.path(""))
            .env("XDG_CONFIG_HOME", world.path("config"))
            .env("XDG_STATE_HOME", world.path("state"))
            .env(witness, answers)
            .env("FAMULOR_BASE_URL", base_url)
            .env("FAMULOR_API_KEY", KEY)
            .current_dir(world.path(""));
        for (name, value) in environment {
            command = match *value {
                "" => command.env_remove(name),
                value => command.env(name, value),
            };
        }
        let child: Child = command.spawn(pts).expect("famulor starts");
        let screen = vt100::Parser::new_with_callbacks(
            rows.try_into().expect("rows"),
            columns.try_into().expect("columns"),
            200,
            Watch::default(),
        );
        let bytes = Vec::new();
        let seen = Arc::new(Mutex::new(Seen { screen, bytes }));
        let mut reader = std::fs::File::from(
            std::os::fd::AsFd::as_fd(&pty)
                .try_clone_to_owned()
                .expect("a second handle"),
        );
        let shown = Arc::clone(&seen);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // The end of the program is an error on Linux.
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                let mut seen = shown.lock().expect("unpoisoned");
                seen.screen.process(&buffer[..count]);
                seen.bytes.extend(&buffer[..count]);
            }
        });
        Self {
            keys: Arc::new(Mutex::new(pty)),
            seen,
            reader: Some(reader),
            running: Running::of(child),
        }
    }

    /// Types, as a person does: `\r` is the Enter key.
    pub(crate) fn types(&self, keys: &str) {
        let mut pty = self.keys.lock().expect("unpoisoned");
        pty.write_all(keys.as_bytes()).expect("it takes keys");
    }

    /// The screen and what has left it at the top, without blanks at the ends of lines.
    pub(crate) fn screen(&self) -> String {
        let mut seen = self.seen.lock().expect("unpoisoned");
        let screen = seen.screen.screen_mut();
        let contents = screen.contents();
        let lines: Vec<&str> = contents.lines().map(str::trim_end).collect();
        lines.join("\n").trim_end().to_owned()
    }

    /// The rows of the screen down to the last that is not empty. Unlike in `screen`, a full one ends there.
    pub(crate) fn rows(&self) -> Vec<String> {
        let seen = self.seen.lock().expect("unpoisoned");
        let screen = seen.screen.screen();
        let (_, columns) = screen.size();
        let rows = screen.rows(0, columns.get());
        let mut rows: Vec<String> = rows.map(|row| row.trim_end().to_owned()).collect();
        let used = rows.iter().rposition(|row| !row.is_empty());
        rows.truncate(used.map_or(0, |last| last + 1));
        rows
    }

    /// Waits for the end; the rows that are there then.
    #[track_caller]
    pub(crate) fn last_rows(mut self) -> Vec<String> {
        self.wait();
        self.rows()
    }

    /// Everything that was written to the terminal, byte by byte.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.seen.lock().expect("unpoisoned").bytes.clone()
    }

    /// What was done to the terminal that no screen shows.
    pub(crate) fn deeds(&self) -> Vec<String> {
        let seen = self.seen.lock().expect("unpoisoned");
        seen.screen.callbacks().0.clone()
    }

    #[track_caller]
    pub(crate) fn shows(&self, words: &str) {
        let start = std::time::Instant::now();
        while !self.screen().contains(words) {
            assert!(
                start.elapsed() < std::time::Duration::from_secs(10),
                "no \"{words}\" on:\n{}",
                self.screen()
            );
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    pub(crate) fn signal(&mut self, name: &str) {
        self.running.signal(name);
    }

    /// Whether the terminal shows what is typed: not while a line is edited, nor while a key is typed.
    pub(crate) fn echoes(&self) -> bool {
        let pty = self.keys.lock().expect("unpoisoned");
        let modes = rustix::termios::tcgetattr(&*pty)
            .expect("its modes")
            .local_modes;
        modes.contains(rustix::termios::LocalModes::ECHO)
    }

    /// Waits for the end; says the exit code and the last screen.
    #[track_caller]
    pub(crate) fn ends(mut self) -> (i32, String) {
        let status = self.wait();
        let code = status.code().expect("by itself");
        (code, self.screen())
    }

    #[track_caller]
    fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        wait_until("famulor ends", || {
            status = self.running.child().try_wait().expect("it can be asked");
            status.is_some()
        });
        if let Some(reader) = self.reader.take() {
            reader.join().expect("it only reads");
        }
        status.expect("it has ended")
    }
}

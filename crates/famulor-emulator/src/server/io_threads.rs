//! Threads of an emulator's own, each of which serves its connections by itself.

use std::io;
use std::num::NonZeroUsize;
use std::thread;

use tokio::runtime::{Builder, Handle};

use super::Lifeline;

/// One runtime a thread: a request never waits for another thread to wake up,
/// as it may where threads share the connections between them.
pub(crate) struct IoThreads {
    runtimes: Vec<Handle>,
    turn: usize,
}

impl IoThreads {
    /// They end with the emulator.
    ///
    /// # Errors
    ///
    /// The system has no thread, or no file, left for one; those that have
    /// started end with `life`.
    pub(crate) fn start(count: NonZeroUsize, life: &Lifeline) -> io::Result<Self> {
        let mut runtimes = Vec::with_capacity(count.get());
        for number in 1..=count.get() {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            runtimes.push(runtime.handle().clone());
            let life = life.clone();
            thread::Builder::new()
                .name(format!("emulator-{number}"))
                .spawn(move || {
                    runtime.block_on(async {
                        life.stop.cancelled().await;
                        life.ended().await;
                    });
                })?;
        }
        Ok(Self { runtimes, turn: 0 })
    }

    /// Each in its turn.
    pub(super) fn next(&mut self) -> &Handle {
        self.turn = (self.turn + 1) % self.runtimes.len();
        &self.runtimes[self.turn]
    }
}

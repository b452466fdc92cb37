//! Serving what is in a store.

mod builder;
mod conduct;
mod dispatch;
mod keep;
mod owner_file;
mod pace;
mod place;
mod read_back;
mod send;
mod shared;

pub use builder::{EndReason, WorkerBuilder, WorkerEnd};

/// Where a crash test stops a worker; nowhere else has it any use.
#[derive(Clone, Copy, Default)]
pub(crate) struct Checkpoint(Option<fn(&'static str)>);

impl Checkpoint {
    pub(crate) fn new(reached: fn(&'static str)) -> Self {
        Self(Some(reached))
    }

    pub(crate) fn reached(self, point: &'static str) {
        if let Some(reached) = self.0 {
            reached(point);
        }
    }

    pub(crate) fn is_set(self) -> bool {
        self.0.is_some()
    }
}

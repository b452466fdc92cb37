//! The SDK over real sockets: against servers that do exactly what a test says, and against the emulator.

mod again;
mod calls;
mod documented;
mod environment;
mod hostile;
mod input;
mod lists;
mod mocked;
mod order;
mod proof;
mod quota;
mod read_back;
mod settled;
mod steps;
mod throttled;
mod time;
mod transport;
mod unsent;

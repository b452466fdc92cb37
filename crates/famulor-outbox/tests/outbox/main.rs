//! The outbox on real files and servers, against the emulator, which counts what it bills.

mod fixture;
mod happy;

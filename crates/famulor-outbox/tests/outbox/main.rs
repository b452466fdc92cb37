//! The outbox on real files and servers, against the emulator, which counts what it bills.

mod bad_store;
mod doubt;
mod fixture;
mod happy;
mod import;
mod killed;
mod one_transaction;
mod people;
mod stopping;
mod turns;

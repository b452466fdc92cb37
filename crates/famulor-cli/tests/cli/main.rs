//! The built `famulor`, against an emulator in the test's own process.

mod api;
mod bad_input;
mod chat;
mod configuration;
mod conversation;
mod demo;
mod exit_codes;
mod fixture;
mod help;
mod interruption;
mod quota;
mod readme;
mod reply;
mod safety;
mod schema;
mod script;
mod serve;
mod served;
mod standard_input;
#[cfg(unix)]
mod workflow;

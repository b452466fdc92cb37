//! The built `famulor`, against an emulator in the test's own process.

mod api;
mod auth;
mod bad_input;
mod chat;
#[cfg(unix)]
mod chat_by_hand;
mod collector;
mod config;
mod configuration;
mod contract;
mod conversation;
mod demo;
mod doctor;
#[cfg(unix)]
mod documentation;
#[cfg(unix)]
mod documents;
mod environment;
mod exit_codes;
mod fixture;
mod flags;
mod golden;
mod help;
mod interruption;
mod keyring;
mod man;
mod profile;
mod quota;
mod reply;
mod safety;
mod schema;
mod script;
mod serve;
mod served;
#[cfg(unix)]
mod sessions;
mod standard_input;
mod tables;
mod telemetry;
#[cfg(unix)]
mod terminal;
mod tls;
#[cfg(unix)]
mod waiting;
#[cfg(unix)]
mod workflow;
mod wrong_use;

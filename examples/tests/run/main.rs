//! Each example runs with the command that its first lines give.

mod browser;
mod channel_bridge;
mod crm_sync;
mod first_lines;
mod program;
mod shared_quota;
mod simple;
mod telemetry;
mod web_chat;

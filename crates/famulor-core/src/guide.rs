//! The guide: what a program that answers customers has to know, a chapter a module. There is no code in here.
//!
//! | chapter | for when you ask |
//! |---|---|
//! | [`quick_start`] | how do I get a reply? |
//! | [`errors`] | it failed: was it sent, was it billed, what next? |
//! | [`quota`] | what happens when I send more than five a minute? |
//! | [`unknown_outcomes`] | the answer never came: did the customer get one, and am I charged? |
//! | [`testing`] | how do I test my code without a key and without cost? |
//! | [`observability`] | how do I see what it does? |
//! | [`cost`] | what is billed, and how do I keep it bounded? |
//!
//! Every example runs as a test of this crate, over a socket, against the emulator. The lines that start it are hidden;
//! [`testing`] shows them.

#[doc = include_str!("guide/quick_start.md")]
pub mod quick_start {}

#[doc = include_str!("guide/errors.md")]
pub mod errors {}

#[doc = include_str!("guide/quota.md")]
pub mod quota {}

#[doc = include_str!("guide/unknown_outcomes.md")]
pub mod unknown_outcomes {}

#[doc = include_str!("guide/testing.md")]
pub mod testing {}

#[doc = include_str!("guide/observability.md")]
pub mod observability {}

#[doc = include_str!("guide/cost.md")]
pub mod cost {}

//! The Rust SDK for Famulor's conversation and AI-reply API.

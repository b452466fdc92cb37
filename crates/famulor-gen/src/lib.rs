//! Generated types and thin HTTP client for Famulor's conversation and AI-reply API.

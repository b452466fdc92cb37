//! The developer's one entry point: `cargo xtask` lists what it can do.

fn main() {}

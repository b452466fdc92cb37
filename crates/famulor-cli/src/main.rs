//! The `famulor` command line.

fn main() {}

//! The README's Rust example compiles, and does what the README says.

use famulor_test_judge::emulator;
use std::process::Command;

const README: &str = include_str!("../../README.md");
const EXAMPLE: &str = include_str!("../src/bin/readme.rs");

#[test]
fn the_readme_shows_the_example_that_is_compiled() {
    let (_, rest) = README.split_once("```rust\n").expect("the README has Rust");
    let (shown, _) = rest.split_once("```").expect("it ends");
    let (_, compiled) = EXAMPLE.split_once("// begin\n").expect("it is marked");
    assert_eq!(shown, compiled);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_example_prints_a_reply() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = emulator().start().await?;
    let output = Command::new(env!("CARGO_BIN_EXE_readme"))
        .env("FAMULOR_BASE_URL", emulator.base_url())
        .env("FAMULOR_API_KEY", "test")
        .env("NO_PROXY", "127.0.0.1")
        .output()?;
    let said = String::from_utf8(output.stdout)?;
    assert!(output.status.success(), "{said}");
    assert!(said.contains("availability"), "{said}");
    let replies = emulator.conversation_of(123, "+49155551234");
    assert_eq!(
        replies.map(|conversation| conversation.history.len()),
        Some(2)
    );
    Ok(())
}

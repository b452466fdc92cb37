//! An emulator for the judges of `cargo xtask judge` and `cargo xtask bench`, which need a program of its own.
//!
//! `serve READY_FILE [SCRIPT]`: listens on a free port, writes its base URL to the file, and serves until it is killed.

use std::error::Error;

use famulor_emulator::{Emulator, Script};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let ready = arguments.next().ok_or("serve READY_FILE [SCRIPT]")?;
    let mut builder = Emulator::builder();
    if let Some(script) = arguments.next() {
        builder = builder.script(Script::from_file(script)?);
    }
    let emulator = builder.start().await?;
    // Whole or not there: a reader that polls never sees half a URL.
    let unfinished = format!("{ready}.part");
    std::fs::write(&unfinished, emulator.base_url())?;
    std::fs::rename(&unfinished, &ready)?;
    std::future::pending::<()>().await;
    Ok(())
}

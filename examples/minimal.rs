//! One reply to one message.
//!
//!     cargo run -p famulor-examples --example minimal -- --emulator
//!
//! Without `--emulator` it goes to your account (FAMULOR_API_KEY, FAMULOR_ASSISTANT_ID), and one message is billed.

use std::process::ExitCode;

use famulor_core::CustomerId;
use famulor_examples::{Failure, Stage, report};

#[tokio::main]
async fn main() -> ExitCode {
    report(run().await)
}

async fn run() -> Result<(), Failure> {
    let stage = Stage::from_args().await?;
    let client = stage.client()?; // in your program: Client::from_env()?

    // One customer is one conversation: always write an identifier the same way. `phone` and `email` see to that.
    let customer = CustomerId::phone("+49 155 551234")?;
    let reply = client
        .reply(stage.assistant(), customer, "I'd like an appointment")
        .set_variable("customer_name", "John")
        .send()
        .await?;

    println!("{}", reply.text().unwrap_or("a person has taken over"));
    for call in reply.function_calls() {
        println!("the assistant called {}", call.name);
    }
    Ok(())
}

//! An answer that never arrives, and the message that is not sent twice.
//!
//!     cargo run -p famulor-examples --example read_back -- --emulator
//!
//! Messages are billed and there is no idempotency key: sending again after a lost answer may bill twice. So the
//! conversation is read, which costs nothing. Without `--emulator` it goes to your account (FAMULOR_API_KEY,
//! FAMULOR_ASSISTANT_ID), 2 messages are billed, and most likely nothing is lost.

use std::process::ExitCode;

use famulor_core::{CustomerId, Delivery, OnUnknown, Verification};
use famulor_emulator::{After, Fault, Operation};
use famulor_examples::{Failure, Stage, report};

#[tokio::main]
async fn main() -> ExitCode {
    report(run().await)
}

async fn run() -> Result<(), Failure> {
    let stage = Stage::from_args().await?;
    let client = stage.client()?;
    let customer = CustomerId::email("anna@example.com")?;
    let lose_the_next_answer = || {
        if let Some(emulator) = stage.emulator() {
            emulator.inject(Fault::after(After::Close).on(Operation::GenerateReply));
        }
    };

    // The default: the SDK reads the conversation itself, and the caller notices nothing.
    lose_the_next_answer();
    let reply = client
        .reply(
            stage.assistant(),
            customer.clone(),
            "Is my order on its way?",
        )
        .send()
        .await?;
    println!("answered, read back: {}", reply.was_read_back());

    // For those who would rather decide themselves: fail at once, keep the error, ask later.
    lose_the_next_answer();
    let outcome = client
        .reply(stage.assistant(), customer, "And when will it be here?")
        .with_on_unknown(OnUnknown::Fail)
        .send()
        .await;
    match outcome {
        Ok(reply) => println!("answered, read back: {}", reply.was_read_back()),
        Err(error) if matches!(error.delivery(), Delivery::Unknown | Delivery::Processed) => {
            println!("unknown at first: {error}");
            match client.verify(&error).await? {
                Verification::Answered(turn) => {
                    println!("it had arrived: {}", turn.text().unwrap_or("(no text)"));
                }
                Verification::Arrived => println!("it arrived, its answer is not there yet"),
                Verification::NotThere => println!("it never arrived: it can be sent again"),
                Verification::Open => println!("not settled yet: ask again later"),
                _ => println!("a person has to read the conversation and decide"),
            }
        }
        Err(error) => return Err(error.into()),
    }

    if let Some(emulator) = stage.emulator() {
        let stats = emulator.stats();
        println!("sent 2 messages, billed {}", stats.billed_messages);
    }
    Ok(())
}

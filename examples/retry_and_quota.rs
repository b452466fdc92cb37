//! More messages than a minute has slots, on a server that cannot be reached at first and refuses once.
//!
//!     cargo run -p famulor-examples --example retry_and_quota -- --emulator
//!
//! There is no retry loop in here: a call waits for its slot, and goes again where that is safe. Without `--emulator`
//! it goes to your account (FAMULOR_API_KEY, FAMULOR_ASSISTANT_ID), takes over a minute, and 7 messages are billed.

use std::process::ExitCode;
use std::time::Duration;

use famulor_core::{CustomerId, Delivery, ErrorKind};
use famulor_emulator::{AsAnswer, Fault, Operation};
use famulor_examples::{Failure, Stage, report};
use futures_util::future::join_all;

#[tokio::main]
async fn main() -> ExitCode {
    report(run().await)
}

async fn run() -> Result<(), Failure> {
    let stage = Stage::from_args().await?;
    if let Some(emulator) = stage.emulator() {
        // Somebody else has used a slot of this token, so the server refuses one call of ours.
        let full = AsAnswer::TooManyRequests {
            headers: true,
            retry_after: 1,
        };
        emulator.inject(Fault::answer(full).on(Operation::GenerateReply).nth(2));
        // And for a moment nobody can connect.
        emulator
            .refuse_connections(Duration::from_millis(300))
            .await;
    }
    let client = stage
        .builder()?
        .with_deadline(Duration::from_secs(180)) // queueing, attempts and waits together
        .with_max_retries(10) // only after failures of which it is known that nothing was processed
        .with_wait_observer(|notice| {
            eprintln!(
                "waiting {:.1} s, {} ahead",
                notice.wait.as_secs_f64(),
                notice.ahead
            );
        })
        .build()?;

    let calls = (1..=7).map(|number| {
        let (client, assistant) = (client.clone(), stage.assistant());
        async move {
            let customer = CustomerId::raw(format!("example-{number}"))?;
            client
                .reply(assistant, customer, "Where is my order?")
                .send()
                .await
        }
    });
    for (number, outcome) in (1..).zip(join_all(calls).await) {
        match outcome {
            Ok(reply) => println!("{number}: answered after {} attempt(s)", reply.attempts()),
            // Every kind says what to do; these are the ones that a program can do something about.
            Err(error) if error.kind() == ErrorKind::RateLimited => {
                println!(
                    "{number}: no slot in time, try again in {:?}",
                    error.retry_after()
                );
            }
            Err(error) if error.kind() == ErrorKind::Balance => return Err(error.into()),
            Err(error) if error.delivery() == Delivery::Unknown => {
                println!("{number}: do not repeat it, ask client.verify(): {error}");
            }
            Err(error) => println!("{number}: {error}"),
        }
    }

    let usage = client.usage();
    println!(
        "{} replies from {} calls, {} refused by a limit, {:.1} s spent waiting",
        usage.replies,
        usage.calls,
        usage.rate_limited,
        usage.waited.as_secs_f64()
    );
    for limit in client.quota().await?.limits() {
        println!("{limit}");
    }
    Ok(())
}

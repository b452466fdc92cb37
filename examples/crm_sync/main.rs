//! Contacts of a CRM: each one's question is answered, and the answer and the conversation's id are written back.
//!
//!     cargo run -p famulor-examples --example crm_sync -- --emulator
//!
//! Reads `contacts.csv` beside this file, or the file of `--contacts`, and writes `--out` (default: `answered.csv`). Run
//! it again, after whatever ended it: what is answered stays answered, and no message is sent twice. Without
//! `--emulator` it goes to your account (FAMULOR_API_KEY, FAMULOR_ASSISTANT_ID); every question is billed.

mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use famulor_core::{AssistantId, Client, CustomerId, Delivery, Lane, Reply};
use famulor_examples::{Failure, Whereto, report};
use futures_util::{StreamExt, stream::FuturesUnordered};
use table::{Contact, State, Table};

/// Enough to use every slot of a minute. More would wait longer than their deadline.
const AT_ONCE: usize = 5;

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    whereto: Whereto,
    /// The contacts: `id`, `question` and any other columns, which become variables.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/crm_sync/contacts.csv"))]
    contacts: PathBuf,
    /// Where contacts and answers are written.
    #[arg(long, default_value = "answered.csv")]
    out: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    report(run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let stage = arguments.whereto.stage().await?;
    let client = stage
        .builder()?
        .with_lane(Lane::Bulk) // people who chat through clones of this client go first
        .with_deadline(Duration::from_secs(300))
        .build()?;
    // An earlier run's table, if it left one: its states say what must not be sent again.
    let from: &Path = if arguments.out.exists() {
        &arguments.out
    } else {
        &arguments.contacts
    };
    let mut table = Table::read(from)?;
    table.write(&arguments.out)?;

    let mut open = table.open().into_iter();
    let mut asked = FuturesUnordered::new();
    loop {
        while asked.len() < AT_ONCE
            && let Some(contact) = open.next()
        {
            // Before it is sent: whoever finds a row in this state knows that its message may have arrived.
            table.set_state(contact.row, State::Sending);
            table.write(&arguments.out)?;
            asked.push(ask(&client, stage.assistant(), contact));
        }
        let Some((row, outcome)) = asked.next().await else {
            break;
        };
        match outcome {
            Ok(reply) => table.answered(row, &reply),
            Err(error) => {
                eprintln!("contact {}: {error}", table.id(row));
                table.set_state(
                    row,
                    match error.delivery() {
                        // Nothing was processed: the next run may try again.
                        Delivery::NotSent | Delivery::Refused => State::Failed,
                        _ => State::Unknown,
                    },
                );
            }
        }
        table.write(&arguments.out)?;
    }

    let (answered, failed, unknown) = table.count();
    println!(
        "{answered} answered, {failed} failed, {unknown} unknown: see {}",
        arguments.out.display()
    );
    if unknown > 0 {
        println!(
            "unknown: look at these conversations before you empty their state; crate famulor-outbox does that for you"
        );
    }
    println!(
        "{} messages billed by this run",
        client.usage().billed_messages
    );
    Ok(())
}

/// The contact's id is the customer: its next question goes to the same conversation, whichever run sends it.
async fn ask(
    client: &Client,
    assistant: AssistantId,
    contact: Contact,
) -> (usize, famulor_core::Result<Reply>) {
    let row = contact.row;
    let answer = async {
        let customer = CustomerId::raw(format!("crm-{}", contact.id))?;
        client
            .reply(assistant, customer, contact.question)
            .set_variables(contact.variables)
            .send()
            .await
    };
    (row, answer.await)
}

//! Contacts of a CRM: each one's question is answered, and the answer and the conversation's id are written back.
//!
//!     cargo run -p famulor-examples --example crm_sync -- --emulator
//!
//! Reads `contacts.csv` beside this file, or the file of `--contacts`, and writes `--out` (default: `answered.csv`). A
//! SQLite database (`--contacts crm.sqlite --table contacts`) has the answers written into its own rows. To try that one:
//!
//!     sqlite3 crm.sqlite '.import --csv examples/crm_sync/contacts.csv contacts'
//!     cargo run -p famulor-examples --example crm_sync -- --emulator --contacts crm.sqlite
//!
//! Run it again, after whatever ended it: what is answered stays answered, and no message is sent twice. Without
//! `--emulator` it goes to your account (FAMULOR_API_KEY, FAMULOR_ASSISTANT_ID); every question is billed.

mod contacts;
mod csv_file;
mod database;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use contacts::{Contact, Contacts, State};
use famulor_core::{AssistantId, Client, CustomerId, Delivery, Lane, Reply};
use famulor_examples::{Failure, Whereto, report};
use futures_util::{StreamExt, stream::FuturesUnordered};

/// Enough to use every slot of a minute. More would wait longer than their deadline.
const AT_ONCE: usize = 5;

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    whereto: Whereto,
    /// The contacts: `id`, `question` and any other columns, which become variables. A CSV file, or a SQLite database
    /// (`.db`, `.sqlite`, `.sqlite3`).
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/crm_sync/contacts.csv"))]
    contacts: PathBuf,
    /// The table of a database.
    #[arg(long, default_value = "contacts")]
    table: String,
    /// Where contacts of a CSV file and their answers are written. Default: `answered.csv`.
    #[arg(long)]
    out: Option<PathBuf>,
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
    let from = &arguments.contacts;
    let mut contacts = Contacts::open(from, &arguments.table, arguments.out.as_deref()).await?;

    let mut unasked = contacts.unasked().await?.into_iter();
    let mut asked = FuturesUnordered::new();
    loop {
        while asked.len() < AT_ONCE
            && let Some(contact) = unasked.next()
        {
            // Before it is sent: whoever finds a row in this state knows that its message may have arrived.
            contacts.set_state(contact.row, State::Sending).await?;
            asked.push(ask(&client, stage.assistant(), contact));
        }
        let Some((row, id, outcome)) = asked.next().await else {
            break;
        };
        match outcome {
            Ok(reply) => contacts.answered(row, &reply).await?,
            Err(error) => {
                eprintln!("contact {id}: {error}");
                let state = match error.delivery() {
                    // Nothing was processed: the next run may try again.
                    Delivery::NotSent | Delivery::Refused => State::Failed,
                    _ => State::Unknown,
                };
                contacts.set_state(row, state).await?;
            }
        }
    }

    let counts = contacts.count().await?;
    println!(
        "{} answered, {} failed, {} unknown: see {}",
        counts.answered,
        counts.failed,
        counts.unknown,
        contacts.place().display()
    );
    if counts.unknown > 0 {
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
) -> (i64, String, famulor_core::Result<Reply>) {
    let (row, id) = (contact.row, contact.id);
    let answer = async {
        let customer = CustomerId::raw(format!("crm-{id}"))?;
        client
            .reply(assistant, customer, contact.question)
            .set_variables(contact.variables)
            .send()
            .await
    };
    let outcome = answer.await;
    (row, id, outcome)
}

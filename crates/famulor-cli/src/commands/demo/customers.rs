//! The second scene: several customers write at once, and the limit fills.

use std::time::Instant;

use famulor_core::{AssistantId, Client, CustomerId, Reply, WaitNotice};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;

use super::checks::{Answered, holds};
use super::stage::Stage;
use super::{ASSISTANT, REPLIES, TIME_SCALE, WINDOW};
use crate::failure::Failure;

struct Customer {
    id: &'static str,
    name: &'static str,
    messages: [&'static str; 2],
}

/// The customer whose second message asks what was said in the first.
pub(super) const REMEMBERED: &str = "+49155551234";
const FIRST_WORDS: &str = "Where is my order?";

const CUSTOMERS: [Customer; 4] = [
    Customer {
        id: "anna@example.com",
        name: "Anna",
        messages: [
            "Do you have an appointment for me?",
            "Friday at 10 AM, please",
        ],
    },
    Customer {
        id: REMEMBERED,
        name: "Ben",
        messages: [FIRST_WORDS, "Do you remember what I wrote?"],
    },
    Customer {
        id: "crm-4711",
        name: "Chiara",
        messages: ["What does the large plan cost?", "Thank you!"],
    },
    Customer {
        id: "deniz@example.com",
        name: "Deniz",
        messages: ["Good morning!", "I'd rather talk to a person"],
    },
];

/// What happens while they write, with the time since the scene began.
pub(super) enum Event {
    Answered {
        at: Instant,
        customer: &'static str,
        message: &'static str,
        reply: Box<Reply>,
    },
    Waits {
        at: Instant,
        notice: WaitNotice,
    },
}

pub(super) async fn answer_all(
    client: &Client,
    (happens, mut events): (UnboundedSender<Event>, UnboundedReceiver<Event>),
    stage: &mut Stage,
) -> Result<Vec<Answered>, Failure> {
    let expected = CUSTOMERS
        .iter()
        .map(|customer| customer.messages.len())
        .sum::<usize>();
    stage
        .scene(
            "2. Replies, at the limit",
            &format!(
                "{} customers write {expected} messages at once. An account may send {REPLIES} a \
                 minute, which is {REPLIES} in {} s here. The left column is the emulator's clock.",
                CUSTOMERS.len(),
                WINDOW.as_secs() / u64::from(TIME_SCALE),
            ),
        )
        .await?;
    let start = Instant::now();
    let clock = |at: Instant| at.duration_since(start) * TIME_SCALE;
    let mut writers = JoinSet::new();
    for customer in &CUSTOMERS {
        writers.spawn(write(client.clone(), customer, happens.clone()));
    }
    let mut replies: Vec<Answered> = Vec::with_capacity(expected);
    let mut waits = 0_usize;
    while replies.len() < expected {
        tokio::select! {
            biased;
            Some(writer) = writers.join_next() => writer.map_err(|error| {
                Failure::unexpected(format!("a writer of the demo broke: {error}"))
            })??,
            Some(event) = events.recv() => match event {
                Event::Answered { at, customer, message, reply } => {
                    stage.reply(clock(at), replies.len() + 1, customer, message, &reply).await?;
                    replies.push(Answered {
                        customer,
                        message,
                        text: reply.text().unwrap_or_default().to_owned(),
                        conversation: reply.conversation_id().clone(),
                    });
                }
                Event::Waits { at, notice } => {
                    waits += 1;
                    if waits == 1 {
                        stage.waits(clock(at), REPLIES, notice.wait * TIME_SCALE).await?;
                    }
                }
            },
        }
    }
    holds(waits > 0, "the limit fills and the client waits")?;
    let remembers = |reply: &Answered| {
        reply.customer == REMEMBERED
            && reply.message != FIRST_WORDS
            && reply.text.contains(FIRST_WORDS)
    };
    holds(
        replies.iter().any(remembers),
        "the assistant remembers what a customer wrote",
    )?;
    Ok(replies)
}

/// One customer's messages, the next one when the last one is answered.
async fn write(
    client: Client,
    customer: &'static Customer,
    happens: UnboundedSender<Event>,
) -> Result<(), Failure> {
    for message in customer.messages {
        let reply = client
            .reply(
                AssistantId::new(ASSISTANT),
                CustomerId::raw(customer.id)?,
                message,
            )
            .set_variable("customer_name", customer.name)
            .send()
            .await?;
        let event = Event::Answered {
            at: Instant::now(),
            customer: customer.id,
            message,
            reply: Box::new(reply),
        };
        // The receiver is gone only when the demo has failed already.
        let _ = happens.send(event);
    }
    Ok(())
}

//! The README's Rust example, word for word: `tests/readme.rs` compares and runs it.

// begin
use famulor_core::{AssistantId, Client, CustomerId};

#[tokio::main]
async fn main() -> famulor_core::Result<()> {
    let client = Client::from_env()?; // FAMULOR_API_KEY
    let customer = CustomerId::phone("+49 155 551234")?;
    let reply = client
        .reply(AssistantId::new(123), customer, "I'd like an appointment")
        .set_variable("customer_name", "John")
        .send()
        .await?;
    println!("{}", reply.text().unwrap_or("a person has taken over"));
    Ok(())
}

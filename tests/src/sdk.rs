//! Clients of the SDK as the tests want them: a known key, no proxy, no long waits.

use std::time::Duration;

use famulor_core::{AssistantId, AssistantUuid, Client, ClientBuilder, ConversationId, CustomerId};

/// The key of every client.
pub const KEY: &str = "17|cOrrectHorseBatteryStaple";

/// The assistant that the documentation's examples and the emulator have.
pub const ASSISTANT: AssistantId = AssistantId::new(123);

/// The conversation that the emulator has from the start.
pub const CONVERSATION: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

/// Where generate-reply lives.
pub const REPLY: &str = "POST /api/ai/generate-reply";

/// Where conversations are listed.
pub const LIST: &str = "GET /api/user/conversations";

/// The documented answer of generate-reply.
pub const REPLY_BODY: &str = r#"{"success":true,"conversation_id":"f3wqsa-asd23-grt4-ggg34-derf4",
"customer_identifier":"+49155551234","reply":"Hi John! What day works best for you?","function_calls":[],
"ai_disabled":false}"#;

/// A list without rows.
pub const EMPTY_LIST: &str =
    r#"{"data":[],"path":"","per_page":15,"next_cursor":null,"prev_cursor":null}"#;

/// A builder with the key, without a proxy and without limits: the tests of limits set their own.
pub fn builder(base_url: &str) -> ClientBuilder {
    Client::builder()
        .with_api_key(KEY)
        .with_base_url(base_url)
        .without_proxy()
        .without_limits()
        .with_attempt_timeout(Duration::from_secs(5))
        .with_deadline(Duration::from_secs(10))
}

/// The client of [`builder`].
///
/// # Panics
/// If it cannot be built.
#[must_use]
pub fn client(base_url: &str) -> Client {
    builder(base_url).build().expect("a client")
}

/// A customer.
///
/// # Panics
/// If it is none.
#[must_use]
pub fn customer(identifier: &str) -> CustomerId {
    CustomerId::raw(identifier).expect("a customer")
}

/// A conversation's id.
///
/// # Panics
/// If it is none.
#[must_use]
pub fn conversation(id: &str) -> ConversationId {
    ConversationId::new(id).expect("an id")
}

/// The UUID of [`ASSISTANT`].
///
/// # Panics
/// Never.
#[must_use]
pub fn assistant_uuid() -> AssistantUuid {
    AssistantUuid::parse("550e8400-e29b-41d4-a716-446655440000").expect("a UUID")
}

/// Milliseconds.
#[must_use]
pub const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

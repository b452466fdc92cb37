//! The client: one connection pool, one token, one quota.

mod builder;
mod durable;
mod environment;
mod limits;
mod quota_status;
mod shared;
mod wait_notice;

use std::sync::Arc;

pub use builder::ClientBuilder;
pub use quota_status::QuotaStatus;
pub(crate) use shared::Shared;
pub use wait_notice::WaitNotice;

use crate::delivery::{Verification, verify};
use crate::operations::{
    ApiRequest, Conversation, CreateConversation, GetAccount, ListAssistants, ListConversations,
    ReplyRequest, WebhookChange,
};
use crate::options::CallOptions;
use crate::{AssistantId, AssistantUuid, ConversationId, CustomerId, Error, Lane, Result, Usage};

/// Famulor's conversation and AI-reply API.
///
/// Cheap to clone, `Send + Sync`. Clones share the connections, the quota, the order of messages and the usage figures,
/// so build one for each token and clone it.
///
/// ```no_run
/// # async fn example() -> famulor_core::Result<()> {
/// use famulor_core::{AssistantId, Client, CustomerId};
///
/// let client = Client::from_env()?;
/// let reply = client
///     .reply(AssistantId::new(123), CustomerId::phone("+49 155 551234")?, "I'd like an appointment")
///     .set_variable("customer_name", "John")
///     .send()
///     .await?;
/// println!("{}", reply.text().unwrap_or("a person has taken over"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
    pub(crate) options: CallOptions,
}

impl Client {
    /// A builder with the documented defaults.
    ///
    /// ```
    /// # fn main() -> famulor_core::Result<()> {
    /// let client = famulor_core::Client::builder().with_api_key("1|abc").build()?;
    /// assert_eq!(client.base_url(), "https://app.famulor.de/api");
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A client as the environment describes it: `FAMULOR_API_KEY`, `FAMULOR_BASE_URL`, `FAMULOR_REPLY_PATH`,
    /// `FAMULOR_TIMEOUT`, `FAMULOR_DEADLINE`, `FAMULOR_DOUBT_WAIT`, `FAMULOR_MAX_WAIT`, `FAMULOR_MAX_RETRIES`,
    /// `FAMULOR_RATE_LIMIT`. None of them is required.
    ///
    /// ```no_run
    /// # fn main() -> famulor_core::Result<()> {
    /// let client = famulor_core::Client::from_env()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), naming the variable whose value cannot be used.
    pub fn from_env() -> Result<Self> {
        environment::builder(|name| std::env::var(name).ok())?.build()
    }

    /// Whether it has an API key. Without one only the three conversation calls work.
    #[must_use]
    pub fn has_key(&self) -> bool {
        self.shared.has_key()
    }

    /// The base URL, without a slash at its end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.shared.base_url.as_str()
    }

    /// What this client and its clones have done so far.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = famulor_emulator::Emulator::builder().start().await?;
    /// # let client = famulor_core::Client::builder().with_api_key("any").with_base_url(&emulator.base_url()).build()?;
    /// # use famulor_core::{AssistantId, CustomerId};
    /// client.reply(AssistantId::new(123), CustomerId::raw("crm-4711")?, "Hello").await?;
    /// let usage = client.usage();
    /// assert_eq!((usage.replies, usage.billed_messages), (1, 1));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.shared.counters.snapshot()
    }

    /// The same client, on the same connections and quota, whose calls wait in this lane.
    ///
    /// ```no_run
    /// # fn example(client: famulor_core::Client) {
    /// use famulor_core::Lane;
    ///
    /// let backlog = client.clone().with_lane(Lane::Bulk); // lets the other clones go first
    /// # }
    /// ```
    pub fn with_lane(mut self, lane: Lane) -> Self {
        self.options.lane = lane;
        self
    }

    /// When the next reply could go, and how the token's limits stand. Makes no call of the API.
    ///
    /// ```no_run
    /// # async fn example(client: famulor_core::Client) -> famulor_core::Result<()> {
    /// let quota = client.quota().await?;
    /// println!("the next reply could go in {:?}", quota.next_reply_in());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Network`](crate::ErrorKind::Network) if the quota's store cannot be asked.
    pub async fn quota(&self) -> Result<QuotaStatus> {
        QuotaStatus::ask(&self.shared).await
    }

    /// Asks the conversation what became of a message whose outcome is unknown. Sends no message.
    ///
    /// It looks until there is a verdict or the client's deadline comes. "Not there" is said only with proof: two
    /// looks that show nothing, the last one after the quiet time of
    /// [`with_doubt_wait`](ClientBuilder::with_doubt_wait), counted from when the message was given up.
    ///
    /// ```no_run
    /// # async fn example(client: famulor_core::Client, error: famulor_core::Error) -> famulor_core::Result<()> {
    /// use famulor_core::Verification;
    ///
    /// match client.verify(&error).await? {
    ///     Verification::Answered(turn) => println!("{}", turn.text().unwrap_or_default()),
    ///     Verification::NotThere => println!("it can be sent again"),
    ///     _ => println!("a person has to look"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if `error` is not of a message whose
    /// [`delivery`](Error::delivery) is `Unknown` or `Processed`.
    pub async fn verify(&self, error: &Error) -> Result<Verification> {
        verify(self, error).await
    }

    /// Generates an AI reply to a customer's message. Billed; at most 5 a minute per token (seed 002).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = famulor_emulator::Emulator::builder().start().await?;
    /// # let client = famulor_core::Client::builder().with_api_key("any").with_base_url(&emulator.base_url()).build()?;
    /// use famulor_core::{AssistantId, CustomerId};
    ///
    /// let customer = CustomerId::phone("+49 155 551234")?;
    /// let reply = client
    ///     .reply(AssistantId::new(123), customer, "I'd like an appointment")
    ///     .set_variable("customer_name", "John")
    ///     .await?;
    /// println!("{}", reply.text().unwrap_or("a person has taken over"));
    /// # assert!(reply.text().is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn reply(
        &self,
        assistant: AssistantId,
        customer: CustomerId,
        message: impl Into<String>,
    ) -> ReplyRequest {
        ReplyRequest::new(self.clone(), assistant, customer, message.into())
    }

    /// Creates a conversation with an assistant (seed 000). Works without a key.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = famulor_emulator::Emulator::builder().start().await?;
    /// # let client = famulor_core::Client::builder().with_api_key("any").with_base_url(&emulator.base_url()).build()?;
    /// use famulor_core::AssistantUuid;
    ///
    /// let assistant = AssistantUuid::parse("550e8400-e29b-41d4-a716-446655440000")?;
    /// let chat = client.create_conversation(assistant).set_variable("customer_name", "John").await?;
    /// println!("{} messages to begin with", chat.opening_history().len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_conversation(&self, assistant: AssistantUuid) -> CreateConversation {
        CreateConversation::new(self.clone(), assistant)
    }

    /// A handle on an existing conversation. Makes no call. Its calls work without a key.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = famulor_emulator::Emulator::builder().start().await?;
    /// # let client = famulor_core::Client::builder().with_api_key("any").with_base_url(&emulator.base_url()).build()?;
    /// use famulor_core::ConversationId;
    ///
    /// let chat = client.conversation(ConversationId::new("7c9e6679-7425-40de-944b-e07fc1f90ae7")?);
    /// println!("{} messages so far", chat.history().await?.messages().len());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn conversation(&self, id: ConversationId) -> Conversation {
        Conversation::existing(self.clone(), id)
    }

    /// Lists the account's conversations.
    pub fn list_conversations(&self) -> ListConversations {
        ListConversations::new(self.clone())
    }

    /// Lists the account's assistants: the place where their integer ids and UUIDs meet.
    pub fn list_assistants(&self) -> ListAssistants {
        ListAssistants::new(self.clone())
    }

    /// Asks whom the key belongs to. Costs nothing: the usual way to try a key.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = famulor_emulator::Emulator::builder().start().await?;
    /// # let client = famulor_core::Client::builder().with_api_key("any").with_base_url(&emulator.base_url()).build()?;
    /// match client.account().await {
    ///     Ok(account) => println!("the key is {}'s", account.email().unwrap_or("?")),
    ///     Err(error) => eprintln!("{error}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn account(&self) -> GetAccount {
        GetAccount::new(self.clone())
    }

    /// Has Famulor send every ended conversation of an assistant to `url`, which must be https.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = famulor_emulator::Emulator::builder().start().await?;
    /// # let client = famulor_core::Client::builder().with_api_key("any").with_base_url(&emulator.base_url()).build()?;
    /// use famulor_core::AssistantId;
    ///
    /// let assistant = AssistantId::new(123);
    /// client.enable_conversation_ended_webhook(assistant, "https://example.com/hook").await?;
    /// client.disable_conversation_ended_webhook(assistant).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn enable_conversation_ended_webhook(
        &self,
        assistant: AssistantId,
        url: &str,
    ) -> WebhookChange {
        WebhookChange::enable(self.clone(), assistant, url)
    }

    /// No longer sends ended conversations of an assistant anywhere.
    pub fn disable_conversation_ended_webhook(&self, assistant: AssistantId) -> WebhookChange {
        WebhookChange::disable(self.clone(), assistant)
    }

    /// Calls any endpoint below the base URL, with this client's key, limits and error handling.
    ///
    /// ```no_run
    /// # async fn example(client: famulor_core::Client) -> famulor_core::Result<()> {
    /// let folders = client.request("GET", "/user/folders")?.send().await?;
    /// println!("{:?}", folders.json());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if `method` is none, or if `path` would leave the
    /// base URL: another host, or a `..` segment.
    pub fn request(&self, method: &str, path: &str) -> Result<ApiRequest> {
        ApiRequest::new(self.clone(), method, path)
    }

    /// The generated client, on the same connections and with the same token: an escape hatch.
    ///
    /// Its calls know no quota, retries, order or deadline, and its errors' `Display` prints whole bodies: show them as
    /// [`famulor_gen::Failure`].
    ///
    /// ```no_run
    /// # async fn example(client: famulor_core::Client) -> Result<(), famulor_gen::Failure> {
    /// let account = client.raw().get_me().send().await?;
    /// println!("{:?}", account.total_balance);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn raw(&self) -> famulor_gen::Client {
        self.shared.generated()
    }
}

/// Shows the base URL and whether there is a key, never the key.
impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.base_url())
            .field("has_key", &self.has_key())
            .finish_non_exhaustive()
    }
}

//! Building blocks for senders that survive a crash.

use std::time::Duration;

use famulor_quota::SharedDatabase;

use super::Client;
use crate::call::{ReplySlot, ReplyTurn};
use crate::delivery::{Position, Sighting, look_for, position_of};
use crate::options::CallOptions;
use crate::{AssistantId, CustomerId, Result};

impl Client {
    /// Asks where a customer's conversation stands: one or two calls that cost nothing.
    ///
    /// ```no_run
    /// # async fn example(client: famulor_core::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use famulor_core::{AssistantId, CustomerId};
    ///
    /// let position = client.position(AssistantId::new(123), &CustomerId::raw("crm-4711")?).await?;
    /// let kept = serde_json::to_string(&position)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Any [`Error`](crate::Error): the account's list cannot be read, does not name customers, or names several
    /// conversations of this one. A message sent then cannot be told from an earlier one like it.
    pub async fn position(
        &self,
        assistant: AssistantId,
        customer: &CustomerId,
    ) -> Result<Position> {
        position_of(self, assistant, customer).await
    }

    /// Waits for the right to send one reply request, in the client's [lane](Client::with_lane), for as long as it takes
    /// or the client's `with_max_wait` allows.
    ///
    /// Dropping the wait leaves nothing behind; dropping the slot gives it back. See
    /// [`ReplyRequest::send_in`](crate::ReplyRequest::send_in).
    ///
    /// # Errors
    /// [`ErrorKind::RateLimited`](crate::ErrorKind::RateLimited) if the longest wait would pass,
    /// [`ErrorKind::Network`](crate::ErrorKind::Network) if the quota's store cannot be asked.
    pub async fn reply_slot(&self) -> Result<ReplySlot> {
        let options = CallOptions {
            deadline: Duration::MAX,
            ..self.options
        };
        ReplySlot::wait(self, &options).await
    }

    /// The right to send one reply request, if there is a free slot now.
    ///
    /// # Errors
    /// As [`reply_slot`](Self::reply_slot); `RateLimited` says in [`retry_after`](crate::Error::retry_after) when a slot
    /// could come free.
    pub async fn try_reply_slot(&self) -> Result<ReplySlot> {
        let options = CallOptions {
            deadline: Duration::MAX,
            only_now: true,
            ..self.options
        };
        ReplySlot::wait(self, &options).await
    }

    /// Waits until it is this sender's turn to take reply slots by itself, in [`quota_database`](Self::quota_database).
    /// `None`: the client has no limits.
    ///
    /// # Errors
    /// As [`reply_slot`](Self::reply_slot).
    #[doc(hidden)]
    pub async fn reply_turn(&self) -> Result<Option<ReplyTurn>> {
        let options = CallOptions {
            deadline: Duration::MAX,
            ..self.options
        };
        ReplyTurn::wait(self, &options).await
    }

    /// The database in which the quota is kept, for those who keep what they send in the same one. `None` if it is in none,
    /// or cannot be reached, or there is no limit.
    #[doc(hidden)]
    pub async fn quota_database(&self) -> Option<SharedDatabase> {
        if self.shared.reply_limits.is_empty() {
            return None;
        }
        self.shared.quota.database().await.ok().flatten()
    }

    /// Looks once whether a message arrived, and what was the answer. Sends nothing.
    ///
    /// `position` is where the conversation stood before the message was sent; without it only a message's absence says
    /// anything.
    ///
    /// ```no_run
    /// # async fn example(client: famulor_core::Client, before: famulor_core::Position) -> famulor_core::Result<()> {
    /// use famulor_core::{AssistantId, CustomerId, Sighting};
    ///
    /// let customer = CustomerId::raw("crm-4711")?;
    /// match client.look_for(AssistantId::new(123), &customer, "Hello", Some(&before)).await? {
    ///     Sighting::Answered(reply) => println!("{}", reply.text().unwrap_or_default()),
    ///     Sighting::NotThere => println!("look again after the quiet time"),
    ///     _ => println!("not sent again"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Any [`Error`](crate::Error) that another look may not meet; it says nothing about the message.
    pub async fn look_for(
        &self,
        assistant: AssistantId,
        customer: &CustomerId,
        text: &str,
        position: Option<&Position>,
    ) -> Result<Sighting> {
        look_for(self, assistant, customer, text, position).await
    }

    /// How long "it is not there" has to stay true before it is believed: what
    /// [`with_doubt_wait`](crate::ClientBuilder::with_doubt_wait) set, 120 s if nothing.
    #[must_use]
    pub fn doubt_wait(&self) -> Duration {
        self.options.doubt_wait
    }
}

//! Listing conversations, by cursor.

use famulor_gen::types::ConversationSummary;
use famulor_gen::{ConversationKind, ResponseValue};
use futures_core::Stream;

use super::RequestPreview;
use super::preview::with_query;
use crate::answers::{Next, Page, rows};
use crate::call::{Call, Effect, Operation, Start, run};
use crate::options::{CallOptions, awaitable, call_options};
use crate::{AssistantId, Client, Error, Result};

pub(crate) const LIST_CONVERSATIONS: Operation = Operation {
    method: "GET",
    template: "/user/conversations",
    effect: Effect::Read,
    is_reply: false,
    needs_key: true,
};

/// Lists the account's conversations: made by [`Client::list_conversations`].
///
/// ```no_run
/// # async fn example(client: famulor_core::Client) -> famulor_core::Result<()> {
/// use famulor_core::ConversationKind;
/// use futures_util::TryStreamExt;
///
/// let mut rows = client.list_conversations().set_kind(ConversationKind::Widget).stream();
/// while let Some(row) = rows.try_next().await? {
///     println!("{} {:?}", row.id, row.message_count);
/// }
/// # Ok(())
/// # }
/// ```
///
/// Costs nothing, changes nothing. Dropping it does no harm. Source: reference page of list-conversations.
#[derive(Clone)]
#[must_use = "a call does nothing until it is sent"]
pub struct ListConversations {
    client: Client,
    options: CallOptions,
    kind: Option<ConversationKind>,
    assistant: Option<AssistantId>,
    customer_phone: Option<String>,
    whatsapp_sender_phone: Option<String>,
    external_identifier: Option<String>,
    per_page: Option<u8>,
    cursor: Option<String>,
}

call_options!(ListConversations);
awaitable!(ListConversations, Page<ConversationSummary>);

impl ListConversations {
    pub(crate) fn new(client: Client) -> Self {
        let options = client.options;
        Self {
            client,
            options,
            kind: None,
            assistant: None,
            customer_phone: None,
            whatsapp_sender_phone: None,
            external_identifier: None,
            per_page: None,
            cursor: None,
        }
    }

    /// Only conversations of this kind.
    pub fn set_kind(mut self, kind: ConversationKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Only conversations of this assistant.
    pub fn set_assistant_id(mut self, assistant: AssistantId) -> Self {
        self.assistant = Some(assistant);
        self
    }

    /// Only conversations with exactly this customer phone.
    pub fn set_customer_phone(mut self, phone: impl Into<String>) -> Self {
        self.customer_phone = Some(phone.into());
        self
    }

    /// Only conversations of exactly this WhatsApp sender.
    pub fn set_whatsapp_sender_phone(mut self, phone: impl Into<String>) -> Self {
        self.whatsapp_sender_phone = Some(phone.into());
        self
    }

    /// Only conversations of this customer identifier.
    pub fn set_external_identifier(mut self, identifier: impl Into<String>) -> Self {
        self.external_identifier = Some(identifier.into());
        self
    }

    /// Rows of a page, 1 to 100. The server's default is 15.
    pub fn set_per_page(mut self, rows: u8) -> Self {
        self.per_page = Some(rows);
        self
    }

    /// Begins at this cursor of an earlier page. Set the same filters again: that a cursor keeps them is not documented.
    pub fn set_cursor(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }

    /// What would be sent. Sends nothing.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if `per_page` is out of range.
    pub fn preview(&self) -> Result<RequestPreview> {
        let per_page = check_per_page(self.per_page)?.map(|rows| rows.to_string());
        let assistant = self.assistant.map(|id| id.to_string());
        let query = [
            ("assistant_id", assistant.as_deref()),
            ("cursor", self.cursor.as_deref()),
            ("customer_phone", self.customer_phone.as_deref()),
            ("external_identifier", self.external_identifier.as_deref()),
            ("per_page", per_page.as_deref()),
            ("type", self.kind.as_ref().map(ConversationKind::as_str)),
            (
                "whatsapp_sender_phone",
                self.whatsapp_sender_phone.as_deref(),
            ),
        ];
        let path = with_query(LIST_CONVERSATIONS.template, &query);
        Ok(RequestPreview::new(
            &self.client.shared,
            LIST_CONVERSATIONS.method,
            &path,
            None,
        ))
    }

    /// Gets one page.
    ///
    /// # Errors
    /// Any [`Error`](crate::Error).
    pub async fn send(self) -> Result<Page<ConversationSummary>> {
        let per_page = check_per_page(self.per_page)?;
        let filters: Vec<&str> = [&self.customer_phone, &self.external_identifier]
            .into_iter()
            .filter_map(Option::as_deref)
            .collect();
        let call = Call {
            shared: &self.client.shared,
            operation: &LIST_CONVERSATIONS,
            options: &self.options,
            start: Start::now(&self.options),
            private: &filters,
            attempts_before: 0,
        };
        let done = run(&call, |client| {
            let query = self.clone();
            async move {
                let mut request = client.list_conversations();
                if let Some(kind) = query.kind {
                    request = request.type_(kind);
                }
                if let Some(assistant) = query.assistant {
                    request = request.assistant_id(assistant.get());
                }
                if let Some(phone) = query.customer_phone {
                    request = request.customer_phone(phone);
                }
                if let Some(phone) = query.whatsapp_sender_phone {
                    request = request.whatsapp_sender_phone(phone);
                }
                if let Some(identifier) = query.external_identifier {
                    request = request.external_identifier(identifier);
                }
                if let Some(rows) = per_page {
                    request = request.per_page(rows);
                }
                if let Some(cursor) = query.cursor {
                    request = request.cursor(cursor);
                }
                request.send().await.map(ResponseValue::into_inner)
            }
        })
        .await?;
        Ok(Page::by_cursor(done.value))
    }

    /// All rows, page by page as they are wanted; each page has a deadline of its own. Ends after the first error.
    pub fn stream(self) -> impl Stream<Item = Result<ConversationSummary>> + Send + Unpin {
        rows(
            self,
            |query| Box::pin(query.send()),
            |mut query, next| match next {
                // A server that gives the same cursor again would be asked for ever.
                Next::Cursor(cursor) if query.cursor.as_ref() == Some(&cursor) => None,
                Next::Cursor(cursor) => {
                    query.cursor = Some(cursor);
                    Some(query)
                }
                Next::Page(_) => None,
            },
        )
    }
}

/// Checks the documented range of `per_page`.
pub(super) fn check_per_page(rows: Option<u8>) -> Result<Option<std::num::NonZeroU32>> {
    match rows {
        Some(0) | Some(101..) => Err(Error::invalid_request(
            "a page has 1 to 100 rows",
            "set per_page to 1 to 100",
        )),
        rows => Ok(rows.and_then(|rows| std::num::NonZeroU32::new(rows.into()))),
    }
}

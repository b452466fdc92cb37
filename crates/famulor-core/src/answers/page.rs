//! Pages of a list, and the rows of all pages.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;

use famulor_gen::types::{
    Assistant, ConversationSummary, ListAssistantsResponse, ListConversationsResponse,
};
use futures_core::Stream;
use serde::Serialize;

use crate::Result;

/// One page of a list. `Serialize` writes its rows. `Debug` shows no content.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = famulor_emulator::Emulator::builder().start().await?;
/// # let client = famulor_core::Client::builder().with_api_key("any").with_base_url(&emulator.base_url()).build()?;
/// let page = client.list_conversations().set_per_page(50).await?;
/// for row in page.items() {
///     println!("{}", row.id);
/// }
/// if let Some(cursor) = page.next_cursor() {
///     let next = client.list_conversations().set_per_page(50).set_cursor(cursor).await?;
/// }
/// // Or all rows, page after page: client.list_conversations().stream()
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct Page<T> {
    items: Vec<T>,
    #[serde(skip)]
    next: Option<Next>,
}

/// Where the next page is.
#[derive(Clone)]
pub(crate) enum Next {
    Cursor(String),
    Page(u32),
}

impl<T> Page<T> {
    /// The rows.
    #[must_use]
    pub fn items(&self) -> &[T] {
        &self.items
    }

    /// The rows, by value.
    #[must_use]
    pub fn into_items(self) -> Vec<T> {
        self.items
    }

    /// The next page's cursor, in lists that go by cursor; `None` on the last page.
    #[must_use]
    pub fn next_cursor(&self) -> Option<&str> {
        match &self.next {
            Some(Next::Cursor(cursor)) => Some(cursor),
            _ => None,
        }
    }

    /// The next page's number, in lists that go by number; `None` on the last page.
    #[must_use]
    pub fn next_page(&self) -> Option<u32> {
        match self.next {
            Some(Next::Page(page)) => Some(page),
            _ => None,
        }
    }
}

impl Page<ConversationSummary> {
    pub(crate) fn by_cursor(answer: ListConversationsResponse) -> Self {
        let cursor = answer.next_cursor.filter(|cursor| !cursor.is_empty());
        Self {
            items: answer.data,
            next: cursor.map(Next::Cursor),
        }
    }
}

impl Page<Assistant> {
    pub(crate) fn by_number(answer: ListAssistantsResponse) -> Self {
        let next = match (answer.current_page, answer.last_page) {
            (Some(current), Some(last)) if current < last => u32::try_from(current + 1).ok(),
            _ => None,
        };
        Self {
            items: answer.data,
            next: next.map(Next::Page),
        }
    }
}

impl<T> std::fmt::Debug for Page<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Page")
            .field("items", &self.items.len())
            .field("is_last", &self.next.is_none())
            .finish_non_exhaustive()
    }
}

type Fetch<T> = Pin<Box<dyn Future<Output = Result<Page<T>>> + Send>>;

/// The rows of all pages: `fetch` gets one page, `turn` makes the query for the next.
pub(crate) fn rows<Q, T>(
    first: Q,
    fetch: impl Fn(Q) -> Fetch<T> + Send + Sync + 'static,
    turn: impl Fn(Q, Next) -> Option<Q> + Send + Sync + 'static,
) -> impl Stream<Item = Result<T>> + Send + Unpin
where
    Q: Clone + Send + 'static,
    T: Send + 'static,
{
    let start = (Some(first), VecDeque::new(), fetch, turn);
    Box::pin(futures_util::stream::try_unfold(
        start,
        |(mut query, mut ready, fetch, turn)| async move {
            loop {
                if let Some(row) = ready.pop_front() {
                    return Ok(Some((row, (query, ready, fetch, turn))));
                }
                let Some(current) = query.take() else {
                    return Ok(None);
                };
                let page: Page<T> = fetch(current.clone()).await?;
                ready.extend(page.items);
                query = page.next.and_then(|next| turn(current, next));
            }
        },
    ))
}

//! Listing assistants, by page number.

use famulor_gen::ResponseValue;
use famulor_gen::types::Assistant;
use futures_core::Stream;

use super::RequestPreview;
use super::list_conversations::check_per_page;
use super::preview::with_query;
use crate::answers::{Next, Page, rows};
use crate::call::{Call, Effect, Operation, Start, run};
use crate::options::{CallOptions, awaitable, call_options};
use crate::{Client, Error, Result};

const LIST_ASSISTANTS: Operation = Operation {
    method: "GET",
    template: "/user/assistants/get",
    effect: Effect::Read,
    is_reply: false,
    needs_key: true,
};

/// Lists the account's assistants: made by [`Client::list_assistants`].
///
/// A row has both ids: `id` for replies, `uuid` for conversations.
///
/// ```no_run
/// # async fn example(client: famulor_core::Client) -> famulor_core::Result<()> {
/// use futures_util::TryStreamExt;
///
/// let mut rows = client.list_assistants().stream();
/// while let Some(row) = rows.try_next().await? {
///     println!("{} {:?} {:?}", row.id, row.uuid, row.name);
/// }
/// # Ok(())
/// # }
/// ```
///
/// Costs nothing, changes nothing. Dropping it does no harm. Source: reference page of list-assistants.
#[derive(Clone)]
#[must_use = "a call does nothing until it is sent"]
pub struct ListAssistants {
    client: Client,
    options: CallOptions,
    per_page: Option<u8>,
    page: Option<u32>,
}

call_options!(ListAssistants);
awaitable!(ListAssistants, Page<Assistant>);

impl ListAssistants {
    pub(crate) fn new(client: Client) -> Self {
        let options = client.options;
        Self {
            client,
            options,
            per_page: None,
            page: None,
        }
    }

    /// Rows of a page, 1 to 100. The server's default is 10.
    pub fn set_per_page(mut self, rows: u8) -> Self {
        self.per_page = Some(rows);
        self
    }

    /// The page's number, from 1.
    pub fn set_page(mut self, page: u32) -> Self {
        self.page = Some(page);
        self
    }

    /// What would be sent. Sends nothing.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if a number is out of range.
    pub fn preview(&self) -> Result<RequestPreview> {
        let page = self.check_page()?.map(|page| page.to_string());
        let per_page = check_per_page(self.per_page)?.map(|rows| rows.to_string());
        let query = [("page", page.as_deref()), ("per_page", per_page.as_deref())];
        let path = with_query(LIST_ASSISTANTS.template, &query);
        Ok(RequestPreview::new(
            &self.client.shared,
            LIST_ASSISTANTS.method,
            &path,
            None,
        ))
    }

    /// Gets one page.
    ///
    /// # Errors
    /// Any [`Error`](crate::Error).
    pub async fn send(self) -> Result<Page<Assistant>> {
        let per_page = check_per_page(self.per_page)?;
        let page = self.check_page()?;
        let call = Call {
            shared: &self.client.shared,
            operation: &LIST_ASSISTANTS,
            options: &self.options,
            start: Start::now(&self.options),
            private: &[],
            attempts_before: 0,
        };
        let done = run(&call, |client| async move {
            let mut request = client.list_assistants();
            if let Some(rows) = per_page {
                request = request.per_page(rows);
            }
            if let Some(page) = page {
                request = request.page(page);
            }
            request.send().await.map(ResponseValue::into_inner)
        })
        .await?;
        Ok(Page::by_number(done.value))
    }

    /// All rows, page by page as they are wanted; each page has a deadline of its own. Ends after the first error.
    pub fn stream(self) -> impl Stream<Item = Result<Assistant>> + Send + Unpin {
        rows(
            self,
            |query| Box::pin(query.send()),
            |mut query, next| match next {
                Next::Page(page) => {
                    query.page = Some(page);
                    Some(query)
                }
                Next::Cursor(_) => None,
            },
        )
    }

    fn check_page(&self) -> Result<Option<std::num::NonZeroU32>> {
        match self.page {
            Some(0) => Err(Error::invalid_request(
                "pages are counted from 1",
                "set the page to 1 or more",
            )),
            page => Ok(page.and_then(std::num::NonZeroU32::new)),
        }
    }
}

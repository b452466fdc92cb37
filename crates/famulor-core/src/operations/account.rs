//! Who am I.

use famulor_gen::ResponseValue;

use super::RequestPreview;
use crate::answers::Account;
use crate::call::{Call, Effect, Operation, Start, run};
use crate::options::{CallOptions, awaitable, call_options};
use crate::{Client, Result};

const ME: Operation = Operation {
    method: "GET",
    template: "/user/me",
    effect: Effect::Read,
    is_reply: false,
    needs_key: true,
};

/// Asks whom the key belongs to: made by [`Client::account`].
///
/// Costs nothing, changes nothing. Dropping it does no harm. Source: reference page of me.
#[derive(Clone)]
#[must_use = "a call does nothing until it is sent"]
pub struct GetAccount {
    client: Client,
    options: CallOptions,
}

call_options!(GetAccount);
awaitable!(GetAccount, Account);

impl GetAccount {
    pub(crate) fn new(client: Client) -> Self {
        let options = client.options;
        Self { client, options }
    }

    /// What would be sent. Sends nothing.
    ///
    /// # Errors
    /// None at present.
    pub fn preview(&self) -> Result<RequestPreview> {
        Ok(RequestPreview::new(
            &self.client.shared,
            ME.method,
            ME.template,
            None,
        ))
    }

    /// Asks.
    ///
    /// # Errors
    /// Any [`Error`](crate::Error); `Auth` if the key is missing or wrong.
    pub async fn send(self) -> Result<Account> {
        let call = Call {
            shared: &self.client.shared,
            operation: &ME,
            options: &self.options,
            start: Start::now(&self.options),
            private: &[],
            attempts_before: 0,
        };
        let done = run(&call, |client| async move {
            client.get_me().send().await.map(ResponseValue::into_inner)
        });
        Ok(Account::new(done.await?.value))
    }
}

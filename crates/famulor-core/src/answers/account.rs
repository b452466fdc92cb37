//! Whom a key belongs to.

use famulor_gen::types::GetMeResponse;
use serde::Serialize;

/// Whom the key belongs to.
///
/// `Serialize` writes what the API returned, with its own field names. `Debug` shows no content.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = famulor_emulator::Emulator::builder().start().await?;
/// # let client = famulor_core::Client::builder().with_api_key("any").with_base_url(&emulator.base_url()).build()?;
/// let account = client.account().await?; // costs nothing: the usual way to try a key
/// println!("{} has {:?}", account.name().unwrap_or("?"), account.total_balance());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct Account(GetMeResponse);

impl Account {
    pub(crate) fn new(answer: GetMeResponse) -> Self {
        Self(answer)
    }

    /// The account's name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// The account's e-mail address.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// The balance. Its currency is not documented.
    #[must_use]
    pub fn total_balance(&self) -> Option<f64> {
        self.0.total_balance
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").finish_non_exhaustive()
    }
}

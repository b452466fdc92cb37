//! The answer of any endpoint.

use famulor_gen::Answer;
use serde_json::Value;

/// The answer of any endpoint, as it came. `Debug` shows no content.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = famulor_emulator::Emulator::builder().start().await?;
/// # let client = famulor_core::Client::builder().with_api_key("any").with_base_url(&emulator.base_url()).build()?;
/// let answer = client.request("GET", "/user/me")?.await?;
/// assert_eq!(answer.status(), 200);
/// let name = answer.json().and_then(|body| body["name"].as_str());
/// # assert!(name.is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ApiAnswer {
    answer: Answer,
    json: Option<Value>,
}

impl ApiAnswer {
    pub(crate) fn new(answer: Answer) -> Self {
        let json = serde_json::from_slice(answer.body()).ok();
        Self { answer, json }
    }

    /// The HTTP status, a 2xx.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.answer.status().as_u16()
    }

    /// The header of this name, if it is there and text. The name is written in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.answer.headers().get(name)?.to_str().ok()
    }

    /// The body as JSON, if it is JSON.
    #[must_use]
    pub fn json(&self) -> Option<&Value> {
        self.json.as_ref()
    }

    /// The body as it came.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.answer.body()
    }
}

impl std::fmt::Debug for ApiAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiAnswer")
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

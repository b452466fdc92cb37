//! The answer of any endpoint.

use famulor_gen::Answer;
use serde_json::Value;

/// The answer of any endpoint, as it came. `Debug` shows no content.
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

//! `/user/assistants`: the list, and the webhook at a conversation's end.

use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::call::Call;
use super::refusal::Refusal;
use super::validation::Input;
use crate::answer::{Response, ok};
use crate::lock;
use crate::state::Assistant;

/// Documented default of this list; other lists have 15.
const DEFAULT_PAGE_SIZE: usize = 10;

#[derive(Serialize)]
struct Page {
    data: Vec<Value>,
    current_page: usize,
    per_page: usize,
    total: usize,
    last_page: usize,
}

/// `GET /user/assistants/get`
pub(super) fn list(call: &Call<'_>) -> Result<Response, Refusal> {
    let query = call.query();
    let mut input = Input::of(&query);
    let per_page = input.page_size(DEFAULT_PAGE_SIZE);
    // What the real server does with a page that is none is not documented;
    // refused, a client's mistake shows.
    let current_page = input.page();
    input.check()?;
    let state = lock(&call.world.state);
    let total = state.assistants.len();
    let data = state
        .assistants
        .iter()
        .skip((current_page - 1).saturating_mul(per_page))
        .take(per_page)
        .map(Assistant::row)
        .collect();
    Ok(ok(&Page {
        data,
        current_page,
        per_page,
        total,
        last_page: total.div_ceil(per_page).max(1),
    }))
}

/// `POST /user/assistants/enable-conversation-ended-webhook`
pub(super) fn enable_webhook(call: &Call<'_>) -> Result<Response, Refusal> {
    let mut input = call.input();
    let assistant = input.required_integer("assistant_id");
    let url = input.required_webhook("webhook_url");
    input.check_in_old_words()?;
    set_webhook(call, assistant, url.map(str::to_owned), "enabled")
}

/// `POST /user/assistants/disable-conversation-ended-webhook`
pub(super) fn disable_webhook(call: &Call<'_>) -> Result<Response, Refusal> {
    let mut input = call.input();
    let assistant = input.required_integer("assistant_id");
    input.check_in_old_words()?;
    set_webhook(call, assistant, None, "disabled")
}

fn set_webhook(
    call: &Call<'_>,
    assistant: Option<i64>,
    url: Option<String>,
    done: &str,
) -> Result<Response, Refusal> {
    let mut state = lock(&call.world.state);
    let assistant = assistant
        .and_then(|id| state.assistant_mut(id))
        .ok_or_else(|| Refusal::Message(StatusCode::NOT_FOUND, "Assistant not found".to_owned()))?;
    assistant.ended_webhook = url;
    let message = format!("Conversation ended webhook {done} successfully");
    Ok(ok(&json!({"message": message, "data": []})))
}

//! `/automate/conversations/{uuid}/disable-ai` and `enable-ai`: a person takes over, and gives back.

use serde_json::json;

use super::call::Call;
use super::refusal::Refusal;
use crate::answer::{Response, ok};
use crate::lock;

pub(super) fn switch(call: &Call<'_>, ai_enabled: bool) -> Result<Response, Refusal> {
    let mut state = lock(&call.world.state);
    let conversation = state
        .conversation_mut(call.uuid)
        .ok_or_else(Refusal::conversation_not_found)?;
    conversation.ai_disabled = !ai_enabled;
    conversation.updated_at = Some(call.world.clock.now().into());
    Ok(ok(&json!({"status": true, "ai_enabled": ai_enabled})))
}

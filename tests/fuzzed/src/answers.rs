//! Bodies that are no error.

use std::fmt::Debug;

use famulor_gen::types;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::same;

/// Bodies of successes: the first byte says which type they are read as.
pub fn answers(data: &[u8]) {
    let Some((kind, body)) = data.split_first() else {
        return;
    };
    match kind % 8 {
        0 => decode::<types::GenerateReplyResponse>(body),
        1 => decode::<types::GetConversationResponse>(body),
        2 => decode::<types::SendMessageResponse>(body),
        3 => decode::<types::CreateConversationResponse>(body),
        4 => decode::<types::ListConversationsResponse>(body),
        5 => decode::<types::ListAssistantsResponse>(body),
        6 => decode::<types::GetMeResponse>(body),
        _ => decode::<types::ConversationAiResponse>(body),
    }
}

/// What a webhook is called with: anybody can call it.
pub fn webhooks(body: &[u8]) {
    decode::<types::ConversationEndedEvent>(body);
}

/// Decodes a body. What can be decoded is written out again without losing anything that the type has understood, and is
/// not shown by `Debug`.
pub(crate) fn decode<T: DeserializeOwned + Serialize + Debug>(body: &[u8]) {
    let Ok(first) = serde_json::from_slice::<T>(body) else {
        return;
    };
    let shown = format!("{first:?}");
    assert!(shown.len() < 200, "Debug shows more than a name: {shown}");
    let written = serde_json::to_value(&first).expect("what was read can be written");
    let again: T = serde_json::from_value(written.clone()).expect("what was written can be read");
    let twice = serde_json::to_value(&again).expect("what was read can be written");
    assert!(same(&written, &twice), "{written} became {twice}");
}

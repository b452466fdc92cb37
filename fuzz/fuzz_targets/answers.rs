//! Bodies of successes: the first byte says which type they are read as.
#![no_main]
#![allow(missing_docs, reason = "the macro's function has none")]

use famulor_fuzz::decode;
use famulor_gen::types;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
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
});

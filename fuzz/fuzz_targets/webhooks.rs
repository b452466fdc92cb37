//! What a webhook is called with: anybody can call it.
#![no_main]
#![allow(missing_docs, reason = "the macro's function has none")]

use famulor_gen::types;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| famulor_fuzz::decode::<types::ConversationEndedEvent>(body));

//! Scripts of the emulator: each is read, or refused with words for a person.
#![no_main]
#![allow(missing_docs, reason = "the macro's function has none")]

use famulor_emulator::Script;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(error) = Script::parse("fuzzed.yaml", text) {
        let said = error.to_string();
        assert!(said.starts_with("fuzzed.yaml"), "{said}");
    }
});

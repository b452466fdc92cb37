//! Scripts of the emulator.

use famulor_emulator::Script;

/// Each is read, or refused with words for a person.
pub fn scripts(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Err(error) = Script::parse("fuzzed.yaml", text) {
        let said = error.to_string();
        assert!(said.starts_with("fuzzed.yaml"), "{said}");
    }
}

//! Files of messages, as `famulor batch` reads them.
#![no_main]
#![allow(missing_docs, reason = "the macro's function has none")]

libfuzzer_sys::fuzz_target!(|data: &[u8]| famulor_test_fuzzed::batch_lines(data));

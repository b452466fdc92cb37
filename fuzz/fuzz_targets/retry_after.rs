//! The wait hint of a 429.
#![no_main]
#![allow(missing_docs, reason = "the macro's function has none")]

libfuzzer_sys::fuzz_target!(|data: &[u8]| famulor_test_fuzzed::retry_after(data));

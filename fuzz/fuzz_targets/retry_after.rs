//! The wait hint of a 429, as a header and as a field of the body.
#![no_main]
#![allow(missing_docs, reason = "the macro's function has none")]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    famulor_core::fuzzing::classify(429, &[("retry-after", data)], b"");
    let mut body = br#"{"message":"Too many requests.","retry_after":"#.to_vec();
    body.extend(data);
    body.push(b'}');
    famulor_core::fuzzing::classify(429, &[], &body);
});

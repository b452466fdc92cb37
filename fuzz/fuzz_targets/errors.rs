//! Answers that are no usable success: two bytes of status, a line for each of three headers, the body.
#![no_main]
#![allow(missing_docs, reason = "the macro's function has none")]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&[high, low], rest)) = data.split_first_chunk::<2>() else {
        return;
    };
    let status = 100 + u16::from_be_bytes([high, low]) % 500;
    let mut parts = rest.splitn(4, |byte| *byte == b'\n');
    let mut next = || parts.next().unwrap_or_default();
    let headers = [
        ("retry-after", next()),
        ("content-type", next()),
        ("location", next()),
    ];
    let body = next();
    famulor_core::fuzzing::classify(status, &headers, body);
    famulor_fuzz::decode::<famulor_gen::types::ApiError>(body);
});

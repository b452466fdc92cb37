//! Answers that are no usable success. How the SDK judges them is inside of it, and there only when fuzzing
//! (`--cfg fuzzing`); its own tests run the same judgement over every status.

use famulor_gen::types::ApiError;

use crate::answers::decode;

/// Two bytes of status, a line for each of three headers, the body.
pub fn errors(data: &[u8]) {
    let Some((status, rest)) = data.split_first_chunk::<2>() else {
        return;
    };
    let mut parts = rest.splitn(4, |byte| *byte == b'\n');
    let mut next = || parts.next().unwrap_or_default();
    let headers = [
        ("retry-after", next()),
        ("content-type", next()),
        ("location", next()),
    ];
    let body = next();
    judge(100 + u16::from_be_bytes(*status) % 500, &headers, body);
    decode::<ApiError>(body);
}

/// The wait hint of a 429, as a header and as a field of the body.
pub fn retry_after(data: &[u8]) {
    judge(429, &[("retry-after", data)], b"");
    let mut body = br#"{"message":"Too many requests.","retry_after":"#.to_vec();
    body.extend(data);
    body.push(b'}');
    judge(429, &[], &body);
    decode::<ApiError>(&body);
}

#[cfg(fuzzing)]
fn judge(status: u16, headers: &[(&str, &[u8])], body: &[u8]) {
    famulor_core::fuzzing::classify(status, headers, body);
}

#[cfg(not(fuzzing))]
fn judge(_: u16, _: &[(&str, &[u8])], _: &[u8]) {}

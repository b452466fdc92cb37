//! What the fuzz targets share.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Decodes a body. What can be decoded is written out again without losing anything that the type has understood, and is
/// not shown by `Debug`.
pub fn decode<T: DeserializeOwned + Serialize + std::fmt::Debug>(body: &[u8]) {
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

/// Equal, apart from the last digit of a fraction: `serde_json` reads those fast rather than exactly.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => match (x.as_f64(), y.as_f64()) {
            (Some(x), Some(y)) => x == y || (x - y).abs() <= x.abs() * 1e-14,
            _ => x == y,
        },
        (Value::Array(x), Value::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y))
        }
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len()
                && x.iter()
                    .all(|(key, x)| y.get(key).is_some_and(|y| same(x, y)))
        }
        _ => a == b,
    }
}

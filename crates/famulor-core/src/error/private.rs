//! What a server quotes of a person's words is blacked out.

use serde_json::Value;

use super::{Error, ErrorCode};

/// What stands in for a person's words.
const BLACK: &str = "[…]";

/// Words shorter than this are not looked for: blacking out every "a" would leave no text at all.
const SHORTEST: usize = 4;

impl Error {
    /// Blacks out these words in every text that `Display` and `Debug` show. The body is kept as it came.
    pub(crate) fn black_out(&mut self, private: &[&str]) {
        // The backend trims what it is sent, and quotes it trimmed.
        let mut words: Vec<&str> = private
            .iter()
            .map(|word| word.trim())
            .filter(|word| word.chars().count() >= SHORTEST)
            .collect();
        // A word inside a longer one must not break the longer one up.
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let details = self.details_mut();
        for word in words {
            black_out(&mut details.message, word);
            for texts in details.field_errors.values_mut() {
                texts.iter_mut().for_each(|text| black_out(text, word));
            }
            if let Some(ErrorCode::Other(code)) = &mut details.code {
                black_out(code, word);
            }
            if let Some(id) = &mut details.request_id {
                black_out(id, word);
            }
        }
    }
}

fn black_out(text: &mut String, word: &str) {
    if text.contains(word) {
        *text = text.replace(word, BLACK);
    }
}

/// Every text inside `value`: what people may have written there.
pub(crate) fn texts_in<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts_in(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| texts_in(field, found)),
        _ => {}
    }
}

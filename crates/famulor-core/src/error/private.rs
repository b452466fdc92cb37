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
            for (mut field, mut texts) in std::mem::take(&mut details.field_errors) {
                texts.iter_mut().for_each(|text| black_out(text, word));
                black_out(&mut field, word);
                details.field_errors.entry(field).or_default().extend(texts);
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

#[cfg(test)]
mod tests {
    use crate::{Delivery, Error, ErrorKind};

    #[test]
    fn a_word_is_blacked_out_wherever_a_server_can_quote_it() {
        let mut error = Error::new(ErrorKind::Refused, Delivery::Refused, "anna@x.org is odd");
        let fields = &mut error.details_mut().field_errors;
        fields.insert("anna@x.org".to_owned(), vec!["anna@x.org, too".to_owned()]);
        fields.insert("message".to_owned(), vec!["is too long".to_owned()]);
        error.black_out(&["anna@x.org"]);
        assert!(!format!("{error} {error:?}").contains("anna"), "{error}");
        assert_eq!(error.field_errors()["message"], ["is too long"]);
        assert_eq!(error.field_errors()["[…]"], ["[…], too"]);
    }
}

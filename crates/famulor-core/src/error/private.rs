//! What a server quotes of a person's words is blacked out.

use super::Error;

/// What stands in for a person's words.
const BLACK: &str = "[…]";

/// Words shorter than this are not looked for: blacking out every "a" would leave no text at all.
const SHORTEST: usize = 4;

impl Error {
    /// Blacks out these words in every text that `Display` and `Debug` show. The body is kept as it came.
    pub(crate) fn black_out(&mut self, private: &[&str]) {
        let details = self.details_mut();
        for word in private
            .iter()
            .filter(|word| word.chars().count() >= SHORTEST)
        {
            black_out(&mut details.message, word);
            for texts in details.field_errors.values_mut() {
                texts.iter_mut().for_each(|text| black_out(text, word));
            }
        }
    }
}

fn black_out(text: &mut String, word: &str) {
    if text.contains(word) {
        *text = text.replace(word, BLACK);
    }
}

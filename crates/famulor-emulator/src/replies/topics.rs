//! What a message is about: all its key words, found in one pass.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// What a word in a message makes the assistant talk of.
#[derive(Clone, Copy)]
pub(super) enum Topic {
    /// The first of the offered appointments, and the second.
    Tomorrow,
    Friday,
    Calendar,
    Memory,
    Order,
    Price,
    Person,
    Farewell,
}

/// Anywhere in a message, in capitals or not.
const WORDS: [(&str, Topic); 36] = [
    ("tomorrow", Topic::Tomorrow),
    ("2 pm", Topic::Tomorrow),
    ("14:00", Topic::Tomorrow),
    ("wednesday", Topic::Tomorrow),
    ("friday", Topic::Friday),
    ("10", Topic::Friday),
    ("appointment", Topic::Calendar),
    ("availab", Topic::Calendar),
    ("demo", Topic::Calendar),
    ("schedule", Topic::Calendar),
    ("meeting", Topic::Calendar),
    ("slot", Topic::Calendar),
    ("calendar", Topic::Calendar),
    ("termin", Topic::Calendar),
    ("remember", Topic::Memory),
    ("did i say", Topic::Memory),
    ("what i said", Topic::Memory),
    ("my name", Topic::Memory),
    ("order", Topic::Order),
    ("delivery", Topic::Order),
    ("shipping", Topic::Order),
    ("parcel", Topic::Order),
    ("bestellung", Topic::Order),
    ("price", Topic::Price),
    ("cost", Topic::Price),
    ("plan", Topic::Price),
    ("offer", Topic::Price),
    ("preis", Topic::Price),
    ("human", Topic::Person),
    ("person", Topic::Person),
    ("agent", Topic::Person),
    ("manager", Topic::Person),
    ("complain", Topic::Person),
    ("thank", Topic::Farewell),
    ("danke", Topic::Farewell),
    ("bye", Topic::Farewell),
];

/// The topics of a message.
#[derive(Clone, Copy)]
pub(super) struct Topics(u8);

impl Topics {
    pub(super) fn of(message: &str) -> Self {
        static FINDER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
            let words = WORDS.iter().map(|(word, _)| word);
            // The kind that is built fastest: messages are short, and a start is waited for.
            AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .kind(Some(AhoCorasickKind::NoncontiguousNFA))
                .prefilter(false)
                .build(words)
                .ok()
        });
        let mut topics = 0;
        if let Some(finder) = &*FINDER {
            for found in finder.find_overlapping_iter(message) {
                let (_, topic) = WORDS[found.pattern().as_usize()];
                topics |= 1 << topic as u8;
            }
        }
        Self(topics)
    }

    pub(super) fn has(self, topic: Topic) -> bool {
        self.0 & (1 << topic as u8) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::{Topic, Topics, WORDS};

    #[test]
    fn every_word_is_found_in_capitals_and_inside_of_others() {
        for (word, topic) in WORDS {
            for message in [
                word.to_owned(),
                word.to_uppercase(),
                format!("xä{word}s and more"),
            ] {
                assert!(Topics::of(&message).has(topic), "{message}");
            }
        }
        let nothing = Topics::of("Hello, how are you?");
        assert!(WORDS.iter().all(|(_, topic)| !nothing.has(*topic)));
    }

    #[test]
    fn a_message_can_have_several_topics() {
        let both = Topics::of("What does shipping cost?");
        assert!(both.has(Topic::Order) && both.has(Topic::Price));
        assert!(!both.has(Topic::Person));
    }
}

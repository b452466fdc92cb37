//! What the assistant answers: the same to the same conversation, always.
//!
//! There is no language model here. The texts refer to the message, to the
//! variables and to what was said before, so that a demonstration reads as a
//! story and a lost memory shows.

mod calendar;
mod documented;
mod rules;
mod topics;

use serde_json::Value;

pub(crate) use self::rules::{Answer, Condition, Rule, TakeOver};

use self::topics::{Topic, Topics};
use crate::seeded::Seeded;
use crate::state::{ConversationKind, FunctionCall, Message, Variables};

/// What the assistant says, and the tools it used.
pub(crate) struct Reply {
    pub(crate) text: String,
    pub(crate) function_calls: Vec<FunctionCall>,
}

impl Reply {
    fn says(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            function_calls: Vec::new(),
        }
    }
}

/// What the assistant knows when it answers.
pub(crate) struct Turn<'a> {
    pub(crate) conversation: &'a str,
    /// The customer identifier; where there is none, the conversation's id.
    pub(crate) customer: &'a str,
    pub(crate) assistant: i64,
    pub(crate) kind: ConversationKind,
    pub(crate) message: &'a str,
    /// What was said before `message`, oldest first.
    pub(crate) history: &'a [Message],
    pub(crate) variables: Option<&'a Variables>,
    pub(crate) assistant_variables: &'a Variables,
    pub(crate) seeded: Seeded,
}

impl Turn<'_> {
    /// The script's rule for the message, if there is one.
    pub(crate) fn rule<'r>(&self, rules: &'r [Rule]) -> Option<&'r Rule> {
        if rules.is_empty() {
            return None;
        }
        rules::first(rules, self)
    }

    /// Which of the customer's messages this is, counted from 1.
    fn number(&self) -> usize {
        self.said_before().count() + 1
    }

    /// Answers the message.
    pub(crate) fn answer(&self) -> Reply {
        if let Some(answer) = documented::answer(self) {
            return answer;
        }
        let topics = Topics::of(self.message);
        calendar::answer(self, topics).unwrap_or_else(|| self.talk(topics))
    }

    fn talk(&self, topics: Topics) -> Reply {
        let text = if topics.has(Topic::Memory) {
            self.recall()
        } else if topics.has(Topic::Order) {
            self.order()
        } else if topics.has(Topic::Price) {
            self.with_memory(
                "Our plans start small and grow with you. Shall I send you the price list, or \
                 would you rather talk it through with a colleague?",
            )
        } else if topics.has(Topic::Person) {
            self.with_memory(
                "I understand. I've made a note for my colleagues, so that you won't have to \
                 explain it twice. Is there anything I can do until they are with you?",
            )
        } else if topics.has(Topic::Farewell) {
            format!(
                "You're very welcome{}! Is there anything else I can help you with?",
                self.comma_name()
            )
        } else if is_small_talk(self.message) {
            self.greet()
        } else {
            self.acknowledge()
        };
        Reply::says(text)
    }

    fn greet(&self) -> String {
        match self.earlier() {
            Some(earlier) => format!(
                "Hello again{}! Last time you wrote \"{}\". How can I help you with that?",
                self.comma_name(),
                quote(earlier)
            ),
            None => format!("Hello{}! How can I help you today?", self.comma_name()),
        }
    }

    fn recall(&self) -> String {
        let name = match self.first_name() {
            Some(name) => format!("You are {name}. "),
            None => String::new(),
        };
        let recalled = if self.message.to_lowercase().contains("first") {
            self.said_before().next_back()
        } else {
            self.earlier()
        };
        match recalled {
            Some(earlier) => format!(
                "{name}As you said earlier: \"{}\". Shall we go on from there?",
                quote(earlier)
            ),
            None => format!("{name}This is the first message I have from you. What is it about?"),
        }
    }

    fn order(&self) -> String {
        let order = match self.variable("order_id") {
            Some(order) => format!("your order {order}"),
            None => "your order".to_owned(),
        };
        self.with_memory(&format!(
            "I've had a look at {order}: it is packed and leaves our warehouse today. You will \
             get a message with the tracking number."
        ))
    }

    fn acknowledge(&self) -> String {
        const AHEAD: [&str; 3] = [
            "Could you tell me a little more, so that I can help you properly?",
            "I'm looking into it. Is there a date by which you need it?",
            "I've noted that. What would be a good result for you?",
        ];
        let ahead = self.choose(&AHEAD);
        let quoted = quote(self.message);
        match self.earlier() {
            Some(earlier) => format!(
                "Thanks{}. As you said earlier, \"{}\", and now \"{quoted}\". {ahead}",
                self.comma_name(),
                quote(earlier)
            ),
            None => format!(
                "Thanks for your message{}. You wrote: \"{quoted}\". {ahead}",
                self.comma_name()
            ),
        }
    }

    /// The text, opened with the customer's name and what they said before.
    fn with_memory(&self, text: &str) -> String {
        match (self.earlier(), self.first_name()) {
            (Some(earlier), _) => format!(
                "As you said earlier{}: \"{}\". {text}",
                self.comma_name(),
                quote(earlier)
            ),
            (None, Some(name)) => format!("{name}, thanks for asking. {text}"),
            (None, None) => text.to_owned(),
        }
    }

    /// What the customer said before, the last first.
    fn said_before(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.history
            .iter()
            .rev()
            .filter(|message| message.role == "user")
            .map(|message| message.content.as_str())
    }

    /// What is worth coming back to: the last thing that was not a greeting or
    /// a thank-you, if there is one.
    fn earlier(&self) -> Option<&str> {
        /// Nobody remembers further back, and a load test's conversation has no end.
        const MEMORY: usize = 10;
        let is_courteous = is_small_talk(self.message);
        // A load test says the same each time.
        let is_courtesy = |said: &str| is_courteous && said == self.message || is_small_talk(said);
        self.said_before()
            .take(MEMORY)
            .find(|said| !is_courtesy(said))
            .or_else(|| self.said_before().next())
    }

    fn choose<'t>(&self, texts: &[&'t str]) -> &'t str {
        let name = format!("reply {} {}", self.conversation, self.history.len());
        texts[self.seeded.below(&name, texts.len())]
    }

    fn variable(&self, name: &str) -> Option<String> {
        match self.variables?.get(name)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// The examples greet "John Smith" as "John"; sources differ in the
    /// variable's name (seed 1 has `user_name`).
    fn first_name(&self) -> Option<String> {
        let name = ["customer_name", "user_name", "name"]
            .iter()
            .find_map(|variable| self.variable(variable))?;
        name.split_whitespace().next().map(str::to_owned)
    }

    fn comma_name(&self) -> String {
        match self.first_name() {
            Some(name) => format!(", {name}"),
            None => String::new(),
        }
    }
}

fn is_greeting(said: &str) -> bool {
    const GREETINGS: [&str; 6] = [
        "hello",
        "good morning",
        "good evening",
        "hallo",
        "guten tag",
        "hey",
    ];
    // Greetings are ASCII, so that bytes will do.
    let starts_with = |greeting: &str| {
        let start = said.as_bytes().get(..greeting.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(greeting.as_bytes()))
    };
    if GREETINGS.iter().any(|greeting| starts_with(greeting)) {
        return true;
    }
    let first = said.split(|letter: char| !letter.is_alphabetic()).next();
    first.is_some_and(|first| first.eq_ignore_ascii_case("hi"))
}

/// Short enough to be nothing but courtesy.
fn is_small_talk(said: &str) -> bool {
    const COURTESY: usize = 20;
    let is_short = said.len() <= COURTESY || said.chars().count() <= COURTESY;
    is_short && (is_greeting(said) || Topics::of(said).has(Topic::Farewell))
}

/// As much of a message as one would repeat to the person who wrote it.
fn quote(message: &str) -> String {
    const LONGEST: usize = 80;
    let message = message.trim().trim_end_matches(['.', '!']);
    if message.chars().count() <= LONGEST {
        return message.to_owned();
    }
    let cut: String = message.chars().take(LONGEST).collect();
    format!("{}…", cut.trim_end())
}

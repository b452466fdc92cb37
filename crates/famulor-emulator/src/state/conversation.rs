//! A conversation and what is said in it.

use std::borrow::Cow;
use std::fmt;
use std::time::SystemTime;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::money::Amount;

/// What a conversation came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ConversationKind {
    /// A chat on a page; every user message is billed.
    #[default]
    Widget,
    /// A chat for development; free.
    Test,
    /// A chat over WhatsApp.
    Whatsapp,
    /// generate-reply. That its conversations have this type is inferred (facts).
    Api,
}

impl ConversationKind {
    pub(crate) const ALL: [Self; 4] = [Self::Widget, Self::Test, Self::Whatsapp, Self::Api];

    /// The name that the API uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Widget => "widget",
            Self::Test => "test",
            Self::Whatsapp => "whatsapp",
            Self::Api => "api",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A tool that the assistant used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FunctionCall {
    /// The tool's name.
    pub name: String,
    /// What it was called with.
    pub arguments: Value,
    /// What it gave back.
    pub result: Value,
}

/// One turn of a conversation.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// `user` or `assistant`; others are not documented.
    pub role: Cow<'static, str>,
    /// What was said.
    pub content: String,
    /// Tools used in this turn. A history leaves the field out when there are
    /// none (facts, getConversation), while a reply shows an empty list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub function_calls: Vec<FunctionCall>,
    /// When it was said; `None`: when the conversation was made.
    #[serde(skip)]
    pub sent_at: Option<SystemTime>,
}

impl Message {
    /// A turn without tools.
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Self {
        Self::of(Cow::Owned(role.into()), content.into())
    }

    pub(crate) fn of_user(content: &str) -> Self {
        Self::of(Cow::Borrowed("user"), content.to_owned())
    }

    pub(crate) fn of_assistant(content: &str) -> Self {
        Self::of(Cow::Borrowed("assistant"), content.to_owned())
    }

    fn of(role: Cow<'static, str>, content: String) -> Self {
        Self {
            role,
            content,
            function_calls: Vec::new(),
            sent_at: None,
        }
    }
}

/// Messages do not belong into logs, so their text is left out.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("role", &self.role)
            .field("function_calls", &self.function_calls.len())
            .finish_non_exhaustive()
    }
}

/// A name and a number: a WhatsApp sender or customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// The name, if known.
    pub name: Option<String>,
    /// The number in E.164 form.
    pub phone: String,
}

/// A conversation.
///
/// Give one to [`Emulator::add_conversation`](crate::Emulator::add_conversation)
/// to start from a history; the API itself can only make new ones.
#[derive(Clone, Default)]
pub struct Conversation {
    /// Its id; empty: the emulator picks one.
    pub id: String,
    /// The integer id of its assistant.
    pub assistant_id: i64,
    /// What it came from.
    pub kind: ConversationKind,
    /// Its variables, if it was given any.
    pub variables: Option<Map<String, Value>>,
    /// What was said, oldest first.
    pub history: Vec<Message>,
    /// The `customer_identifier` of a generate-reply conversation.
    pub external_identifier: Option<String>,
    /// The business side of a WhatsApp conversation.
    pub whatsapp_sender: Option<Contact>,
    /// The customer's side of a WhatsApp conversation.
    pub customer: Option<Contact>,
    /// A person has taken over: messages are stored and not answered.
    pub ai_disabled: bool,
    /// What its messages have cost, in US dollars.
    pub total_cost: f64,
    /// When it was made; `None`: when it was given to the emulator.
    pub created_at: Option<SystemTime>,
    /// When it last changed; `None`: when it was given to the emulator.
    pub updated_at: Option<SystemTime>,
    /// When it ended after its assistant's inactivity timeout, or on order.
    pub ended_at: Option<SystemTime>,
}

/// The oldest turns of a conversation with more are forgotten, so that an
/// emulator which serves a load test for days does not fill the memory.
const LONGEST_HISTORY: usize = 2_000;

impl Conversation {
    pub(crate) fn say(&mut self, mut message: Message, now: Timestamp) {
        message.sent_at = Some(now.into());
        if self.history.len() >= LONGEST_HISTORY {
            // A tenth at a time, so that it is not moved for every message.
            self.history.drain(..LONGEST_HISTORY / 10);
        }
        self.history.push(message);
        self.updated_at = Some(now.into());
    }

    /// When the last word was said, or else when it was made.
    pub(crate) fn last_said(&self) -> Timestamp {
        self.history
            .last()
            .and_then(|message| message.sent_at)
            .or(self.created_at)
            .and_then(|time| Timestamp::try_from(time).ok())
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// It has an end: `test` and `api` ones are not in the documented types of
    /// the ended webhook.
    pub(crate) fn ends(&self) -> bool {
        matches!(
            self.kind,
            ConversationKind::Widget | ConversationKind::Whatsapp
        )
    }

    /// A person takes over. The marker's role is that of the ended webhook's
    /// transcripts; its words, and that the person's are the assistant's, are inferred.
    pub(crate) fn hand_over(&mut self, name: &str, says: Option<&str>, now: Timestamp) {
        self.ai_disabled = true;
        let marker = format!("{name} has taken over the conversation.");
        self.say(Message::new("system", marker), now);
        if let Some(says) = says {
            self.say(Message::new("assistant", says), now);
        }
    }

    /// The person gives it back.
    pub(crate) fn give_back(&mut self, now: Timestamp) {
        self.ai_disabled = false;
        let marker = "The assistant has the conversation again.";
        self.say(Message::new("system", marker), now);
    }

    pub(crate) fn pay(&mut self, price: Amount) {
        self.total_cost = (Amount::dollars(self.total_cost) + price).as_dollars();
    }

    /// Later values win; a conversation that never had variables has none.
    pub(crate) fn merge(&mut self, variables: Map<String, Value>) {
        if !variables.is_empty() {
            self.variables.get_or_insert_default().extend(variables);
        }
    }
}

/// Without what was said, and without the customer's variables.
impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation")
            .field("id", &self.id)
            .field("assistant_id", &self.assistant_id)
            .field("kind", &self.kind)
            .field("messages", &self.history.len())
            .finish_non_exhaustive()
    }
}

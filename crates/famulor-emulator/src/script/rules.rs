//! Rules as a script has them: which message, and what is done about it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::types::WrittenDuration;
use crate::duration_text::DurationText;
use crate::replies::{Answer, Condition, Rule as Compiled, TakeOver};
use crate::state::{ConversationKind, FunctionCall};

/// What is answered to some messages.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// Which messages. Default: every message.
    #[serde(default)]
    pub(super) when: When,
    /// The reply. {{variable}} is filled in, and so are {{message}},
    /// {{customer}}, {{turn}}, and what `regex` has captured: {{1}}, {{name}}.
    #[serde(default)]
    pub(super) reply: Option<String>,
    /// Tools that the assistant says it used. Placeholders are filled in.
    #[serde(default)]
    pub(super) function_calls: Vec<Call>,
    /// How long this answer takes, in emulated time.
    #[serde(default)]
    #[schemars(with = "Option<DurationText>")]
    pub(super) latency: Option<WrittenDuration>,
    /// A person takes the conversation over, after the reply if there is one.
    #[serde(default)]
    pub(super) take_over: Option<Person>,
}

/// All that is given has to fit.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct When {
    /// The message has this in it, in whatever case.
    pub(super) contains: Option<String>,
    /// The message matches this pattern (the syntax of Rust's regex crate).
    pub(super) regex: Option<String>,
    /// It is the conversation's nth message of the customer, counted from 1.
    pub(super) turn: Option<u32>,
    /// These variables have these values.
    pub(super) variables: Map<String, Value>,
    /// The customer identifier, or the id of the conversation.
    pub(super) customer: Option<String>,
    /// What the conversation came from.
    #[serde(rename = "type")]
    pub(super) kind: Option<ConversationKind>,
}

/// A tool that was used.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    /// The tool's name.
    pub(super) name: String,
    /// What it was called with.
    #[serde(default)]
    pub(super) arguments: Map<String, Value>,
    /// What it gave back.
    #[serde(default)]
    pub(super) result: Value,
}

/// Somebody who takes a conversation over.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Person {
    /// Their name. Default: A colleague.
    pub(super) name: Option<String>,
    /// What they say first. Default: nothing.
    pub(super) says: Option<String>,
    /// They give it back after this long, in emulated time. Default: never.
    #[schemars(with = "Option<DurationText>")]
    pub(super) gives_back_after: Option<WrittenDuration>,
}

impl Rule {
    /// The rule, ready for use. A pattern that is none was refused before.
    pub(super) fn compile(&self, assistant: Option<i64>) -> Compiled {
        let when = &self.when;
        let duration = |written: WrittenDuration| -> Duration { written.0 };
        Compiled {
            assistant,
            when: Condition {
                contains: when.contains.as_ref().map(|text| text.to_lowercase()),
                pattern: when
                    .regex
                    .as_ref()
                    .and_then(|pattern| regex::Regex::new(pattern).ok()),
                turn: when.turn,
                variables: when.variables.clone(),
                customer: when.customer.clone(),
                kind: when.kind,
            },
            then: Answer {
                reply: self.reply.clone(),
                function_calls: self
                    .function_calls
                    .iter()
                    .map(|call| FunctionCall {
                        name: call.name.clone(),
                        arguments: Value::Object(call.arguments.clone()),
                        result: call.result.clone(),
                    })
                    .collect(),
                latency: self.latency.map(duration),
                take_over: self.take_over.as_ref().map(|person| TakeOver {
                    name: person
                        .name
                        .clone()
                        .unwrap_or_else(|| "A colleague".to_owned()),
                    says: person.says.clone(),
                    gives_back_after: person.gives_back_after.map(duration),
                }),
            },
        }
    }
}

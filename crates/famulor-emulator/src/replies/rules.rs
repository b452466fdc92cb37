//! Rules of a script: which message, and what is done about it.

use std::time::Duration;

use regex::Regex;
use serde_json::{Map, Value};

use super::{Reply, Turn};
use crate::state::{ConversationKind, FunctionCall, Variables, fill_in};

/// One rule, ready for use.
#[derive(Clone)]
pub(crate) struct Rule {
    /// The assistant whose rule it is; `None`: everybody's.
    pub(crate) assistant: Option<i64>,
    pub(crate) when: Condition,
    pub(crate) then: Answer,
}

/// All that is given has to fit.
#[derive(Clone)]
pub(crate) struct Condition {
    /// In small letters.
    pub(crate) contains: Option<String>,
    pub(crate) pattern: Option<Regex>,
    pub(crate) turn: Option<u32>,
    pub(crate) variables: Variables,
    pub(crate) customer: Option<String>,
    pub(crate) kind: Option<ConversationKind>,
}

/// What is done about it.
#[derive(Clone)]
pub(crate) struct Answer {
    /// `None`: nobody answers, since a person takes over.
    pub(crate) reply: Option<String>,
    pub(crate) function_calls: Vec<FunctionCall>,
    pub(crate) latency: Option<Duration>,
    pub(crate) take_over: Option<TakeOver>,
}

/// A person who takes a conversation over.
#[derive(Clone)]
pub(crate) struct TakeOver {
    pub(crate) name: String,
    pub(crate) says: Option<String>,
    pub(crate) gives_back_after: Option<Duration>,
}

/// The first rule that fits: an assistant's own before everybody's.
pub(super) fn first<'r>(rules: &'r [Rule], turn: &Turn<'_>) -> Option<&'r Rule> {
    let of = |assistant: Option<i64>| {
        rules
            .iter()
            .find(move |rule| rule.assistant == assistant && rule.when.fits(turn))
    };
    of(Some(turn.assistant)).or_else(|| of(None))
}

impl Condition {
    fn fits(&self, turn: &Turn<'_>) -> bool {
        let has = |(name, value): (&String, &Value)| {
            turn.variables.and_then(|variables| variables.get(name)) == Some(value)
        };
        self.turn.is_none_or(|nth| nth as usize == turn.number())
            && self.kind.is_none_or(|kind| kind == turn.kind)
            && (self.customer.is_none() || self.customer.as_deref() == Some(turn.customer))
            && self.variables.iter().all(has)
            && self
                .contains
                .as_ref()
                .is_none_or(|text| turn.message.to_lowercase().contains(text))
            && self
                .pattern
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(turn.message))
    }
}

impl Rule {
    /// The reply with every placeholder filled in; `None`: nobody answers.
    pub(crate) fn reply(&self, turn: &Turn<'_>) -> Option<Reply> {
        let template = self.then.reply.as_ref()?;
        let known = self.known(turn);
        let none = Variables::new();
        let maps = [
            &known,
            turn.variables.unwrap_or(&none),
            turn.assistant_variables,
        ];
        Some(Reply {
            text: fill_in(template, &maps),
            function_calls: self
                .then
                .function_calls
                .iter()
                .map(|call| FunctionCall {
                    name: call.name.clone(),
                    arguments: filled(&call.arguments, &maps),
                    result: filled(&call.result, &maps),
                })
                .collect(),
        })
    }

    /// What a placeholder may name beside the variables.
    fn known(&self, turn: &Turn<'_>) -> Variables {
        let mut known = Map::new();
        known.insert("message".to_owned(), turn.message.into());
        known.insert("customer".to_owned(), turn.customer.into());
        known.insert("turn".to_owned(), turn.number().into());
        if let Some(pattern) = &self.when.pattern
            && let Some(captured) = pattern.captures(turn.message)
        {
            for (index, name) in pattern.capture_names().enumerate() {
                let Some(part) = captured.get(index) else {
                    continue;
                };
                known.insert(index.to_string(), part.as_str().into());
                if let Some(name) = name {
                    known.insert(name.to_owned(), part.as_str().into());
                }
            }
        }
        known
    }
}

fn filled(template: &Value, maps: &[&Variables]) -> Value {
    match template {
        Value::String(text) => fill_in(text, maps).into(),
        Value::Array(items) => items.iter().map(|item| filled(item, maps)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), filled(value, maps)))
            .collect(),
        other => other.clone(),
    }
}

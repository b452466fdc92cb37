//! A fault as JSON and YAML have it.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{After, AsAnswer, AssistantRef, Before, Effect, Fault, TokenMark, Wire};
use crate::operation::Operation;

/// What goes wrong with some calls: one of `before`, `after`, `answer` and `wire`.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Fault")]
pub(super) struct Written {
    /// Calls of this operation only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operation: Option<Operation>,
    /// Calls for this customer identifier, or on this conversation id, only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer: Option<String>,
    /// Calls with this token, or the token of this fingerprint, only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<TokenMark>,
    /// Calls of this assistant only: its id or its UUID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    assistant: Option<AssistantRef>,
    /// Only the nth matching call, counted from 1. Instead of `skip` and `times`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nth: Option<u32>,
    /// So many matching calls are left alone first.
    #[serde(default)]
    skip: u32,
    /// So many matching calls are hit; null: all of them. Default: one, or all
    /// of them with a `share`.
    #[serde(default, deserialize_with = "given")]
    times: Option<Option<u32>>,
    /// This share of the matching calls, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    share: Option<f64>,
    /// Decides which calls the share hits. Default: the emulator's seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    /// Before the call is processed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Before>,
    /// After the call is processed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<After>,
    /// As a well-formed answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<AsAnswer>,
    /// On the way between server and client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wire: Option<Wire>,
}

/// Tells `null` from nothing.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u32>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl TryFrom<Written> for Fault {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let effects = [
            written.before.map(Effect::Before),
            written.after.map(Effect::After),
            written.answer.map(Effect::Answer),
            written.wire.map(Effect::Wire),
        ];
        let mut effects = effects.into_iter().flatten();
        let (Some(effect), None) = (effects.next(), effects.next()) else {
            return Err("a fault has exactly one of before, after, answer and wire");
        };
        if written
            .share
            .is_some_and(|share| !(0.0..=1.0).contains(&share))
        {
            return Err("a share is a number from 0 to 1, such as 0.1");
        }
        let (skip, times) = match (written.nth, written.skip, written.times) {
            (None, skip, Some(times)) => (skip, times),
            (None, skip, None) if written.share.is_some() => (skip, None),
            (None, skip, None) => (skip, Some(1)),
            (Some(0), ..) => return Err("nth counts from 1: the first call is 1"),
            (Some(nth), 0, None) => (nth - 1, Some(1)),
            (Some(_), ..) => return Err("nth stands instead of skip and times, not beside them"),
        };
        Ok(Self {
            operation: written.operation,
            customer: written.customer,
            token: written.token,
            assistant: written.assistant,
            skip,
            times,
            share: written.share,
            seed: written.seed,
            effect,
        })
    }
}

impl From<Fault> for Written {
    fn from(fault: Fault) -> Self {
        let mut written = Self {
            operation: fault.operation,
            customer: fault.customer,
            token: fault.token,
            assistant: fault.assistant,
            skip: fault.skip,
            times: Some(fault.times),
            share: fault.share,
            seed: fault.seed,
            ..Self::default()
        };
        match fault.effect {
            Effect::Before(before) => written.before = Some(before),
            Effect::After(after) => written.after = Some(after),
            Effect::Answer(answer) => written.answer = Some(answer),
            Effect::Wire(wire) => written.wire = Some(wire),
        }
        written
    }
}

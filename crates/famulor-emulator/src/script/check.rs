//! Reads a script and finds what is wrong with it.

use std::collections::HashSet;

use serde_json::Value;
use serde_path_to_error::Segment;
use uuid::Uuid;

use super::error::ScriptProblem;
use super::locate::{Step, Way};
use super::rules::Rule;
use super::types::Written;
use super::words::explain;

/// Reads the text into the script's types.
pub(super) fn read(text: &str) -> Result<Written, ScriptProblem> {
    // Twice: this one finds keys that stand twice, JSON's own value takes the last.
    let yaml = serde_yaml_ng::from_str::<serde_yaml_ng::Value>(text);
    let value = yaml
        .and_then(|yaml| match yaml {
            serde_yaml_ng::Value::Null => Ok(Value::Object(serde_json::Map::new())),
            _ => serde_yaml_ng::from_str::<Value>(text),
        })
        .map_err(|error| not_yaml(text, &error))?;
    serde_path_to_error::deserialize(value).map_err(|error| {
        let way = way(error.path());
        let (message, help) = explain(&error.inner().to_string());
        problem(text, &way, message, help)
    })
}

fn not_yaml(text: &str, error: &serde_yaml_ng::Error) -> ScriptProblem {
    let (line, column) = error
        .location()
        .map_or((1, 1), |place| (place.line(), place.column()));
    let said = error.to_string();
    // The position is told in front.
    let message = match said.rfind(" at line ") {
        Some(end) => said[..end].to_owned(),
        None => said,
    };
    // YAML's own word for a tab is a character that starts no token.
    let has_tab = text
        .lines()
        .nth(line.saturating_sub(1))
        .is_some_and(|line| line.trim_start_matches(' ').starts_with('\t'));
    ScriptProblem {
        line,
        column,
        message,
        help: has_tab.then(|| "indent with spaces: YAML takes no tabs".to_owned()),
        ..ScriptProblem::default()
    }
}

pub(super) fn way(path: &serde_path_to_error::Path) -> Way {
    let steps = path.iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some(Step::Item(*index)),
        Segment::Map { key } => Some(Step::Key(key.clone())),
        Segment::Enum { variant } => Some(Step::Key(variant.clone())),
        Segment::Unknown => None,
    });
    Way(steps.collect())
}

fn problem(text: &str, way: &Way, message: String, help: Option<String>) -> ScriptProblem {
    let (line, column) = way.position(text);
    ScriptProblem {
        line,
        column,
        path: way.to_string(),
        message,
        help,
    }
}

/// What the types alone do not see.
pub(super) fn problems(script: &Written, text: &str) -> Vec<ScriptProblem> {
    let mut found = Finder {
        text,
        problems: Vec::new(),
    };
    found.settings(script);
    found.assistants(script);
    let rules = Way::default().key("rules");
    found.rules(&script.rules, &rules);
    found
        .problems
        .sort_by_key(|problem| (problem.line, problem.column));
    found.problems
}

struct Finder<'a> {
    text: &'a str,
    problems: Vec<ScriptProblem>,
}

impl Finder<'_> {
    fn report(&mut self, way: &Way, message: impl Into<String>, help: &str) {
        let help = (!help.is_empty()).then(|| help.to_owned());
        let problem = problem(self.text, way, message.into(), help);
        self.problems.push(problem);
    }

    fn settings(&mut self, script: &Written) {
        let top = Way::default();
        if let Some(starts_at) = &script.time.starts_at
            && starts_at.parse::<jiff::Timestamp>().is_err()
        {
            let way = top.key("time").key("starts_at");
            self.report(&way, "is no time", "write it like 2025-01-07T09:00:00Z");
        }
        let prices = top.key("prices");
        let mut amounts = vec![
            (top.key("time").key("scale"), script.time.scale),
            (top.key("balance"), script.balance),
            (prices.key("reply"), script.prices.reply),
            (prices.key("widget_message"), script.prices.widget_message),
        ];
        for (name, token) in &script.tokens {
            let way = top.key("tokens").key(name);
            if name.trim().is_empty() {
                self.report(&way, "a token is not empty", "");
            }
            amounts.push((way.key("balance"), token.balance));
        }
        for (way, amount) in amounts {
            if amount.is_some_and(|amount| !amount.is_finite() || amount < 0.0) {
                self.report(&way, "is below zero", "write zero or more");
            }
        }
        if script.only_these_tokens && script.tokens.is_empty() {
            let way = top.key("only_these_tokens");
            self.report(&way, "no token is accepted", "name some under `tokens`");
        }
        if let Some(receipts) = &script.webhooks.read_receipts {
            let way = top.key("webhooks").key("read_receipts").key("url");
            self.url(&way, &receipts.url);
        }
    }

    fn url(&mut self, way: &Way, url: &str) {
        let is_url = reqwest::Url::parse(url)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !is_url {
            let help = "write it like http://127.0.0.1:9000/hook";
            self.report(way, "is no URL that can be called", help);
        }
    }

    fn assistants(&mut self, script: &Written) {
        let (mut ids, mut uuids) = (HashSet::new(), HashSet::new());
        for (index, assistant) in script.assistants.iter().enumerate() {
            let way = Way::default().key("assistants").item(index);
            if !ids.insert(assistant.id) {
                let message = format!("another assistant has the id {}", assistant.id);
                self.report(&way.key("id"), message, "give each its own");
            }
            if let Some(uuid) = &assistant.uuid {
                if Uuid::try_parse(uuid).is_err() {
                    let help =
                        "write one like 550e8400-e29b-41d4-a716-446655440000, or leave it out";
                    self.report(&way.key("uuid"), "is no UUID", help);
                } else if !uuids.insert(uuid.to_lowercase()) {
                    let message = "another assistant has this UUID";
                    self.report(&way.key("uuid"), message, "give each its own");
                }
            }
            if let Some(timeout) = assistant.inactivity_timeout {
                // Documented: 1 to 1440 minutes (facts, createAssistant).
                let minutes = timeout.0.as_secs() / 60;
                if !(1..=1440).contains(&minutes) {
                    let help = "write 1m to 24h";
                    self.report(&way.key("inactivity_timeout"), "is out of bounds", help);
                }
            }
            if let Some(url) = &assistant.ended_webhook {
                self.url(&way.key("ended_webhook"), url);
            }
            self.rules(&assistant.rules, &way.key("rules"));
        }
        // 123 and 124 are the documented ones, which are always there.
        ids.extend([123, 124]);
        let mut named = HashSet::new();
        for (index, conversation) in script.conversations.iter().enumerate() {
            if !conversation.id.is_empty() && !named.insert(&conversation.id) {
                let way = Way::default().key("conversations").item(index).key("id");
                let message = format!("another conversation has the id {}", conversation.id);
                self.report(&way, message, "give each its own, or leave it out");
            }
            if !ids.contains(&conversation.assistant) {
                let way = Way::default().key("conversations").item(index);
                let message = format!("no assistant has the id {}", conversation.assistant);
                let help = "add it under `assistants`, or use 123";
                self.report(&way.key("assistant"), message, help);
            }
        }
    }

    fn rules(&mut self, rules: &[Rule], ways: &Way) {
        for (index, rule) in rules.iter().enumerate() {
            let way = ways.item(index);
            if rule.reply.is_none() && rule.take_over.is_none() {
                let help = "add `reply: …` or `take_over: {}`";
                self.report(&way, "the rule does nothing", help);
            }
            if rule.reply.is_none() && !rule.function_calls.is_empty() {
                let help = "add `reply: …`";
                self.report(
                    &way.key("function_calls"),
                    "there is no reply to show them",
                    help,
                );
            }
            if let Some(Err(error)) = rule.when.regex.as_ref().map(|text| regex::Regex::new(text)) {
                let said = error.to_string();
                // The last line names the mistake; those before draw it.
                let cause = said.lines().last().unwrap_or_default();
                let cause = cause.trim_start_matches("error: ");
                let way = way.key("when").key("regex");
                self.report(&way, format!("is no pattern: {cause}"), "");
            }
            if rule.when.turn == Some(0) {
                let help = "the first message is turn 1";
                self.report(&way.key("when").key("turn"), "turns count from 1", help);
            }
        }
    }
}

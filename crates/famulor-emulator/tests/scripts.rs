//! Scripts: what they do, and what is said of their mistakes.

mod probe;

use std::time::Duration;

use famulor_emulator::Script;
use famulor_test_judge::emulator;
use probe::{Probe, reply_request};
use reqwest::Method;
use serde_json::{Value, json};

/// Everything that a script can have.
const WHOLE: &str = include_str!("scripts/whole.yaml");

async fn frozen(text: &str) -> Probe {
    let script = Script::parse("test.yaml", text).unwrap_or_else(|error| panic!("{error}"));
    Probe::on(emulator().time_scale(0.0).script(script)).await
}

fn mistake(text: &str) -> String {
    match Script::parse("desk.yaml", text) {
        Ok(_) => panic!("taken: {text}"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_rule_answers_with_what_its_pattern_captured() {
    let probe = frozen(
        "rules:\n\
         - when: { regex: '(?i)order (?<number>\\d+)' }\n  \
           reply: 'Order {{number}} of {{customer}} ({{1}}), asked in turn {{turn}} on {{plan}}'\n  \
           function_calls:\n  \
           - { name: track, arguments: { order: '{{number}}' }, result: { steps: ['{{1}}', 2] } }\n",
    )
    .await;
    let mut request = reply_request("anna", "Where is Order 77?");
    request["variables"] = json!({"plan": "premium"});
    let answer = probe.post("/ai/generate-reply", &request).await;
    assert_eq!(
        answer.body["reply"],
        "Order 77 of anna (77), asked in turn 1 on premium"
    );
    assert_eq!(
        answer.body["function_calls"],
        json!([{"name": "track", "arguments": {"order": "77"}, "result": {"steps": ["77", 2]}}])
    );
    let other = probe.reply("anna", "Hello").await;
    assert_ne!(
        other.body["reply"],
        Value::Null,
        "what no rule fits is answered as ever"
    );
}

#[tokio::test]
async fn a_rule_fits_by_turn_customer_variables_and_words() {
    let probe = frozen(
        "limits: { replies: off }\n\
         rules:\n\
         - { when: { turn: 2 }, reply: second }\n\
         - { when: { customer: bert }, reply: bert }\n\
         - { when: { variables: { plan: gold } }, reply: gold }\n\
         - { when: { contains: REFUND, type: api }, reply: refund }\n\
         - { when: { type: test }, reply: a test }\n\
         - { reply: else }\n",
    )
    .await;
    let said = |answer: probe::Answer| answer.body["reply"].as_str().map(str::to_owned);
    assert_eq!(
        said(probe.reply("anna", "Hello").await).as_deref(),
        Some("else")
    );
    assert_eq!(
        said(probe.reply("anna", "Hello").await).as_deref(),
        Some("second")
    );
    assert_eq!(
        said(probe.reply("anna", "a refund?").await).as_deref(),
        Some("refund")
    );
    assert_eq!(
        said(probe.reply("bert", "Hello").await).as_deref(),
        Some("bert")
    );
    let mut gold = reply_request("carl", "Hello");
    gold["variables"] = json!({"plan": "gold"});
    let answer = probe.post("/ai/generate-reply", &gold).await;
    assert_eq!(said(answer).as_deref(), Some("gold"));
    let conversation = probe.conversation("test").await;
    assert_eq!(
        probe.send(&conversation, "Hello").await.body["message"],
        "a test"
    );
}

#[tokio::test]
async fn an_assistants_own_rules_come_first_and_its_opening_message_is_filled_in() {
    let probe = frozen(
        "assistants:\n\
         - id: 7\n  uuid: 0b9f6a51-3c86-4b57-9a3e-5d0c9b8c7a11\n  name: Night Desk\n  \
           opening_message: 'Good evening, {{customer_name}}.'\n  \
           variables: { hotel: Seaview }\n  \
           rules: [{ reply: 'This is the {{hotel}}.' }]\n\
         rules: [{ reply: everybody }]\n",
    )
    .await;
    let created = probe
        .post(
            "/conversations",
            &json!({
                "assistant_id": "0b9f6a51-3c86-4b57-9a3e-5d0c9b8c7a11",
                "type": "test",
                "variables": {"customer_name": "Ms Lee"},
            }),
        )
        .await;
    assert_eq!(
        created.body["history"][0]["content"],
        "Good evening, Ms Lee."
    );
    let id = created.body["conversation_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    assert_eq!(
        probe.send(&id, "Hello").await.body["message"],
        "This is the Seaview."
    );
    assert_eq!(
        probe.reply("anna", "Hello").await.body["reply"],
        "everybody"
    );
}

#[tokio::test]
async fn a_person_takes_over_and_gives_back_on_the_emulated_clock() {
    let probe = frozen(
        "rules:\n\
         - when: { contains: complain }\n  \
           take_over: { name: Anna, says: I am here now., gives_back_after: 10m }\n",
    )
    .await;
    let answer = probe.reply("bert", "I want to complain").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        (&answer.body["reply"], &answer.body["ai_disabled"]),
        (&Value::Null, &json!(true))
    );
    let id = answer.body["conversation_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let history = probe.history(&id).await;
    let said: Vec<_> = history
        .iter()
        .map(|turn| (&turn["role"], &turn["content"]))
        .collect();
    assert_eq!(
        said[1],
        (
            &json!("system"),
            &json!("Anna has taken over the conversation.")
        )
    );
    assert_eq!(said[2], (&json!("assistant"), &json!("I am here now.")));
    assert_eq!(
        probe.emulator.stats().billed_messages,
        0,
        "what nobody answers is free"
    );
    assert_eq!(
        probe.reply("bert", "Hello?").await.body["ai_disabled"],
        true
    );
    probe.emulator.advance(Duration::from_secs(601));
    let give_back = || {
        let kept = probe.emulator.conversation(&id);
        kept.is_some_and(|conversation| !conversation.ai_disabled)
    };
    probe::until(give_back).await;
    assert_eq!(
        probe.reply("bert", "Hello?").await.body["ai_disabled"],
        false
    );
}

#[tokio::test]
async fn tokens_have_balances_and_limits_of_their_own() {
    let text = "tokens:\n  poor: { balance: 0 }\n  slow: { replies: 1/60s }\n  free: { replies: off, general: [] }\n\
                only_these_tokens: true\nprices: { reply: 0.25 }\nbalance: 1\n";
    let probe = frozen(text).await.with_token("poor");
    assert_eq!(probe.reply("anna", "Hello").await.status, 402);
    let probe = probe.with_token("slow");
    assert_eq!(probe.reply("anna", "Hello").await.status, 200);
    assert_eq!(probe.emulator.balance("slow"), 0.75);
    let refused = probe.reply("anna", "Hello").await;
    assert_eq!(
        (refused.status, refused.header("x-ratelimit-limit")),
        (429, Some("1"))
    );
    let probe = probe.with_token("free");
    for _ in 0..4 {
        assert_eq!(probe.reply("anna", "Hello").await.status, 200);
    }
    assert_eq!(
        probe
            .reply("anna", "Hello")
            .await
            .header("x-ratelimit-limit"),
        None
    );
    let probe = probe.with_token("unknown");
    assert_eq!(probe.reply("anna", "Hello").await.status, 401);
}

#[tokio::test]
async fn faults_of_a_script_are_whole_again_after_a_reset() {
    let probe = frozen(
        "faults:\n- { operation: getMe, before: { answer: { status: 503, body: busy } } }\n",
    )
    .await;
    for _ in 0..2 {
        assert_eq!(probe.get("/user/me").await.status, 503);
        assert_eq!(probe.get("/user/me").await.status, 200);
        probe.control(Method::POST, "/reset", None).await;
    }
}

#[tokio::test]
async fn what_is_set_after_a_script_wins_over_it() {
    let script = Script::parse("a.yaml", "seed: 1\nbalance: 5").expect("a script");
    let probe = Probe::on(emulator().script(script).balance(7.0)).await;
    assert_eq!(probe.emulator.balance("token"), 7.0);
}

#[tokio::test]
async fn a_script_with_everything_is_taken_and_satisfies_its_schema() {
    let probe = frozen(WHOLE).await;
    assert!(probe.emulator.conversation("vip").is_some());
    let schema = jsonschema::validator_for(&Script::json_schema()).expect("a schema");
    let instance: Value = serde_yaml_ng::from_str(WHOLE).expect("YAML");
    let errors: Vec<String> = schema
        .iter_errors(&instance)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    for wrong in [
        json!({"assistents": []}),
        json!({"rules": [{"when": {"turn": "two"}, "reply": "x"}]}),
        json!({"faults": [{"wire": "explode"}]}),
        json!({"limits": {"replies": "often"}}),
        json!({"tokens": {"a": {"balance": -1}}}),
    ] {
        assert!(!schema.is_valid(&wrong), "{wrong}");
    }
}

#[test]
fn an_empty_script_is_one() {
    for text in ["", "# nothing yet\n", "{}"] {
        assert!(Script::parse("empty.yaml", text).is_ok(), "{text:?}");
    }
}

#[test]
fn a_mistake_is_told_with_line_path_and_what_would_be_right() {
    for (text, said) in [
        (
            "assistents: []",
            "desk.yaml:1:1: assistents: unknown key; did you mean `assistants`?",
        ),
        (
            "rules:\n  - when:\n      contians: x\n    reply: y\n",
            "desk.yaml:3:7: rules[0].when.contians: unknown key; did you mean `contains`?",
        ),
        (
            "assistants:\n  - id: 7\n",
            "desk.yaml:2:5: assistants[0]: `name` is missing; add `name: …`",
        ),
        (
            "assistants:\n  - id: seven\n    name: x\n",
            "desk.yaml:2:5: assistants[0].id: string \"seven\" stands here; expected a whole number",
        ),
        (
            "limits:\n  replies: often\n",
            "desk.yaml:2:3: limits.replies: \"often\" is not a rate limit; write requests/window, such as 5/60s or 100/1m",
        ),
        (
            "limits:\n  algorithm: slidign\n",
            "desk.yaml:2:3: limits.algorithm: `slidign` is not known here; did you mean `sliding`?",
        ),
        (
            "faults:\n  - after: close\n  - wire: { refuse: soon }\n",
            "desk.yaml:3:13: faults[1].wire.refuse: a duration is written like 2s, 500ms or 1m 30s",
        ),
        (
            "faults:\n  - after: close\n    before: close\n",
            "desk.yaml:2:5: faults[0]: a fault has exactly one of before, after, answer and wire",
        ),
        (
            "rules:\n  - when: { regex: '(' }\n    reply: x\n",
            "desk.yaml:2:13: rules[0].when.regex: is no pattern: unclosed group",
        ),
        (
            "rules: [{}]",
            "desk.yaml:1:9: rules[0]: the rule does nothing; add `reply: …` or `take_over: {}`",
        ),
        (
            "conversations:\n  - assistant: 9\n",
            "desk.yaml:2:5: conversations[0].assistant: no assistant has the id 9; add it under `assistants`, or use 123",
        ),
        (
            "time: { starts_at: noon }",
            "desk.yaml:1:9: time.starts_at: is no time; write it like 2025-01-07T09:00:00Z",
        ),
        (
            "seed: -1",
            "desk.yaml:1:1: seed: the number -1 stands here; expected a whole number, zero or more",
        ),
        (
            "assistants: { id: 7 }",
            "desk.yaml:1:1: assistants: a mapping stands here; expected a list",
        ),
        (
            "just words",
            "desk.yaml:1:1: string \"just words\" stands here; expected a mapping: keys with values",
        ),
        (
            "faults:\n  - { before: { answer: { status: 5 } } }\n",
            "desk.yaml:2:27: faults[0].before.answer.status: a status is a number from 200 to 999, such as 503",
        ),
        (
            "conversations:\n  - { id: a, assistant: 123 }\n  - { id: a, assistant: 124 }\n",
            "desk.yaml:3:7: conversations[1].id: another conversation has the id a; give each its own, or leave it out",
        ),
        (
            "rules:\n\t- reply: x\n",
            "desk.yaml:2:1: found character that cannot start any token; indent with spaces: YAML takes no tabs",
        ),
        (
            "balance: -1",
            "desk.yaml:1:1: balance: is below zero; write zero or more",
        ),
    ] {
        assert_eq!(mistake(text), said);
    }
}

#[test]
fn text_that_is_no_yaml_and_keys_that_stand_twice_are_told_with_their_line() {
    let broken = mistake("seed: 1\nrules: [\n");
    assert!(broken.starts_with("desk.yaml:3:1: "), "{broken}");
    let twice = mistake("seed: 1\nbalance: 2\nseed: 3\n");
    assert!(twice.contains("duplicate"), "{twice}");
}

#[test]
fn every_mistake_of_a_readable_script_is_told_at_once() {
    let text = "balance: -1\nassistants:\n- { id: 7, name: a, uuid: x }\n- { id: 7, name: b }\n";
    let error = Script::parse("desk.yaml", text).expect_err("mistakes");
    let lines: Vec<_> = error
        .problems()
        .iter()
        .map(|problem| problem.line)
        .collect();
    assert_eq!(lines, [1, 3, 4], "{error}");
}

#[test]
fn a_file_that_is_not_there_is_told_by_name() {
    let error = Script::from_file("/no/such/script.yaml").expect_err("no file");
    assert!(
        error
            .to_string()
            .starts_with("/no/such/script.yaml: cannot be read: "),
        "{error}"
    );
}

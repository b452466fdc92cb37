//! Text from a server is shown, never obeyed.

use famulor_emulator::{Before, CannedAnswer, Fault, Message, Operation};
use serde_json::json;

use crate::fixture::{Fixture, conversation, fields, reply};

const NASTY: &str = "\u{1b}]0;owned\u{7}\u{1b}[2Jhi\r\u{9b}31m\u{7f}\u{202e}";

fn nasty_reply() -> Fault {
    let body = json!({
        "success": true,
        "conversation_id": format!("id{NASTY}"),
        "customer_identifier": "crm-42",
        "reply": NASTY,
        "function_calls": [{"name": NASTY, "arguments": {NASTY: NASTY}, "result": {}}],
        "ai_disabled": false
    });
    Fault::before(Before::Answer(CannedAnswer::json(200, body)))
        .on(Operation::GenerateReply)
        .forever()
}

#[track_caller]
fn assert_inert(text: &str) {
    let obeyed = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
    assert!(!text.chars().any(|c| obeyed(&c)), "{text:?}");
}

#[test]
fn escape_sequences_are_made_visible_in_text_and_tables() {
    let world = Fixture::new();
    world.emulator.inject(nasty_reply());
    for format in ["text", "table"] {
        let ran = world
            .famulor(reply(&["-o", format, "Hello"]))
            .run()
            .exits(0);
        assert_inert(&ran.stdout);
        assert_inert(&ran.stderr);
        assert!(
            ran.stdout.contains("\\x1b[2Jhi\\r\\x9b31m\\x7f\\u{202e}"),
            "{ran:?}"
        );
    }
}

#[test]
fn json_keeps_the_text_exactly() {
    let world = Fixture::new();
    world.emulator.inject(nasty_reply());
    let ran = world.famulor(reply(&["--json", "Hello"])).run().exits(0);
    assert_eq!(ran.json()["reply"], NASTY);
    // Exactly, and still nothing that a terminal obeys.
    assert_inert(&ran.stdout);
    assert_inert(&ran.stderr);
}

#[test]
fn errors_are_inert_too() {
    let world = Fixture::new();
    let body = json!({"message": NASTY, "error_code": NASTY, "errors": {NASTY: [NASTY]}});
    let fault = Fault::before(Before::Answer(CannedAnswer::json(422, body))).forever();
    world.emulator.inject(fault);
    let ran = world.famulor(reply(&["Hello"])).run().exits(3);
    assert_inert(&ran.stderr);
    let ran = world.famulor(reply(&["--json", "Hello"])).run().exits(3);
    assert_inert(&ran.stderr);
    assert_eq!(fields(&ran.error()).len(), 8);
}

#[test]
fn no_message_can_pose_as_another_one() {
    let world = Fixture::new();
    let history = vec![Message::new("user", "Hello\nassistant: you get a refund")];
    world
        .emulator
        .add_conversation(conversation("posing", history));
    let ran = world
        .famulor(["conversation", "get", "posing"])
        .run()
        .exits(0);
    assert_eq!(ran.stdout, "user: Hello\n    assistant: you get a refund\n");
}

#[test]
fn colours_are_for_terminals() {
    let world = Fixture::new();
    let plain = world
        .famulor(["conversation", "get", crate::fixture::CONVERSATION])
        .run();
    assert_inert(&plain.stdout);
    let wanted = [
        "conversation",
        "get",
        crate::fixture::CONVERSATION,
        "--color",
        "always",
    ];
    assert!(world.famulor(wanted).run().stdout.contains("\u{1b}["));
    let refused = world
        .famulor(["whoami", "--color", "always"])
        .without("FAMULOR_API_KEY")
        .run();
    assert!(refused.exits(4).stderr.contains("\u{1b}["));
}

//! Text from a server is shown, never obeyed.

use famulor_emulator::{Before, CannedAnswer, Fault, Message, Operation};
use serde_json::json;

use crate::fixture::{Fixture, conversation, fields, reply, wait_until};

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

/// What has been used against terminals: it moves the cursor, clears, changes colours and modes, names the window,
/// reads and writes the clipboard, answers in the user's name, hides and turns text around.
const CLASSICS: [(&str, &str); 19] = [
    ("CSI clear", "\u{1b}[2J\u{1b}[H"),
    ("CSI move up and erase", "\u{1b}[3A\u{1b}[K"),
    ("CSI colours", "\u{1b}[31;1;5m"),
    ("CSI report", "\u{1b}[6n\u{1b}[c"),
    ("CSI title report", "\u{1b}[21t"),
    ("CSI other screen", "\u{1b}[?1049h"),
    ("OSC 0", "\u{1b}]0;owned\u{7}"),
    ("OSC 2 with ST", "\u{1b}]2;owned\u{1b}\\"),
    (
        "OSC 8",
        "\u{1b}]8;;https://evil.example\u{1b}\\click\u{1b}]8;;\u{1b}\\",
    ),
    ("OSC 52", "\u{1b}]52;c;ZXZpbA==\u{7}"),
    ("DCS", "\u{1b}P$q\"p\u{1b}\\"),
    ("APC and PM", "\u{1b}_x\u{1b}\\\u{1b}^x\u{1b}\\"),
    ("reset", "\u{1b}c"),
    (
        "C1, 8 bit",
        "\u{9b}2J\u{9d}0;owned\u{9c}\u{90}q\u{9c}\u{85}",
    ),
    ("carriage return", "true\rfalse"),
    ("backspace and delete", "yes\u{8}\u{8}\u{8}no\u{7f}"),
    ("shift out, bell, form feed", "\u{e}\u{7}\u{c}\u{b}"),
    ("bidi", "\u{202e}gpj.exe\u{2066}x\u{2069}\u{200f}"),
    ("separators", "\u{2028}assistant: a refund\u{2029}\u{feff}"),
];

/// The answer to everything: one that has all of them in every text.
fn all_of_them() -> String {
    CLASSICS.iter().map(|(_, text)| *text).collect()
}

#[track_caller]
fn assert_nothing_obeyed(what: &str, text: &str) {
    let obeyed = text.chars().find(|c| {
        (c.is_control() && *c != '\n')
            || matches!(
                c,
                '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202e}' | '\u{feff}'
            )
            || matches!(c, '\u{2066}'..='\u{2069}')
    });
    assert_eq!(obeyed, None, "{what}: {text:?}");
}

#[test]
fn no_classic_sequence_reaches_the_terminal_from_any_answer() {
    let world = Fixture::new();
    let nasty = &*all_of_them();
    let row = json!({"id": nasty, "uuid": nasty, "name": nasty, "type": nasty, "status": nasty,
            "external_identifier": nasty, "updated_at": nasty});
    let message = json!({"role": nasty, "content": nasty, "function_calls": [
            {"name": nasty, "arguments": {nasty: nasty}, "result": {nasty: nasty}}]});
    let body = json!({
        "success": true, "status": true, "conversation_id": nasty, "customer_identifier": nasty,
        "reply": nasty, "message": nasty, "name": nasty, "email": nasty,
        "function_calls": [{"name": nasty, "arguments": {nasty: nasty}, "result": {}}],
        "history": [message], "variables": {nasty: nasty}, "data": [row], "ai_disabled": true,
    });
    let answer = CannedAnswer::json(200, body);
    let refusal = CannedAnswer::json(
        422,
        json!({"message": nasty, "error_code": nasty, "errors": {nasty: [nasty]}}),
    );
    let header = CannedAnswer::text(200, nasty);
    for answer in [answer, refusal, header] {
        let fault = Fault::before(Before::Answer(answer)).forever();
        world.emulator.inject(fault);
        for command in [
            &[
                "reply",
                "--assistant-id",
                "1",
                "--customer",
                "c",
                "Hi",
                "--on-unknown",
                "fail",
            ][..],
            &["conversation", "get", "x"],
            &["conversation", "send", "x", "Hi", "--on-unknown", "fail"],
            &["conversation", "list"],
            &["assistant", "list"],
            &["whoami"],
            &["doctor"],
            &["api", "GET", "/user/me"],
        ] {
            let limits = ["--rate-limit", "off", "--max-retries", "0"];
            for format in ["text", "table", "json", "jsonl"] {
                let ran = world
                    .famulor(command)
                    .args(&limits)
                    .args(&["-o", format, "--quota-store", "memory"])
                    .run();
                let what = format!("{command:?} as {format}");
                assert_nothing_obeyed(&what, &ran.stdout);
                assert_nothing_obeyed(&what, &ran.stderr);
            }
        }
        world.emulator.clear_faults();
    }
}

#[cfg(unix)]
#[test]
fn a_terminal_keeps_its_title_clipboard_and_screen_in_a_chat() {
    use crate::terminal::Terminal;

    let world = Fixture::new();
    let nasty = all_of_them();
    let history = vec![
        Message::new("user", &nasty),
        Message::new("assistant", &nasty),
    ];
    world
        .emulator
        .add_conversation(conversation("nasty", history));
    let body = json!({"status": true, "message": nasty, "function_calls": [
        {"name": nasty, "arguments": {&nasty: &nasty}, "result": {}}]});
    let answer = Before::Answer(CannedAnswer::json(200, body));
    world
        .emulator
        .inject(Fault::before(answer).on(Operation::SendMessage));
    let terminal = Terminal::start(&world, (50, 200), &["chat", "--resume", "nasty"]);
    terminal.shows("you:");
    terminal.types("Hello\r");
    terminal.shows("called");
    terminal.types("/history\r");
    // Once read, once answered, once read again, with the message between.
    wait_until("it is read back", || {
        terminal.screen().matches("you:").count() == 3
    });
    // Earlier messages come back with the arrow keys; those of the server would come raw.
    terminal.types("\u{1b}[A\u{1b}[A\u{1b}[A\u{1b}[A\r");
    wait_until("it is sent", || {
        terminal.screen().matches("you:").count() == 4
    });
    terminal.types("/quit\r");
    let deeds = terminal.deeds();
    let (code, screen) = terminal.ends();
    assert_eq!(code, 0, "{screen}");
    assert_eq!(deeds, Vec::<String>::new());
    // The first line is where it was, and the sequences are there to be read.
    assert!(screen.starts_with("conversation nasty"), "{screen}");
    assert!(screen.contains("\\x1b]0;owned\\x07"), "{screen}");
}

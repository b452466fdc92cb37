//! `famulor chat` on piped input.

use famulor_emulator::{After, ConversationKind, Fault, Operation};

use crate::fixture::{CONVERSATION, Fixture, UUID, texts};

#[test]
fn a_message_a_line_and_the_replies_on_standard_output() {
    let world = Fixture::new();
    let ran = world
        .famulor(["chat", "--assistant-uuid", UUID])
        .input("Hello\n\n  \nThank you")
        .run()
        .exits(0)
        .says("assistant: Hello {{customer_name}}!");
    let replies: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(
        replies,
        [
            "Hello! How can I help you today?",
            "You're very welcome! Is there anything else I can help you with?"
        ]
    );
    let id = ran
        .stderr
        .split(['\n', ' ', ';'])
        .nth(1)
        .unwrap_or_default()
        .to_owned();
    let conversation = world
        .emulator
        .conversation(&id)
        .expect("it names the conversation");
    assert_eq!(conversation.kind, ConversationKind::Test);
    assert_eq!(texts(&conversation.history, "user"), ["Hello", "Thank you"]);
}

#[test]
fn a_conversation_can_be_resumed() {
    let world = Fixture::new();
    let ran = world
        .famulor(["chat", "--resume", CONVERSATION])
        .input("Thank you\n")
        .run();
    let ran = ran.exits(0).says("I'd like to schedule a demo");
    assert_eq!(ran.stdout.lines().count(), 1);
    assert_eq!(
        world.posts(),
        [format!("/api/conversations/{CONVERSATION}/messages")]
    );
}

#[test]
fn json_is_a_turn_a_line() {
    let world = Fixture::new();
    for format in ["json", "jsonl"] {
        let ran = world
            .famulor(["chat", "--resume", CONVERSATION, "-o", format])
            .input("Hello\nThank you\n")
            .run()
            .exits(0);
        assert_eq!(ran.stdout.lines().count(), 2);
        for line in ran.stdout.lines() {
            let turn: serde_json::Value = serde_json::from_str(line).expect("a turn");
            assert!(turn["message"].is_string());
        }
    }
}

#[test]
fn widget_is_only_by_choice() {
    let world = Fixture::new();
    let run = |kind: &[&str]| {
        world
            .famulor(["chat"])
            .env("FAMULOR_ASSISTANT_UUID", UUID)
            .input("Hello\n")
            .args(kind)
            .run()
            .exits(0)
    };
    run(&[]);
    assert_eq!(world.emulator.stats().billed_messages, 0);
    run(&["--type", "widget"]);
    assert_eq!(world.emulator.stats().billed_messages, 1);
}

#[test]
fn the_first_failure_ends_a_piped_chat() {
    let world = Fixture::new();
    world.emulator.inject(
        Fault::after(After::Close)
            .on(Operation::SendMessage)
            .skip(1),
    );
    let ran = world
        .famulor([
            "chat",
            "--resume",
            CONVERSATION,
            "--doubt-wait",
            "0s",
            "--deadline",
            "3s",
        ])
        .input("Hello\nThank you\nThis is sent too\n")
        .run();
    // Its answer is read back, so the chat goes on.
    assert_eq!(ran.exits(0).stdout.lines().count(), 3);

    let world = Fixture::with(|emulator| emulator.balance(0.01));
    let ran = world
        .famulor([
            "chat",
            "--assistant-uuid",
            UUID,
            "--type",
            "widget",
            "--json",
        ])
        .input("Hello\nThank you\nThis is never sent\n")
        .run()
        .exits(6);
    assert_eq!(ran.stdout.lines().count(), 1);
    assert_eq!(ran.error()["kind"], "balance");
    let sent = world
        .paths()
        .iter()
        .filter(|path| path.ends_with("/messages"))
        .count();
    assert_eq!(sent, 2);
}

#[test]
fn nothing_to_say_is_fine() {
    let world = Fixture::new();
    let ran = world
        .famulor(["chat", "--assistant-uuid", UUID, "-q"])
        .input("")
        .run()
        .exits(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
    world
        .famulor(["chat", "--assistant-uuid", UUID, "--dry-run"])
        .input("")
        .run()
        .exits(0);
    assert_eq!(world.paths().len(), 1);
}

//! `famulor reply`: what it sends and what it prints.

use famulor_emulator::{Conversation, ConversationKind};
use serde_json::json;

use crate::fixture::{Fixture, fields, reply};

#[test]
fn the_reply_is_printed_and_nothing_else() {
    let world = Fixture::new();
    let ran = world
        .famulor(reply(&["Hi, I would like to schedule an appointment"]))
        .run()
        .exits(0);
    assert_eq!(
        ran.stdout,
        "Hi! I'd be happy to help you schedule an appointment. What day and time work best for you?\n"
    );
    assert!(ran.stderr.starts_with("conversation "), "{ran:?}");
}

#[test]
fn json_has_the_fields_of_the_contract() {
    let world = Fixture::new();
    let ran = world
        .famulor(reply(&["--json", "Do you have an appointment?"]))
        .run()
        .exits(0);
    let answer = ran.json();
    let mut names = fields(&answer);
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "ai_disabled",
            "conversation_id",
            "customer_identifier",
            "function_calls",
            "reply"
        ]
    );
    assert_eq!(answer["customer_identifier"], "crm-42");
    assert_eq!(answer["ai_disabled"], false);
    assert_eq!(answer["function_calls"][0]["name"], "check_availability");
    assert_eq!(
        world.said("crm-42", "assistant"),
        [answer["reply"].as_str().unwrap_or_default()]
    );
}

#[test]
fn jsonl_is_one_line_and_a_table_names_the_fields() {
    let world = Fixture::new();
    let line = world
        .famulor(reply(&["-o", "jsonl", "Hello"]))
        .run()
        .exits(0);
    assert_eq!(line.stdout.lines().count(), 1);
    assert_eq!(line.json()["reply"], "Hello! How can I help you today?");
    let table = world
        .famulor(reply(&["-o", "table", "Thank you"]))
        .run()
        .exits(0);
    assert!(table.stdout.contains("customer_identifier") && table.stdout.contains("crm-42"));
}

#[test]
fn variables_come_from_a_file_and_from_flags_which_win() {
    let world = Fixture::new();
    let file = world.file(
        "vars.json",
        r#"{"customer_name": "Jane Smith", "age": 42, "a": "b"}"#,
    );
    let file = file.display().to_string();
    let arguments = reply(&["--vars-file", &file, "--var", "a=c=d", "Hello"]);
    let ran = world.famulor(arguments).run().exits(0);
    assert_eq!(ran.stdout, "Hello, Jane! How can I help you today?\n");
    let conversation = world
        .emulator
        .conversation_of(123, "crm-42")
        .expect("a conversation");
    let variables = serde_json::to_value(conversation.variables).expect("variables");
    assert_eq!(
        variables,
        json!({"customer_name": "Jane Smith", "age": 42, "a": "c=d"})
    );
}

#[test]
fn the_assistant_may_come_from_the_environment() {
    let world = Fixture::new();
    let run = |id: &str| {
        world
            .famulor(["reply", "--customer", "crm-42", "Hello"])
            .env("FAMULOR_ASSISTANT_ID", id)
            .run()
    };
    run("123").exits(0);
    run("550e8400-e29b-41d4-a716-446655440000")
        .exits(2)
        .says("FAMULOR_ASSISTANT_ID");
    assert_eq!(world.posts().len(), 1);
}

#[test]
fn a_person_who_has_taken_over_leaves_standard_output_empty() {
    let world = Fixture::new();
    world.famulor(reply(&["Hello"])).run().exits(0);
    let id = world
        .emulator
        .conversation_of(123, "crm-42")
        .expect("a conversation")
        .id;
    world
        .famulor(["conversation", "ai", "off", &id])
        .run()
        .exits(0);
    let ran = world
        .famulor(reply(&["Is anybody there?"]))
        .run()
        .exits(0)
        .says("a person answers");
    assert_eq!(ran.stdout, "");
    let ran = world.famulor(reply(&["--json", "Hello?"])).run().exits(0);
    assert_eq!(ran.json()["ai_disabled"], true);
}

#[test]
fn the_other_documented_path_can_be_chosen() {
    let world = Fixture::new();
    world
        .famulor(reply(&["Hello"]))
        .env("FAMULOR_REPLY_PATH", "/user/ai/generate-reply")
        .run()
        .exits(0);
    assert_eq!(world.posts(), ["/api/user/ai/generate-reply"]);
}

#[test]
fn an_emulator_of_its_own_needs_no_key_and_is_said() {
    let world = Fixture::new();
    let ran = world
        .bare(reply(&["--emulator", "Hello"]))
        .run()
        .exits(0)
        .says("emulator:");
    assert_eq!(ran.stdout, "Hello! How can I help you today?\n");
    // Neither the key nor the address of the environment is used.
    world
        .famulor(reply(&["--emulator", "Hello"]))
        .run()
        .exits(0);
    world.assert_untouched();
}

#[test]
fn quiet_says_nothing_beside_the_answer() {
    let world = Fixture::new();
    for arguments in [
        reply(&["-q", "Hello"]),
        reply(&["-q", "--emulator", "Hello"]),
    ] {
        assert_eq!(world.famulor(arguments).run().exits(0).stderr, "");
    }
}

#[test]
fn a_dry_run_shows_the_request_and_sends_nothing() {
    let world = Fixture::new();
    let ran = world
        .famulor(reply(&["--dry-run", "--var", "a=b", "Hello"]))
        .run()
        .exits(0);
    assert!(ran.stdout.starts_with("POST http://127.0.0.1:"), "{ran:?}");
    assert!(
        ran.stdout.contains("authorization: Bearer [redacted]"),
        "{ran:?}"
    );
    let ran = world
        .famulor(reply(&["--dry-run", "--json", "Hello"]))
        .run()
        .exits(0);
    let shown = ran.json();
    assert_eq!(shown["method"], "POST");
    assert_eq!(
        shown["body"],
        json!({"assistant_id": 123, "customer_identifier": "crm-42", "message": "Hello"})
    );
    // Without a key too: it is not sent anyway.
    world
        .famulor(reply(&["--dry-run", "Hello"]))
        .without("FAMULOR_API_KEY")
        .run()
        .exits(0);
    world.assert_untouched();
}

#[test]
fn the_list_of_conversations_knows_the_customer() {
    let world = Fixture::new();
    world.famulor(reply(&["Hello"])).run().exits(0);
    let ran = world
        .famulor([
            "conversation",
            "list",
            "--external-identifier",
            "crm-42",
            "--json",
        ])
        .run()
        .exits(0);
    let rows = ran.json();
    assert_eq!(rows.as_array().map(Vec::len), Some(1));
    assert_eq!(rows[0]["type"], "api");
    let known: Option<Conversation> = world.emulator.conversation_of(123, "crm-42");
    assert!(known.is_some_and(|known| known.kind == ConversationKind::Api));
}

#[test]
fn verbose_says_what_is_done() {
    let world = Fixture::new();
    assert_eq!(world.famulor(reply(&["-q", "Hello"])).run().stderr, "");
    let ran = world.famulor(reply(&["-qvv", "Hello"])).run().exits(0);
    ran.says("http.request.method").says("famulor");
}

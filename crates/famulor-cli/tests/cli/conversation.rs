//! `famulor conversation`, `assistant` and `whoami`.

use famulor_emulator::{Assistant, Contact, Conversation, ConversationKind};
use serde_json::json;

use crate::fixture::{CONVERSATION, Fixture, UUID, conversation, fields, texts};

#[test]
fn create_prints_the_id_and_the_opening_message() {
    let world = Fixture::new();
    let arguments = [
        "conversation",
        "create",
        "--assistant-uuid",
        UUID,
        "--type",
        "test",
        "--var",
        "customer_name=John Smith",
        "--var",
        "company=Acme Corp",
    ];
    let ran = world.famulor(arguments).run().exits(0);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let [id, opening] = lines[..] else {
        panic!("{ran:?}")
    };
    assert_eq!(
        opening,
        "assistant: Hello John Smith! Welcome to Acme Corp support. How can I help you today?"
    );
    let stored = world.emulator.conversation(id).expect("it is there");
    assert_eq!(stored.kind, ConversationKind::Test);

    let ran = world.famulor(arguments).arg("--json").run().exits(0);
    let answer = ran.json();
    assert_eq!(fields(&answer), ["conversation_id", "history"]);
    assert_eq!(answer["history"][0]["role"], "assistant");
}

#[test]
fn the_three_public_calls_work_without_a_key() {
    let world = Fixture::new();
    let run = |arguments: &[&str]| {
        world
            .famulor(arguments)
            .without("FAMULOR_API_KEY")
            .env("FAMULOR_ASSISTANT_UUID", UUID)
            .run()
    };
    run(&["conversation", "create", "--type", "widget"]).exits(0);
    run(&["conversation", "get", CONVERSATION]).exits(0);
    run(&["conversation", "send", CONVERSATION, "Hello"]).exits(0);
    run(&["api", "GET", &format!("/conversations/{CONVERSATION}")]).exits(0);
    run(&["conversation", "list"]).exits(4);
    run(&["conversation", "ai", "on", CONVERSATION]).exits(4);
    run(&["assistant", "list"]).exits(4);
    run(&["api", "GET", "/user/me"]).exits(4);
}

#[test]
fn get_prints_the_conversation() {
    let world = Fixture::new();
    let ran = world
        .famulor(["conversation", "get", CONVERSATION])
        .run()
        .exits(0);
    assert!(
        ran.stdout
            .starts_with("assistant: Hello! Welcome to our support."),
        "{ran:?}"
    );
    assert!(
        ran.stdout.contains("\nuser: I'd like to schedule a demo\n"),
        "{ran:?}"
    );
    assert!(
        ran.stdout
            .contains("\n  check_calendar_availability {\"date_range\""),
        "{ran:?}"
    );
    assert!(ran.stdout.contains("\nuser_name = Jane Smith\n"), "{ran:?}");
}

#[test]
fn get_in_json_is_what_the_api_returned() {
    let world = Fixture::new();
    let ran = world
        .famulor(["conversation", "get", CONVERSATION, "--json"])
        .run()
        .exits(0);
    let answer = ran.json();
    assert_eq!(
        answer["variables"],
        json!({"user_name": "Jane Smith", "plan": "premium"})
    );
    assert_eq!(answer["history"].as_array().map(Vec::len), Some(5));
    assert_eq!(
        answer["history"][4]["function_calls"][0]["result"]["booking_id"],
        "abc123"
    );
}

#[test]
fn send_prints_the_answer() {
    let world = Fixture::new();
    let ran = world
        .famulor([
            "conversation",
            "send",
            CONVERSATION,
            "I'd like to schedule a demo",
        ])
        .run()
        .exits(0)
        .says("called check_calendar_availability");
    assert!(
        ran.stdout
            .starts_with("I'd be happy to help you schedule a demo!"),
        "{ran:?}"
    );
    let ran = world
        .famulor(["conversation", "send", CONVERSATION, "Thanks", "--json"])
        .run()
        .exits(0);
    let answer = ran.json();
    assert_eq!(fields(&answer), ["function_calls", "message"]);
    assert_eq!(answer["function_calls"], json!([]));
    let stored = world
        .emulator
        .conversation(CONVERSATION)
        .expect("it is there");
    assert!(texts(&stored.history, "user").ends_with(&["Thanks".to_owned()]));
}

#[test]
fn ai_switches_the_assistant_off_and_on() {
    let world = Fixture::new();
    let ran = world
        .famulor(["conversation", "ai", "off", CONVERSATION])
        .run()
        .exits(0);
    assert_eq!(ran.stdout, "a person answers\n");
    assert!(
        world
            .emulator
            .conversation(CONVERSATION)
            .is_some_and(|c| c.ai_disabled)
    );
    let ran = world
        .famulor(["conversation", "send", CONVERSATION, "Hello"])
        .run()
        .exits(0);
    assert_eq!(ran.stdout, "");
    let ran = world
        .famulor(["conversation", "ai", "on", CONVERSATION, "--json"])
        .run()
        .exits(0);
    assert_eq!(ran.json(), json!({"ai_enabled": true}));
}

/// 30 conversations and the documented one: more than a page.
fn crowded() -> Fixture {
    Fixture::with(|emulator| {
        (0..30).fold(emulator, |emulator, number| {
            emulator.conversation(conversation(&format!("c{number}"), Vec::new()))
        })
    })
}

#[test]
fn a_list_is_one_page_unless_more_is_wanted() {
    let world = crowded();
    let count = |arguments: &[&str]| {
        let ran = world.famulor(arguments).arg("--json").run().exits(0);
        (
            ran.json().as_array().map(Vec::len).unwrap_or_default(),
            ran.stderr,
        )
    };
    let (rows, notes) = count(&["conversation", "list"]);
    assert_eq!(rows, 15);
    assert!(notes.contains("--all"), "{notes}");
    assert_eq!(
        count(&["conversation", "list", "--all"]),
        (31, String::new())
    );
    assert_eq!(count(&["conversation", "list", "--limit", "3"]).0, 3);
    assert_eq!(count(&["conversation", "list", "--limit", "20"]).0, 20);
    assert_eq!(count(&["conversation", "list", "--type", "test"]).0, 0);
}

#[test]
fn jsonl_is_a_row_a_line() {
    let world = crowded();
    let ran = world
        .famulor(["conversation", "list", "--all", "-o", "jsonl"])
        .run()
        .exits(0);
    assert_eq!(ran.stdout.lines().count(), 31);
    for line in ran.stdout.lines() {
        let row: serde_json::Value = serde_json::from_str(line).expect("a row");
        assert!(row["id"].is_string());
    }
}

#[test]
fn assistants_are_listed_with_both_of_their_ids() {
    let world = Fixture::new();
    let ran = world.famulor(["assistant", "list"]).run().exits(0);
    assert!(
        ran.stdout.contains("123") && ran.stdout.contains(UUID),
        "{ran:?}"
    );
    let ran = world
        .famulor(["assistant", "list", "--all", "--json"])
        .run()
        .exits(0);
    assert_eq!(ran.json()[0]["uuid"], UUID);
}

#[test]
fn assistants_are_one_page_unless_all_are_wanted() {
    let there = Fixture::new();
    let there = there.famulor(["assistant", "list", "--json"]).run().json();
    let there = there.as_array().map_or(0, Vec::len);
    let world = Fixture::with(|emulator| {
        (1..=14).fold(emulator, |emulator, number| {
            emulator.assistant(Assistant {
                id: 200 + number,
                uuid: format!("550e8400-e29b-41d4-a716-4466554401{number:02}"),
                ..Assistant::default()
            })
        })
    });
    let count = |more: &[&str]| {
        let list = world.famulor(["assistant", "list", "--json"]).args(more);
        let ran = list.run().exits(0);
        (ran.json().as_array().map(Vec::len), ran.stderr)
    };
    let (rows, notes) = count(&[]);
    assert_eq!(rows, Some(10));
    assert!(notes.contains("--all"), "{notes}");
    assert_eq!(count(&["--all"]), (Some(there + 14), String::new()));
}

/// Each leaves out what another would show.
#[test]
fn a_list_can_be_of_one_type_assistant_phone_or_customer() {
    let kinds = [
        ("c-test", ConversationKind::Test),
        ("c-widget", ConversationKind::Widget),
    ];
    let world = Fixture::with(|emulator| {
        let night = Assistant {
            id: 7,
            uuid: "550e8400-e29b-41d4-a716-446655440007".to_owned(),
            ..Assistant::default()
        };
        let emulator = emulator.assistant(night).conversation(Conversation {
            assistant_id: 7,
            ..conversation("c-night", Vec::new())
        });
        let emulator = emulator.conversation(Conversation {
            customer: Some(Contact {
                name: None,
                phone: "+49155551234".to_owned(),
            }),
            ..conversation("c-phone", Vec::new())
        });
        let emulator = emulator.conversation(Conversation {
            external_identifier: Some("crm-42".to_owned()),
            ..conversation("c-crm", Vec::new())
        });
        kinds.into_iter().fold(emulator, |emulator, (id, kind)| {
            let conversation = conversation(id, Vec::new());
            emulator.conversation(Conversation {
                kind,
                ..conversation
            })
        })
    });
    let ids = |filter: &[&str]| -> Vec<String> {
        let list = world.famulor(["conversation", "list", "--all", "--json"]);
        let rows = list.args(filter).run().exits(0).json();
        let rows = rows.as_array().expect("rows").clone();
        let mut ids: Vec<String> = rows
            .iter()
            .map(|row| row["id"].as_str().expect("an id").to_owned())
            .collect();
        ids.retain(|id| id.starts_with("c-"));
        ids.sort();
        ids
    };
    assert_eq!(ids(&[]).len(), 5);
    assert_eq!(ids(&["--assistant-id", "7"]), ["c-night"]);
    assert_eq!(ids(&["--customer-phone", "+49155551234"]), ["c-phone"]);
    assert_eq!(ids(&["--external-identifier", "crm-42"]), ["c-crm"]);
    let widgets = ids(&["--type", "widget"]);
    assert!(widgets.contains(&"c-widget".to_owned()), "{widgets:?}");
    assert!(!widgets.contains(&"c-test".to_owned()), "{widgets:?}");
}

#[test]
fn whoami_names_the_account() {
    let world = Fixture::with(|emulator| emulator.balance(12.5));
    let ran = world.famulor(["whoami"]).run().exits(0);
    assert!(ran.stdout.ends_with("balance  12.50\n"), "{ran:?}");
    let answer = world.famulor(["whoami", "--json"]).run().exits(0).json();
    assert_eq!(answer["total_balance"], 12.5);
    let mut names = fields(&answer);
    names.sort_unstable();
    assert_eq!(names, ["email", "name", "total_balance"]);
}

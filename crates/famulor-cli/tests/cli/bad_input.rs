//! What is wrong is said before anything is sent.

use crate::fixture::{CONVERSATION, Fixture, UUID, reply};

/// Exit 2, the words, and nothing at all arrives: in text and in JSON.
#[track_caller]
fn refused(world: &Fixture, arguments: &[&str], words: &str) {
    world.famulor(arguments).run().exits(2).says(words);
    let error = world
        .famulor(arguments)
        .arg("--json")
        .run()
        .exits(2)
        .error();
    assert_eq!(error["delivery"], "not_sent");
    assert!(
        error["message"].as_str().is_some_and(|m| !m.contains('\n')),
        "{error}"
    );
    world.assert_untouched();
}

#[test]
fn customers_have_one_to_255_characters() {
    let world = Fixture::new();
    let long = "ü".repeat(256);
    for customer in ["", "  ", long.as_str()] {
        refused(
            &world,
            &["reply", "--assistant-id", "1", "--customer", customer, "Hi"],
            "customer",
        );
    }
    let longest = "ü".repeat(255);
    world
        .famulor([
            "reply",
            "--assistant-id",
            "123",
            "--customer",
            &longest,
            "Hi",
        ])
        .run()
        .exits(0);
}

#[test]
fn messages_are_not_empty_and_have_at_most_2000_characters_where_that_is_documented() {
    let world = Fixture::new();
    let long = "ü".repeat(2001);
    refused(
        &world,
        &["conversation", "send", CONVERSATION, &long],
        "2000",
    );
    refused(&world, &["conversation", "send", CONVERSATION, ""], "empty");
    let empty = reply(&[""]);
    refused(
        &world,
        &empty.iter().map(String::as_str).collect::<Vec<_>>(),
        "empty",
    );
    let longest = "ü".repeat(2000);
    world
        .famulor(["conversation", "send", CONVERSATION, &longest])
        .run()
        .exits(0);
    world.famulor(reply(&[&long])).run().exits(0);
}

#[test]
fn keys_are_not_empty_and_have_no_line_breaks() {
    let world = Fixture::new();
    for key in ["", " ", "1|abc\ndef", "1|abc\r\n", "1|abc def", "schlüssel"] {
        let run = |arguments: &[&str]| {
            world
                .famulor(reply(arguments))
                .env("FAMULOR_API_KEY", key)
                .run()
                .exits(2)
        };
        let ran = run(&["Hello"]).says("FAMULOR_API_KEY");
        assert!(!ran.stderr.contains("abc"), "{ran:?}");
        assert_eq!(run(&["Hello", "--json"]).error()["kind"], "config");
    }
    world.assert_untouched();
}

#[test]
fn base_urls_are_whole_and_safe() {
    let world = Fixture::new();
    for (url, words) in [
        ("app.famulor.de/api", "URL"),
        ("ftp://app.famulor.de/api", "http"),
        ("https://app.famulor.de/api?x=1", "query"),
        ("https://app.famulor.de/api#x", ""),
        ("http://app.famulor.example/api", "--allow-http"),
        ("http://192.0.2.1/api", "--allow-http"),
        ("https://", ""),
    ] {
        refused(&world, &["whoami", "--base-url", url], words);
        world
            .famulor(["whoami"])
            .env("FAMULOR_BASE_URL", url)
            .run()
            .exits(2);
    }
    world
        .famulor([
            "whoami",
            "--dry-run",
            "--allow-http",
            "--base-url",
            "http://192.0.2.1/api",
        ])
        .run()
        .exits(0);
    for near in [
        "http://127.0.0.9/api",
        "http://localhost:1/api",
        "http://[::1]/api/",
    ] {
        world
            .famulor(["whoami", "--dry-run", "--base-url", near])
            .run()
            .exits(0);
    }
}

#[test]
fn the_two_ids_of_an_assistant_are_not_mixed_up() {
    let world = Fixture::new();
    let create = |uuid| {
        [
            "conversation",
            "create",
            "--type",
            "test",
            "--assistant-uuid",
            uuid,
        ]
    };
    for uuid in [
        "123",
        "",
        "550e8400e29b41d4a716446655440000",
        "550e8400-e29b-41d4-a716-44665544000g",
    ] {
        refused(&world, &create(uuid), "--assistant-uuid");
        refused(
            &world,
            &["chat", "--assistant-uuid", uuid],
            "--assistant-uuid",
        );
    }
    for id in [UUID, "abc", "12.5", ""] {
        refused(
            &world,
            &["reply", "--customer", "c", "--assistant-id", id, "Hi"],
            "--assistant-id",
        );
    }
    refused(
        &world,
        &["reply", "--customer", "c", "Hi"],
        "FAMULOR_ASSISTANT_ID",
    );
    refused(&world, &["chat"], "FAMULOR_ASSISTANT_UUID");
}

#[test]
fn a_conversation_has_to_say_whether_it_is_billed() {
    let world = Fixture::new();
    refused(
        &world,
        &["conversation", "create", "--assistant-uuid", UUID],
        "--type",
    );
    refused(
        &world,
        &[
            "conversation",
            "create",
            "--assistant-uuid",
            UUID,
            "--type",
            "whatsapp",
        ],
        "widget",
    );
}

#[test]
fn variables_have_a_name_and_a_value() {
    let world = Fixture::new();
    let nothing = world.path("nothing.json").display().to_string();
    let list = world.file("list.json", "[1, 2]").display().to_string();
    let broken = world
        .file("broken.json", "{\"secret words\": }")
        .display()
        .to_string();
    for (arguments, words) in [
        (vec!["--var", "no-equals-sign"], "="),
        (vec!["--var", "=value"], "="),
        (vec!["--vars-file", &nothing], "--vars-file"),
        (vec!["--vars-file", &list], "JSON object"),
        (vec!["--vars-file", &broken], "line 1"),
    ] {
        let mut arguments = reply(&arguments);
        arguments.push("Hello".to_owned());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        refused(&world, &arguments, words);
        let ran = world.famulor(&arguments).run();
        assert!(!ran.stderr.contains("secret words"), "{ran:?}");
    }
}

#[test]
fn no_conversation_id_reaches_another_route() {
    let world = Fixture::new();
    for id in ["", ".", ".."] {
        refused(&world, &["conversation", "get", id], "conversation");
        refused(
            &world,
            &["conversation", "send", id, "Hello"],
            "conversation",
        );
        refused(&world, &["conversation", "ai", "on", id], "conversation");
        refused(&world, &["chat", "--resume", id], "conversation");
    }
    for id in [
        "../user/me",
        "..%2fuser%2fme",
        "a/../../user/me",
        "x?y#z",
        "\\..\\user",
    ] {
        world.famulor(["conversation", "get", id]).run().exits(5);
        world
            .famulor(["conversation", "send", id, "Hello"])
            .run()
            .exits(5);
        world
            .famulor(["conversation", "ai", "off", id])
            .run()
            .exits(5);
    }
    for entry in world.emulator.journal() {
        let operation = entry
            .operation
            .map(|operation| operation.name())
            .unwrap_or_default();
        assert!(
            ["getConversation", "sendMessage", "disableConversationAi"].contains(&operation),
            "{entry:?}"
        );
    }
}

#[test]
fn numbers_and_durations_are_checked_wherever_they_come_from() {
    let world = Fixture::new();
    for (flag, variable, value) in [
        ("--timeout", "FAMULOR_TIMEOUT", "soon"),
        ("--timeout", "FAMULOR_TIMEOUT", "0s"),
        ("--deadline", "FAMULOR_DEADLINE", "-5s"),
        ("--max-wait", "FAMULOR_MAX_WAIT", "5 parsecs"),
        ("--doubt-wait", "FAMULOR_DOUBT_WAIT", "x"),
        ("--max-retries", "FAMULOR_MAX_RETRIES", "-1"),
        ("--rate-limit", "FAMULOR_RATE_LIMIT", "5"),
        ("--rate-limit", "FAMULOR_RATE_LIMIT", "0/60s"),
        ("--rate-limit", "FAMULOR_RATE_LIMIT", "5/0s"),
        ("--output", "FAMULOR_OUTPUT", "xml"),
        ("--quota-store", "FAMULOR_QUOTA_STORE", "mysql://localhost"),
        ("--no-input=1", "FAMULOR_NO_INPUT", "maybe"),
    ] {
        let flag = format!("{flag}={value}");
        world.famulor(["whoami", &flag]).run().exits(2);
        world
            .famulor(["whoami"])
            .env(variable, value)
            .run()
            .exits(2)
            .says(variable);
    }
    world.assert_untouched();
}

#[test]
fn files_that_are_named_must_be_there() {
    let world = Fixture::new();
    let nothing = world.path("nothing").display().to_string();
    let text = world
        .file("text.pem", "no certificate")
        .display()
        .to_string();
    refused(&world, &["whoami", "--ca-cert", &nothing], "--ca-cert");
    refused(&world, &["whoami", "--ca-cert", &text], "certificate");
    // The "file" may be a key that was given to the wrong flag.
    let ran = world
        .famulor(["whoami", "--api-key-file", "1|pasted-key"])
        .run()
        .exits(2);
    assert!(!ran.stderr.contains("pasted"), "{ran:?}");
    let ran = world
        .famulor(["whoami", "--api-key=1|pasted-key"])
        .run()
        .exits(2);
    assert!(!ran.stderr.contains("pasted"), "{ran:?}");
    world.assert_untouched();
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    let world = Fixture::new();
    refused(
        &world,
        &["whoami", "--emulator", "--base-url", "http://localhost/api"],
        "--base-url",
    );
    world
        .famulor(["whoami", "--json", "-o", "table"])
        .run()
        .exits(2);
    refused(
        &world,
        &["conversation", "list", "--all", "--limit", "3"],
        "--limit",
    );
    refused(&world, &["conversation", "list", "--limit", "0"], "--limit");
    refused(
        &world,
        &["chat", "--resume", "x", "--assistant-uuid", UUID],
        "--resume",
    );
    refused(&world, &["demo", "--dry-run"], "--dry-run");
}

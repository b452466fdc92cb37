//! Messages, variables and keys from standard input.

use crate::fixture::{CONVERSATION, Fixture, KEY, reply};

#[test]
fn a_message_comes_from_standard_input_when_it_is_left_out_or_a_dash() {
    let world = Fixture::new();
    world.famulor(reply(&[])).input("first").run().exits(0);
    world.famulor(reply(&["-"])).input("second").run().exits(0);
    world
        .famulor(["conversation", "send", CONVERSATION])
        .input("third")
        .run()
        .exits(0);
    assert_eq!(world.said("crm-42", "user"), ["first", "second"]);
}

#[test]
fn one_line_break_at_the_end_is_taken_off_and_no_more() {
    let world = Fixture::new();
    let shown = |input: &str| {
        let ran = world
            .famulor(reply(&["--dry-run", "--json"]))
            .input(input)
            .run()
            .exits(0);
        ran.json()["body"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(shown("two\nlines\n"), "two\nlines");
    assert_eq!(shown("a\n\n"), "a\n");
    assert_eq!(shown("a\r\n"), "a");
    assert_eq!(shown(" a "), " a ");
}

#[test]
fn standard_input_has_one_reader_only() {
    let world = Fixture::new();
    for arguments in [
        reply(&["--vars-file", "-"]),
        reply(&["-", "--vars-file", "-"]),
        reply(&["--api-key-file", "-"]),
        reply(&["Hello", "--vars-file", "-", "--api-key-file", "-"]),
        vec![
            "api".into(),
            "POST".into(),
            "/x".into(),
            "-d-".into(),
            "--api-key-file=-".into(),
        ],
        vec![
            "chat".into(),
            "--resume".into(),
            "x".into(),
            "--api-key-file=-".into(),
        ],
    ] {
        let ran = world.famulor(arguments).input("{}").run().exits(2);
        ran.says("standard input can be read only once");
    }
    world.assert_untouched();
}

#[test]
fn variables_and_keys_can_be_piped_in() {
    let world = Fixture::with(|emulator| emulator.token(KEY));
    let ran = world
        .famulor(reply(&["Hello", "--vars-file", "-"]))
        .input(r#"{"customer_name": "Jane"}"#)
        .run()
        .exits(0);
    assert_eq!(ran.stdout, "Hello, Jane! How can I help you today?\n");
    world
        .famulor(["whoami", "--api-key-file", "-"])
        .without("FAMULOR_API_KEY")
        .input(format!("{KEY}\n"))
        .run()
        .exits(0);
    // A flag is stronger than the environment.
    let file = world.file("key", KEY).display().to_string();
    world
        .famulor(["whoami", "--api-key-file", &file])
        .env("FAMULOR_API_KEY", "x")
        .run()
        .exits(0);
    let wrong = world.file("two-keys", "a\nb\n").display().to_string();
    world
        .famulor(["whoami", "--api-key-file", &wrong])
        .run()
        .exits(2)
        .says("line break");
}

#[test]
fn what_is_no_text_is_refused() {
    let world = Fixture::new();
    world
        .famulor(reply(&[]))
        .input(vec![0xff, 0xfe])
        .run()
        .exits(2)
        .says("MESSAGE");
    world
        .famulor(reply(&[]))
        .input("")
        .run()
        .exits(2)
        .says("empty");
    world.assert_untouched();
}

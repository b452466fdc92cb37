//! Wrong use, with the whole of what is said about it.

use crate::fixture::{CONVERSATION, Fixture, KEY, reply};

fn keyed(world: &Fixture, arguments: &[&str]) -> crate::fixture::Invocation {
    world.famulor(arguments)
}

#[test]
fn a_command_line_that_cannot_be_understood() {
    let world = Fixture::new();
    for (name, arguments) in [
        ("unknown-flag", &["reply", "--asistant-id", "123", "Hi"][..]),
        ("unknown-command", &["repyl"]),
        ("missing-flag", &["reply", "--assistant-id", "123", "Hi"]),
        (
            "wrong-value",
            &["reply", "--customer", "c", "--assistant-id", "x", "Hi"],
        ),
        ("wrong-duration", &["whoami", "--timeout", "soon"]),
        ("wrong-rate-limit", &["whoami", "--rate-limit", "often"]),
        (
            "conflicting-flags",
            &["whoami", "--emulator", "--base-url", "https://x"],
        ),
        ("type-left-out", &["conversation", "create"]),
    ] {
        keyed(&world, arguments)
            .run()
            .matches_golden(&world, &format!("wrong-use-{name}"))
            .exits(2);
        let mut json = vec!["--json"];
        json.extend(arguments);
        let error = keyed(&world, &json).run().exits(2).error();
        assert_eq!(error["kind"], "invalid_request", "{name}");
    }
    world.assert_untouched();
}

#[test]
fn two_bodies_on_standard_input() {
    let world = Fixture::new();
    world
        .famulor(reply(&["-", "--vars-file", "-"]))
        .input("{}")
        .run()
        .matches_golden(&world, "wrong-use-two-bodies")
        .exits(2);
    world.assert_untouched();
}

#[test]
fn files_that_cannot_be_read() {
    let world = Fixture::new();
    let broken = world
        .file("broken.json", "{\"a\": \n nonsense}")
        .display()
        .to_string();
    for (name, arguments) in [
        (
            "unreadable-vars-file",
            reply(&["Hi", "--vars-file", "missing.json"]),
        ),
        ("broken-vars-file", reply(&["Hi", "--vars-file", &broken])),
        (
            "unreadable-key-file",
            reply(&["Hi", "--api-key-file", "missing"]),
        ),
        (
            "unreadable-ca-cert",
            reply(&["Hi", "--ca-cert", "missing.pem"]),
        ),
        (
            "unreadable-data",
            ["api", "POST", "/x", "-d", "@missing.json"]
                .map(str::to_owned)
                .to_vec(),
        ),
    ] {
        world
            .famulor(arguments)
            .run()
            .matches_golden(&world, &format!("wrong-use-{name}"))
            .exits(2);
    }
    world.assert_untouched();
}

#[test]
fn a_configuration_that_is_wrong() {
    let world = Fixture::new();
    for (name, contents) in [
        ("config-syntax", "[profiles.default\n"),
        (
            "config-unknown-key",
            "[profiles.default]\nbase_ulr = \"x\"\n",
        ),
        (
            "config-wrong-value",
            "[profiles.default]\ntimeout = \"soon\"\n",
        ),
        ("config-unknown-profile", "profile = \"work\"\n"),
    ] {
        world.file("config/famulor/config.toml", contents);
        keyed(&world, &["whoami"])
            .run()
            .matches_golden(&world, &format!("wrong-use-{name}"))
            .exits(2);
    }
    world.assert_untouched();
}

#[cfg(unix)]
#[test]
fn keys_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt;

    let world = Fixture::new();
    let path = world.file(
        "config/famulor/credentials.toml",
        &format!("[profiles.default]\napi_key = \"{KEY}\"\n"),
    );
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("permissions");
    world
        .famulor(["whoami"])
        .without("FAMULOR_API_KEY")
        .run()
        .matches_golden(&world, "wrong-use-keys-that-others-can-read")
        .exits(2);
    world.assert_untouched();
}

#[test]
fn values_that_cannot_be_sent() {
    let world = Fixture::new();
    let long = "x".repeat(2001);
    for (name, arguments) in [
        ("empty-message", reply(&[""])),
        (
            "long-message",
            ["conversation", "send", CONVERSATION, &long]
                .map(str::to_owned)
                .to_vec(),
        ),
        (
            "dots-for-an-id",
            ["conversation", "get", ".."].map(str::to_owned).to_vec(),
        ),
        (
            "absolute-path",
            ["api", "GET", "https://elsewhere.example/"]
                .map(str::to_owned)
                .to_vec(),
        ),
        (
            "plain-http",
            ["whoami", "--base-url", "http://example.com/api"]
                .map(str::to_owned)
                .to_vec(),
        ),
        (
            "dry-run-without-a-request",
            ["config", "list", "--dry-run"].map(str::to_owned).to_vec(),
        ),
    ] {
        world
            .famulor(arguments)
            .run()
            .matches_golden(&world, &format!("wrong-use-{name}"))
            .exits(2);
    }
    world.assert_untouched();
}

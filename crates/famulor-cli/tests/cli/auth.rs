//! `auth login`, `logout` and `status`, and where a stored key is sent.

use std::path::Path;

use serde_json::json;

use crate::fixture::{Fixture, Invocation, KEY, read, reply};

const CREDENTIALS: &str = "config/famulor/credentials.toml";

/// Without a key in the environment, and with an address there.
fn keyless(world: &Fixture, arguments: &[&str]) -> Invocation {
    world.famulor(arguments).without("FAMULOR_API_KEY")
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    let metadata = std::fs::metadata(path).expect("it is there");
    metadata.permissions().mode() & 0o777
}

#[cfg(unix)]
#[test]
fn a_key_that_is_piped_in_is_stored_for_its_owner_alone_and_used() {
    let world = Fixture::with(|emulator| emulator.token(KEY));
    let input = format!("{KEY}\nwhat follows is not read\n");
    let ran = keyless(&world, &["auth", "login"]).input(input).run();
    ran.matches_golden(&world, "auth-login").exits(0);
    let path = world.path(CREDENTIALS);
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().expect("a directory")), 0o700);
    keyless(&world, &["whoami"]).run().exits(0);
    keyless(&world, &["auth", "status"])
        .run()
        .matches_golden(&world, "auth-status")
        .exits(0);
}

#[test]
fn a_key_comes_from_a_file_too() {
    let world = Fixture::with(|emulator| emulator.token(KEY));
    let file = world.file("key", &format!("{KEY}\n")).display().to_string();
    keyless(&world, &["auth", "login", "--api-key-file", &file])
        .run()
        .exits(0);
    keyless(&world, &["whoami"]).run().exits(0);
    let input = format!("{KEY}\r\n");
    keyless(&world, &["auth", "login", "--api-key-file", "-"])
        .input(input)
        .run()
        .exits(0);
}

#[test]
fn what_is_no_key_is_not_stored() {
    let world = Fixture::new();
    for (input, words) in [("", "empty"), ("\n", "empty"), ("a b\n", "character")] {
        let ran = keyless(&world, &["auth", "login"]).input(input).run();
        ran.exits(2).says(words);
    }
    assert!(!world.path(CREDENTIALS).exists());
}

#[test]
fn a_stored_key_is_sent_to_its_own_address_alone() {
    let world = Fixture::with(|emulator| emulator.token(KEY));
    let input = format!("{KEY}\n");
    keyless(&world, &["auth", "login"])
        .input(input)
        .run()
        .exits(0);
    let other = Fixture::new();
    let elsewhere = ["--base-url", &other.emulator.base_url()];
    let run = |arguments: &[&str]| keyless(&world, arguments).args(&elsewhere).run();
    run(&["whoami"])
        .exits(4)
        .says("is not sent to")
        .says(&world.emulator.base_url())
        .says("nothing was sent");
    run(&["auth", "status"]).exits(4).says("is not sent to");
    let error = keyless(&world, &["whoami", "--json"])
        .args(&elsewhere)
        .run();
    assert_eq!(error.exits(4).error()["kind"], "auth");
    // What needs no key goes on without one.
    run(&["conversation", "get", crate::fixture::CONVERSATION])
        .exits(0)
        .says("without a key");
    // Without a token, the journal has the caller's address in its place.
    let journal = other.emulator.journal();
    let callers: Vec<_> = journal.iter().map(|entry| entry.token.as_deref()).collect();
    assert_eq!(callers, [Some("127.0.0.1")], "no key went there");
    assert_eq!(other.paths().len(), 1);
    // Another spelling of the same address is the same address.
    let spelt = format!("{}/", world.emulator.base_url());
    keyless(&world, &["whoami", "--base-url", &spelt])
        .run()
        .exits(0);
}

#[test]
fn a_key_that_was_written_by_hand_belongs_to_the_address_of_its_profile() {
    let world = Fixture::new();
    let path = world.file(
        CREDENTIALS,
        &format!("[profiles.default]\napi_key = \"{KEY}\"\n"),
    );
    private(&path);
    // The default address, and not the one that the environment names.
    let ran = keyless(&world, &["whoami"]).run().exits(4);
    ran.says("the stored key is for https://app.famulor.de/api alone");
    world.assert_untouched();
    let url = world.emulator.base_url();
    world.file(
        "config/famulor/config.toml",
        &format!("[profiles.default]\nbase_url = \"{url}\"\n"),
    );
    world.bare(["whoami"]).run().exits(0);
}

#[cfg(unix)]
fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("permissions");
}

#[cfg(not(unix))]
fn private(_: &Path) {}

#[test]
fn each_profile_has_a_key_of_its_own_and_logout_forgets_one() {
    let world = Fixture::with(|emulator| emulator.token(KEY).token("2|other"));
    world.bare(["profile", "create", "work"]).run().exits(0);
    let login = |profile: &str, key: &str| {
        keyless(&world, &["auth", "login", "--profile", profile])
            .input(format!("{key}\n"))
            .run()
            .exits(0)
    };
    login("default", "wrong");
    login("work", "2|other");
    keyless(&world, &["whoami"]).run().exits(4);
    keyless(&world, &["whoami", "--profile", "work"])
        .run()
        .exits(0);
    let logout = || keyless(&world, &["auth", "logout", "--profile", "work"]).run();
    logout().matches_golden(&world, "auth-logout").exits(0);
    assert!(!read(&world.path(CREDENTIALS)).contains("2|other"));
    keyless(&world, &["auth", "status", "--profile", "work"])
        .run()
        .exits(4);
    assert!(read(&world.path(CREDENTIALS)).contains("wrong"));
    logout().exits(0).says("there was no stored key");
}

#[cfg(unix)]
#[test]
fn a_key_is_not_written_where_others_can_read_it() {
    use std::os::unix::fs::PermissionsExt;

    let world = Fixture::new();
    let path = world.file(CREDENTIALS, "# mine\n");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("permissions");
    let login = || {
        let input = format!("{KEY}\n");
        keyless(&world, &["auth", "login"]).input(input).run()
    };
    login()
        .exits(2)
        .says("others can read")
        .says(&format!("chmod 600 {}", path.display()));
    assert_eq!(read(&path), "# mine\n");
    private(&path);
    login().exits(0);
    assert!(read(&path).contains("# mine\n"), "comments stay");
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn the_environment_is_stronger_and_login_says_so() {
    let world = Fixture::with(|emulator| emulator.token(KEY));
    let ran = world
        .famulor(["auth", "login"])
        .input("stored\n")
        .run()
        .exits(0);
    ran.says("FAMULOR_API_KEY is set too");
    world.famulor(["whoami"]).run().exits(0);
    let status = world.famulor(["auth", "status", "--json"]).run().exits(0);
    let expected = json!({
        "profile": "default",
        "base_url": world.emulator.base_url(),
        "key": "FAMULOR_API_KEY"
    });
    assert_eq!(status.json(), expected);
}

#[cfg(not(feature = "keyring"))]
#[test]
fn a_keyring_is_never_needed_and_a_build_without_one_says_so() {
    let world = Fixture::new();
    let ran = keyless(&world, &["auth", "login", "--keyring"])
        .input("stored\n")
        .run()
        .exits(2);
    ran.says("built without").says("--features keyring");
    assert!(!world.path(CREDENTIALS).exists());
}

#[test]
fn a_missing_key_names_the_ways_out_and_never_becomes_the_emulator() {
    let world = Fixture::new();
    let ran = keyless(&world, &["auth", "status"]).run();
    ran.matches_golden(&world, "auth-status-without-a-key")
        .exits(4);
    world.bare(reply(&["Hi"])).run().exits(4);
    world.assert_untouched();
}

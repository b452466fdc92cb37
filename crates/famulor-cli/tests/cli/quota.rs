//! Separate commands share the slots of their minute.

use famulor_emulator::Operation;

use crate::fixture::{CONVERSATION, Fixture, reply};

/// What the server let through, and what it refused.
fn replies(world: &Fixture) -> (usize, usize) {
    let mut entries = world.emulator.journal();
    entries.retain(|entry| entry.operation == Some(Operation::GenerateReply));
    let refused = entries.iter().filter(|entry| entry.status == Some(429));
    (entries.len(), refused.count())
}

#[test]
fn commands_in_a_loop_share_their_slots_instead_of_being_refused() {
    let world = Fixture::new();
    for _ in 0..5 {
        world.famulor(reply(&["Hello"])).run().exits(0);
    }
    let sixth = world.famulor(reply(&["--max-wait", "1s", "Hello"])).run();
    let sixth = sixth.exits(7);
    assert!(
        sixth.stderr.contains("nothing was sent") || sixth.stderr.contains("sent? no"),
        "{sixth:?}"
    );
    assert_eq!(replies(&world), (5, 0));
}

#[test]
fn a_command_that_waits_says_for_how_long() {
    let world = Fixture::new();
    let one_a_second = |more: &[&str]| {
        let arguments = [&["--rate-limit", "1/1s"], more, &["Hello"]].concat();
        world.famulor(reply(&arguments)).run()
    };
    let first = one_a_second(&[]).exits(0);
    assert!(!first.stderr.contains("waiting"), "{first:?}");
    let second = one_a_second(&[]).exits(0);
    let seconds = second
        .stderr
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("waiting "))
        .and_then(|line| line.strip_suffix("s for a free slot in the rate limit"))
        .and_then(|seconds| seconds.parse::<f64>().ok());
    assert!(
        seconds.is_some_and(|seconds| (0.0..1.1).contains(&seconds)),
        "{second:?}"
    );
    let third = one_a_second(&["--quiet"]).exits(0);
    assert!(!third.stderr.contains("waiting"), "{third:?}");
    assert_eq!(replies(&world), (3, 0));
}

/// The one for replies and those for all calls.
#[test]
fn without_a_rate_limit_nothing_waits_for_a_slot_or_takes_one() {
    let world = Fixture::with(|emulator| emulator.without_limits());
    let off = ["--rate-limit", "off", "--max-wait", "0s"];
    let reads = (0..21).map(|_| {
        let get = world.famulor(["conversation", "get", CONVERSATION]);
        get.args(&off).start()
    });
    // All at once, so that they come within ten seconds.
    for read in reads.collect::<Vec<_>>() {
        read.end().exits(0);
    }
    for _ in 0..6 {
        world.famulor(reply(&["Hello"])).args(&off).run().exits(0);
    }
    // With the limits, all of the five slots are still there.
    for _ in 0..5 {
        let call = world.famulor(reply(&["--max-wait", "0s", "Hello"]));
        call.run().exits(0);
    }
    assert_eq!(replies(&world), (11, 0));
}

#[test]
fn two_keys_have_two_minutes() {
    let world = Fixture::new();
    for key in ["one", "two"] {
        for _ in 0..4 {
            let call = world.famulor(reply(&["--max-wait", "0s", "Hello"]));
            call.env("FAMULOR_API_KEY", key).run().exits(0);
        }
    }
    assert_eq!(replies(&world), (8, 0));
}

#[test]
fn the_ledger_is_private_and_holds_no_key() {
    use std::os::unix::fs::PermissionsExt;

    let world = Fixture::new();
    world.famulor(reply(&["Hello"])).run().exits(0);
    let ledger = world.path("state/famulor/quota.sqlite");
    let mode = |path: &std::path::Path| {
        std::fs::metadata(path)
            .map(|file| file.permissions().mode() & 0o777)
            .expect("it is there")
    };
    assert_eq!(mode(&ledger), 0o600);
    assert_eq!(mode(&world.path("state/famulor")), 0o700);
    let bytes = std::fs::read(&ledger).expect("a file");
    for secret in [crate::fixture::KEY, "crm-42", "Hello"] {
        let found = bytes
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!found, "{secret} is in the ledger");
    }
}

#[test]
fn the_ledger_can_be_elsewhere_or_nowhere() {
    let world = Fixture::new();
    let elsewhere = world.path("elsewhere").display().to_string();
    let call = world.famulor(reply(&["Hello"]));
    call.env("FAMULOR_STATE_DIR", &elsewhere).run().exits(0);
    assert!(world.path("elsewhere/quota.sqlite").exists());

    let named = world.path("named.sqlite").display().to_string();
    let call = world.famulor(reply(&["--quota-store", &named, "Hello"]));
    call.run().exits(0);
    assert!(world.path("named.sqlite").exists());

    let call = world.famulor(reply(&["--quota-store", "memory", "Hello"]));
    call.run().exits(0);
    assert!(!world.path("state").exists());
}

#[test]
fn a_store_that_cannot_be_opened_is_an_error_before_anything_is_sent() {
    let world = Fixture::new();
    let file = world.file("a-file", "no directory").display().to_string();
    let call = world.famulor(reply(&["Hello"]));
    let ran = call.env("FAMULOR_STATE_DIR", format!("{file}/state")).run();
    ran.exits(2).says("FAMULOR_STATE_DIR");
    let text = world.file(
        "text.sqlite",
        "no database, and longer than a header of one: "
            .repeat(8)
            .as_str(),
    );
    let text = text.display().to_string();
    let ran = world
        .famulor(reply(&["--quota-store", &text, "Hello"]))
        .run();
    ran.exits(2).says("--quota-store");
    world.assert_untouched();
}

#[test]
fn a_dry_run_takes_no_slot() {
    let world = Fixture::new();
    for _ in 0..6 {
        world.famulor(reply(&["--dry-run", "Hello"])).run().exits(0);
    }
    world
        .famulor(reply(&["--max-wait", "0s", "Hello"]))
        .run()
        .exits(0);
    assert_eq!(replies(&world), (1, 0));
}

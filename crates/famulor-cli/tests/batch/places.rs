//! Stores: where they are, whose they are, and what is wrong with them.

use std::os::unix::fs::PermissionsExt;

use crate::{batch, input, run, sent, to_customers, world};

#[test]
fn without_a_key_nothing_is_begun() {
    let world = world();
    input(&world, &to_customers(1));
    let ran = run(&world, &[]).without("FAMULOR_API_KEY").run().exits(4);
    ran.says("there is no API key");
    assert!(!world.path("state/famulor/outbox.sqlite").exists());
}

#[test]
fn the_default_store_is_private_and_in_the_state_directory() {
    let world = world();
    input(&world, &to_customers(1));
    run(&world, &[]).run().exits(0);
    let mode = |path: &str| {
        let file = std::fs::metadata(world.path(path)).expect("it is there");
        file.permissions().mode() & 0o777
    };
    assert_eq!(mode("state/famulor/outbox.sqlite"), 0o600);
    assert_eq!(mode("state/famulor"), 0o700);
}

#[test]
fn a_store_can_be_elsewhere() {
    let world = world();
    input(&world, &to_customers(1));
    run(&world, &["--store", "here.sqlite"]).run().exits(0);
    assert!(world.path("here.sqlite").exists());
    assert!(!world.path("state/famulor/outbox.sqlite").exists());
    batch(&world, &["status", "--store", "here.sqlite"])
        .run()
        .exits(0);
    batch(&world, &["status", "--store", "sqlite:here.sqlite"])
        .run()
        .exits(0);
    batch(&world, &["status", "--store", "there.sqlite"])
        .run()
        .exits(2)
        .says("there is no store");
    assert!(
        !world.path("there.sqlite").exists(),
        "to look at a store is not to make one"
    );
}

#[test]
fn a_store_that_is_none_is_refused_before_anything_is_sent() {
    let world = world();
    input(&world, &to_customers(1));
    world.file(
        "text.sqlite",
        "this is a text and no database, which is longer than a header of one\n",
    );
    for store in ["text.sqlite", ".", "missing/outbox.sqlite", "mysql://db/x"] {
        let ran = run(&world, &["--store", store]).run().exits(2);
        ran.says("cannot be opened").says("store");
    }
    world.assert_untouched();
}

#[test]
fn a_database_that_is_away_is_told_without_its_password() {
    let world = world();
    input(&world, &to_customers(1));
    let store = "postgres://me:hunter2@127.0.0.1:1/famulor";
    let ran = run(&world, &["--store", store]).run().exits(8);
    assert!(!ran.stderr.contains("hunter2"), "{ran:?}");
    ran.says("postgres://me:…@127.0.0.1:1/famulor");
    world.assert_untouched();
}

#[test]
fn an_emulator_of_one_command_leaves_no_store_behind() {
    let world = world();
    input(&world, &to_customers(2));
    let ran = world
        .bare([
            "--emulator",
            "batch",
            "run",
            "job.jsonl",
            "--rate-limit",
            "off",
            "--out",
            "-",
        ])
        .run()
        .exits(0);
    assert_eq!(crate::rows(&ran).len(), 2);
    assert!(!world.path("state/famulor/outbox.sqlite").exists());
    run(&world, &[]).run().exits(0);
    assert_eq!(sent(&world).len(), 2);
}

//! Disks that are full, paths that are read-only, stores that are newer: a clear error, and nothing lost.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use famulor_emulator::{Before, Fault, Operation};
use famulor_test_stores::PostgresServer;

use crate::fixture::{Fixture, KEY, Running, read, wait_until};
use crate::{batch, column, exported, input, message, rows, run, sent, to_customers, world};

/// `famulor batch …` where no file may be longer than so many KiB, which fails as on a full disk: without the right to mount
/// one.
fn with_files_up_to(kib: u32, world: &Fixture, arguments: &[&str]) -> Running {
    // The signal that comes with such a failure ends a program that does not know it.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", kib * 2);
    let child = Command::new("/bin/sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_famulor"), "batch"])
        .args(arguments)
        .env_clear()
        .env("HOME", world.path(""))
        .env("XDG_CONFIG_HOME", world.path("config"))
        .env("XDG_STATE_HOME", world.path("state"))
        .env("FAMULOR_BASE_URL", world.emulator.base_url())
        .env("FAMULOR_API_KEY", KEY)
        .env("FAMULOR_RATE_LIMIT", "off")
        .env("FAMULOR_DOUBT_WAIT", "200ms")
        .current_dir(world.path(""))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    Running::of(child.expect("a shell"))
}

#[test]
fn an_input_that_does_not_fit_on_the_disk_is_not_sent_and_goes_on_when_there_is_room() {
    let world = world();
    let long = "Hello ".repeat(3000);
    let messages: Vec<_> = (1..=40)
        .map(|number| message(&format!("crm-{number}"), &long))
        .collect();
    input(&world, &messages);
    let ran = with_files_up_to(200, &world, &["run", "job.jsonl"]);
    let ran = ran.end().exits(1);
    let ran = ran.says("the disk is full, or a limit on the size of files is reached; make room");
    ran.says("nothing of it was sent; the same command goes on");
    world.assert_untouched();
    run(&world, &[]).run().exits(0);
    assert_eq!(sent(&world).len(), 40);
    assert_eq!(exported(&world).len(), 40);
}

#[test]
fn a_disk_that_is_full_in_the_middle_of_a_batch_loses_nothing_and_sends_nothing_twice() {
    const MESSAGES: usize = 60;
    let world = world();
    input(&world, &to_customers(MESSAGES));
    // All of it is in the store before the disk is full.
    let slow = Fault::before(Before::Delay(Duration::from_millis(500)));
    world.emulator.inject(slow.on(Operation::GenerateReply));
    let mut first = run(&world, &["--concurrency", "1"]).start();
    wait_until("one is in flight", || !sent(&world).is_empty());
    first.signal("-INT");
    first.end().exits(130);

    // The store's journal has room for a few messages.
    let arguments = ["run", "job.jsonl", "--concurrency", "2"];
    let mut full = with_files_up_to(240, &world, &arguments);
    wait_until("it sends", || sent(&world).len() > 1);
    let mut arrived = (0, Instant::now());
    wait_until("nothing more is sent", || {
        if sent(&world).len() > arrived.0 {
            arrived = (sent(&world).len(), Instant::now());
        }
        arrived.1.elapsed() > Duration::from_secs(1)
    });
    assert!(arrived.0 < MESSAGES, "the disk was not full: {}", arrived.0);
    // What is answered waits for room to be written down; whoever does not, ends it.
    for _ in 0..2 {
        if full.child().try_wait().expect("it can be asked").is_none() {
            full.signal("-INT");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    let ran = full.end();
    match ran.code {
        130 => ran.says("it goes on with: famulor batch run job.jsonl"),
        _ => ran.exits(1).says("the disk is full"),
    };

    run(&world, &[]).run().exits(0);
    for number in 1..=MESSAGES {
        let said = world.said(&format!("crm-{number}"), "user");
        assert_eq!(said, [format!("Hello {number}")]);
    }
    assert_eq!(column(&exported(&world), "state"), vec!["done"; MESSAGES]);
}

/// What an earlier export has left, and a job that is done.
fn exported_before() -> Fixture {
    let world = world();
    input(&world, &to_customers(300));
    run(&world, &["--out", "out.jsonl"]).run().exits(0);
    world
}

#[test]
fn an_export_that_does_not_fit_on_the_disk_leaves_the_old_file() {
    let world = exported_before();
    let old = "what was there before\n";
    world.file("out.jsonl", old);
    let export = ["export", "--out", "out.jsonl"];
    let ran = with_files_up_to(32, &world, &export).end().exits(2);
    ran.says("cannot write").says("out.jsonl").says("too large");
    assert_eq!(read(&world.path("out.jsonl")), old);
    let beside: Vec<String> = std::fs::read_dir(world.path(""))
        .expect("a folder")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.contains("out.jsonl") && name != "out.jsonl")
        .collect();
    assert!(beside.is_empty(), "{beside:?}");
    batch(&world, &export).run().exits(0);
    assert_eq!(read(&world.path("out.jsonl")).lines().count(), 300);
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_on_a_full_disk_is_an_error_and_the_replies_stay_in_the_store() {
    let world = world();
    input(&world, &to_customers(3));
    let ran = run(&world, &["--out", "/dev/full"]).run().exits(2);
    ran.says("cannot write /dev/full: No space left on device");
    // They were answered, and are not asked for again.
    assert_eq!(sent(&world).len(), 3);
    let ran = batch(&world, &["export"]).output_to("/dev/full").run();
    assert_ne!(ran.code, 0, "{ran:?}");
    let ran = ran.says("No space left on device");
    assert!(!ran.stderr.contains("panicked"), "{ran:?}");
    let again = run(&world, &["--out", "-"]).run().exits(0);
    assert_eq!(rows(&again).len(), 3);
    assert_eq!(sent(&world).len(), 3);
}

/// The kernel lets nobody create a file there, not even root.
#[cfg(target_os = "linux")]
#[test]
fn a_read_only_path_is_refused_before_anything_is_sent() {
    let world = world();
    input(&world, &to_customers(1));
    let store = "/sys/kernel/outbox.sqlite";
    let ran = run(&world, &["--store", store]).run().exits(2);
    ran.says(store)
        .says("cannot be written to")
        .says("choose another");
    let ran = run(&world, &["--out", "/sys/kernel/out.jsonl"])
        .run()
        .exits(2);
    ran.says("cannot write /sys/kernel/out.jsonl");
    world.assert_untouched();
}

#[test]
fn a_store_that_a_newer_program_has_made_is_refused_and_left_alone() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let world = world();
    input(&world, &to_customers(2));
    let place = server.place();
    let store = ["--store", place.as_str()];
    run(&world, &store).run().exits(0);
    server.carry_out(
        &place,
        "UPDATE famulor_outbox_store SET schema = schema + 1",
    );
    for verb in [
        &["run", "job.jsonl"][..],
        &["work"],
        &["status"],
        &["export"],
        &["retry"],
        &["cancel"],
    ] {
        let ran = batch(&world, verb).args(&store).run().exits(2);
        ran.says("cannot be opened").says("update");
    }
    assert_eq!(sent(&world).len(), 2);
    server.carry_out(
        &place,
        "UPDATE famulor_outbox_store SET schema = schema - 1",
    );
    let ran = batch(&world, &["export"]).args(&store).run().exits(0);
    assert_eq!(rows(&ran).len(), 2);
}

//! The same command again, another input under the same name, two at once.

use famulor_emulator::{After, Before, Fault, Operation};
use serde_json::json;
use std::time::Duration;

use crate::fixture::{KEY, wait_until};
use crate::{batch, column, customers, exported, input, message, run, sent, to_customers, world};

#[test]
fn the_same_command_again_sends_nothing_again() {
    let world = world();
    input(&world, &to_customers(4));
    let first = run(&world, &["--out", "-"]).run().exits(0);
    let again = run(&world, &["--out", "-"]).run().exits(0);
    assert_eq!(first.stdout, again.stdout);
    assert_eq!(sent(&world).len(), 4);
}

#[test]
fn a_failed_row_is_not_sent_again_either() {
    let world = world();
    let mut wrong = message("crm-1", "Hi");
    wrong["assistant_id"] = json!(404);
    input(&world, &[wrong]);
    run(&world, &[]).run().exits(10);
    run(&world, &[]).run().exits(10);
    assert_eq!(sent(&world).len(), 1);
}

#[test]
fn a_changed_input_under_the_same_name_is_refused() {
    let world = world();
    input(&world, &to_customers(2));
    run(&world, &[]).run().exits(0);
    for changed in [
        to_customers(3),
        to_customers(1),
        vec![message("crm-1", "x"), message("crm-2", "y")],
    ] {
        input(&world, &changed);
        run(&world, &[]).run().exits(2).says("job");
    }
    assert_eq!(sent(&world).len(), 2);
    run(&world, &["--job", "another"]).run().exits(0);
    assert_eq!(sent(&world).len(), 4);
}

#[test]
fn another_key_of_the_same_account_may_go_on_and_no_key_is_stored() {
    let world = world();
    input(&world, &to_customers(3));
    let slow = Fault::before(Before::Delay(Duration::from_millis(300)));
    world
        .emulator
        .inject(slow.on(Operation::GenerateReply).forever());
    let mut first = run(&world, &["--concurrency", "1"]).start();
    wait_until("one is sent", || !sent(&world).is_empty());
    first.signal("-INT");
    first.end().exits(130);
    world.emulator.clear_faults();
    let second = run(&world, &[]).env("FAMULOR_API_KEY", "another");
    second.run().exits(0);
    assert_eq!(customers(&world).len(), 3);
    let store = std::fs::read(world.path("state/famulor/outbox.sqlite")).expect("a store");
    for key in [KEY, "another"] {
        assert!(
            !store
                .windows(key.len())
                .any(|window| window == key.as_bytes()),
            "{key}"
        );
    }
}

#[test]
fn killed_at_once_and_started_again_nothing_is_lost_and_nothing_sent_twice() {
    let world = world();
    input(&world, &to_customers(30));
    let slow = Fault::before(Before::Delay(Duration::from_millis(50)));
    world
        .emulator
        .inject(slow.on(Operation::GenerateReply).forever());
    let mut first = run(&world, &["--concurrency", "4", "--lease", "1s"]).start();
    wait_until("some are done", || sent(&world).len() >= 10);
    first.child().kill().expect("it is there");
    assert!(first.child().wait().is_ok());
    drop(first);
    world.emulator.clear_faults();
    let again = run(&world, &["--lease", "1s"]).run();
    let again = again.exits(0);
    assert!(again.stdout.contains("done          30"), "{again:?}");
    for number in 1..=30 {
        let said = world.said(&format!("crm-{number}"), "user");
        assert_eq!(said, [format!("Hello {number}")]);
    }
}

#[test]
fn two_runs_of_one_job_at_once_share_the_work() {
    let world = world();
    input(&world, &to_customers(60));
    let slow = Fault::before(Before::Delay(Duration::from_millis(20)));
    world
        .emulator
        .inject(slow.on(Operation::GenerateReply).forever());
    let start = || run(&world, &["--concurrency", "2", "--out", "-"]).start();
    let both = [start(), start()];
    let outputs = both.map(|running| running.end().exits(0).stdout);
    assert_eq!(outputs[0], outputs[1]);
    assert_eq!(outputs[0].lines().count(), 60);
    let mut seen = customers(&world);
    seen.sort();
    seen.dedup();
    assert_eq!((seen.len(), sent(&world).len()), (60, 60));
}

#[test]
fn a_worker_sends_what_a_stopped_run_has_left() {
    let world = world();
    input(&world, &to_customers(8));
    let slow = Fault::before(Before::Delay(Duration::from_millis(200)));
    world
        .emulator
        .inject(slow.on(Operation::GenerateReply).forever());
    let mut first = run(&world, &["--concurrency", "1"]).start();
    wait_until("one is sent", || !sent(&world).is_empty());
    first.signal("-TERM");
    first.end().exits(143);
    world.emulator.clear_faults();
    let mut worker = batch(&world, &["work"]).start();
    wait_until("all are sent", || {
        world.emulator.stats().billed_messages == 8
    });
    worker.signal("-TERM");
    worker.end().exits(143);
    assert_eq!(column(&exported(&world), "state"), ["done"; 8]);
    assert_eq!(sent(&world).len(), 8);
}

#[test]
fn a_job_of_another_account_is_not_sent_with_this_ones_key() {
    let world = world();
    input(&world, &to_customers(2));
    world.file(
        "config/famulor/config.toml",
        "[profiles.other]\noutput = \"text\"\n",
    );
    run(&world, &[]).run().exits(0);
    let ran = run(&world, &["--profile", "other"]).run().exits(2);
    ran.says("was begun with the account default@")
        .says("--profile");
    assert_eq!(sent(&world).len(), 2);
}

#[test]
fn an_answer_that_was_lost_is_read_back_and_the_row_is_done() {
    let world = world();
    input(&world, &to_customers(2));
    world
        .emulator
        .inject(Fault::after(After::Close).on(Operation::GenerateReply));
    let ran = run(&world, &["--out", "-"]).run().exits(0);
    let rows = crate::rows(&ran);
    assert_eq!(column(&rows, "state"), ["done", "done"]);
    assert_eq!(sent(&world).len(), 2);
    for row in rows {
        let customer = row["customer_identifier"].as_str().expect("text");
        assert_eq!(
            world.said(customer, "assistant").last().map(String::as_str),
            row["reply"].as_str()
        );
    }
}

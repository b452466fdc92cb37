//! Ctrl-C once, twice, and termination.

use std::time::{Duration, Instant};

use famulor_emulator::{Before, Fault, Operation};

use crate::fixture::{Fixture, Running, wait_until};
use crate::{batch, customers, input, run, sent, to_customers, world};

/// A batch of twelve of which one is in flight, for so long.
fn under_way(world: &Fixture, takes: Duration, more: &[&str]) -> Running {
    let slow = Fault::before(Before::Delay(takes));
    world.emulator.inject(slow.on(Operation::GenerateReply));
    input(world, &to_customers(12));
    let flags = [&["--concurrency", "1", "--lease", "1s"], more].concat();
    let running = run(world, &flags).start();
    wait_until("one is in flight", || !sent(world).is_empty());
    running
}

#[test]
fn once_finishes_what_is_in_flight_sends_nothing_new_and_says_how_to_go_on() {
    for (signal, code, word) in [("-INT", 130, "interrupted"), ("-TERM", 143, "terminated")] {
        let world = world();
        let mut running = under_way(&world, Duration::from_millis(400), &["--out", "o.jsonl"]);
        running.signal(signal);
        let ran = running.end().exits(code);
        assert!(
            ran.stderr.contains("what is in flight is waited for"),
            "{ran:?}"
        );
        assert!(
            ran.stderr.contains(&format!(
                "error: {word}: 1 done, 0 failed, 0 in doubt, 11 waiting"
            )),
            "{ran:?}"
        );
        assert!(!ran.stderr.contains("nothing was sent"), "{ran:?}");
        assert_eq!(sent(&world).len(), 1);
        assert!(
            !world.path("o.jsonl").exists(),
            "half an output would look like a whole one"
        );
        // The command that it names is the command that goes on.
        let line = ran
            .stderr
            .lines()
            .find_map(|line| line.trim().strip_prefix("next: it goes on with: famulor "));
        let line = line.expect("a command");
        assert_eq!(
            line,
            "batch run job.jsonl --concurrency 1 --lease 1s --out o.jsonl"
        );
        let words: Vec<&str> = line.split(' ').skip(1).collect();
        batch(&world, &words).run().exits(0);
        assert!(world.path("o.jsonl").exists());
        let mut seen = customers(&world);
        seen.dedup();
        assert_eq!(seen.len(), 12);
        assert_eq!(sent(&world).len(), 12);
    }
}

#[test]
fn twice_stops_at_once_and_loses_nothing() {
    let world = world();
    let mut running = under_way(&world, Duration::from_secs(3), &[]);
    running.signal("-INT");
    std::thread::sleep(Duration::from_millis(100));
    let began = Instant::now();
    running.signal("-INT");
    let ran = running.end().exits(130);
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "it waited all the same"
    );
    ran.says("interrupted: at once")
        .says("it goes on with: famulor batch run job.jsonl");
    // The one in flight may or may not have arrived: it is looked for, and in the end each is there once.
    batch(&world, &["run", "job.jsonl", "--lease", "1s"])
        .env("FAMULOR_DOUBT_WAIT", "4s")
        .run()
        .exits(0);
    for number in 1..=12 {
        assert_eq!(
            world.said(&format!("crm-{number}"), "user"),
            [format!("Hello {number}")]
        );
    }
}

#[test]
fn a_stopped_run_says_so_in_json_too() {
    let world = world();
    let mut running = under_way(&world, Duration::from_millis(300), &["--json", "-q"]);
    running.signal("-INT");
    let ran = running.end().exits(130);
    let error = ran.error();
    assert_eq!(error["exit"], 130);
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|text| text.contains("11 waiting")),
        "{error}"
    );
    assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
}

#[test]
fn before_anything_is_sent_there_is_nothing_to_wait_for() {
    let world = world();
    let mut running = batch(&world, &["run", "-", "--job", "piped"])
        .input("")
        .start();
    let pipe = running.child().stdin.take();
    wait_until("it hears signals", || running.hears_interrupts());
    running.signal("-INT");
    let ran = running.end().exits(130);
    drop(pipe);
    ran.says("no message was under way");
    world.assert_untouched();
}

#[test]
fn standard_input_goes_on_with_the_same_input() {
    let world = world();
    let slow = Fault::before(Before::Delay(Duration::from_millis(300)));
    world.emulator.inject(slow.on(Operation::GenerateReply));
    let lines: String = to_customers(5)
        .iter()
        .map(|message| format!("{message}\n"))
        .collect();
    let mut running = batch(
        &world,
        &["run", "-", "--job", "piped", "--concurrency", "1"],
    )
    .input(lines.clone())
    .start();
    use std::io::Write;
    let mut pipe = running.child().stdin.take().expect("a pipe");
    pipe.write_all(lines.as_bytes()).expect("it reads");
    drop(pipe);
    wait_until("one is in flight", || !sent(&world).is_empty());
    running.signal("-INT");
    running
        .end()
        .exits(130)
        .says("with the same input: … | famulor batch run - --job piped");
    batch(&world, &["run", "-", "--job", "piped"])
        .input(lines)
        .run()
        .exits(0);
    assert_eq!(sent(&world).len(), 5);
}

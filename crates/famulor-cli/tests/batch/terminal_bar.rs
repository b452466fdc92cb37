//! On a terminal of 80 columns: how far it is, and Ctrl-C, as a person sees and types it.

use std::time::{Duration, Instant};

use famulor_emulator::{Before, Fault, Operation};
use famulor_test_stores::{Durability, PostgresServer};

use crate::fixture::{Fixture, wait_until};
use crate::terminal::Terminal;
use crate::{input, message, run, sent, to_customers, world};

const SIZE: (u16, u16) = (24, 80);
/// The key.
const CTRL_C: &str = "\u{3}";

fn start(world: &Fixture, arguments: &[&str], limit: &str) -> Terminal {
    let environment = [
        ("FAMULOR_RATE_LIMIT", limit),
        ("FAMULOR_DOUBT_WAIT", "200ms"),
        ("FAMULOR_TIMEOUT", "20s"),
    ];
    let words = [&["batch", "run"], arguments].concat();
    Terminal::with(world, SIZE, &words, &environment)
}

/// The lines of the bar, if it is there.
fn bar(terminal: &Terminal) -> Option<Vec<String>> {
    let screen = terminal.screen();
    let bar = &screen[screen.rfind("job job [")?..];
    // Its lines are as wide as the terminal, which takes them for one.
    let mut lines = Vec::new();
    for line in bar.lines() {
        let characters: Vec<char> = line.chars().collect();
        let rows = characters.chunks(SIZE.1.into());
        lines.extend(rows.map(|row| row.iter().collect::<String>().trim_end().to_owned()));
    }
    Some(lines)
}

#[test]
fn a_bar_shows_the_counts_the_rate_and_when_it_ends() {
    let world = world();
    input(&world, &to_customers(12));
    let terminal = start(&world, &["job.jsonl"], "5/60s");
    // Five go at once; the others have to wait for a minute, and for another one.
    terminal.shows("5 done, 0 failed, 0 in doubt, 7 waiting");
    terminal.shows("/min, until ");
    let lines = bar(&terminal).expect("a bar");
    let [bar, counts, outlook] = lines.as_slice() else {
        panic!("{lines:?}")
    };
    assert!(bar.ends_with("] 5 of 12") && bar.contains("=>"), "{bar}");
    assert_eq!(bar.chars().count(), 80, "as wide as the terminal: {bar}");
    assert_eq!(counts, "5 done, 0 failed, 0 in doubt, 7 waiting");
    assert!(
        outlook.ends_with("(1m)") && outlook.contains("/min, until "),
        "{outlook}"
    );

    terminal.types(CTRL_C);
    let (code, screen) = terminal.ends();
    assert_eq!(code, 130);
    assert!(!screen.contains("job job ["), "the bar is gone:\n{screen}");
    assert!(
        screen.contains("interrupted: 5 done, 0 failed, 0 in doubt, 7 waiting"),
        "{screen}"
    );
    assert!(
        screen.contains("it goes on with: famulor batch run job.jsonl"),
        "{screen}"
    );
}

#[test]
fn a_bar_that_came_to_its_end_leaves_the_figures_alone() {
    let world = world();
    input(&world, &to_customers(3));
    let (code, screen) = start(&world, &["job.jsonl", "--out", "o.jsonl"], "off").ends();
    assert_eq!(code, 0);
    assert_eq!(screen, "job job: 3 done, 0 failed, 0 in doubt, 0 waiting");
}

/// A batch of six of which one is in flight, for so long.
fn under_way(world: &Fixture, takes: Duration) -> Terminal {
    let slow = Fault::before(Before::Delay(takes));
    world.emulator.inject(slow.on(Operation::GenerateReply));
    input(world, &to_customers(6));
    let terminal = start(world, &["job.jsonl", "--concurrency", "1"], "off");
    wait_until("one is in flight", || !sent(world).is_empty());
    terminal
}

#[test]
fn ctrl_c_once_waits_for_what_is_in_flight_and_keeps_the_bar_whole() {
    let world = world();
    let terminal = under_way(&world, Duration::from_secs(2));
    terminal.types(CTRL_C);
    terminal.shows("stopping: what is in flight is waited for");
    terminal.shows("0 done, 0 failed, 0 in doubt, 6 waiting");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 130);
    assert!(!screen.contains("job job ["), "{screen}");
    assert!(
        screen.contains("interrupted: 1 done, 0 failed, 0 in doubt, 5 waiting"),
        "{screen}"
    );
    assert!(
        screen.contains("it goes on with: famulor batch run job.jsonl --concurrency 1"),
        "{screen}"
    );
    assert_eq!(sent(&world).len(), 1);
}

#[test]
fn ctrl_c_twice_ends_at_once_and_loses_nothing() {
    let world = world();
    let terminal = under_way(&world, Duration::from_secs(4));
    terminal.types(CTRL_C);
    terminal.shows("stopping: what is in flight is waited for");
    let began = Instant::now();
    terminal.types(CTRL_C);
    let (code, screen) = terminal.ends();
    assert_eq!(code, 130);
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "it waited all the same"
    );
    assert!(screen.contains("interrupted: at once"), "{screen}");
    assert!(
        screen.contains("it goes on with: famulor batch run job.jsonl"),
        "{screen}"
    );
    // Whether the one in flight arrived is looked for, for longer than the server takes for it. That its worker is gone is
    // known at once, long before its lease ends.
    let began = Instant::now();
    run(&world, &[])
        .env("FAMULOR_DOUBT_WAIT", "5s")
        .run()
        .exits(0);
    assert!(
        began.elapsed() < Duration::from_secs(40),
        "it waited for the lease"
    );
    for number in 1..=6 {
        let said = world.said(&format!("crm-{number}"), "user");
        assert_eq!(said, [format!("Hello {number}")]);
    }
}

#[test]
fn a_long_input_is_taken_over_under_the_eyes_of_whoever_waits() {
    const LINES: usize = 52_000;
    let world = world();
    let one = message("crm-1", "Hello").to_string() + "\n";
    world.file("job.jsonl", &one.repeat(LINES));
    let terminal = start(&world, &["job.jsonl"], "5/60s");
    terminal.shows("52000 messages taken over in ");
    let bytes = terminal.bytes();
    let written = String::from_utf8_lossy(&bytes);
    assert!(
        written.contains("taking over job job ["),
        "it did not say how far it was"
    );
    assert!(written.contains(" of 52,000"), "nor of how many");
    wait_until("one is sent", || !sent(&world).is_empty());
    terminal.types(CTRL_C);
    let (code, screen) = terminal.ends();
    assert_eq!(code, 130);
    assert!(!screen.contains("taking over job job ["), "{screen}");

    // Off a terminal: plain lines, and what is there is not taken over again.
    let before = sent(&world).len();
    let again = run(&world, &["--max-failures", "1"]);
    let mut again = again.env("FAMULOR_RATE_LIMIT", "1/1h").start();
    wait_until("it hears signals", || again.hears_interrupts());
    wait_until("it goes on", || sent(&world).len() > before);
    again.signal("-INT");
    let ran = again.end().exits(130);
    let notes: Vec<&str> = ran.stderr.lines().take(2).collect();
    assert_eq!(
        notes,
        [
            "taking 52000 messages over into the store",
            "52000 messages are there from an earlier run"
        ]
    );
    assert!(!ran.stderr.contains('\u{1b}'), "{ran:?}");
}

#[test]
fn a_database_that_goes_away_is_said_once_and_signals_are_heard_meanwhile() {
    let Some(server) = PostgresServer::start(Durability::Fast) else {
        return;
    };
    let world = world();
    input(&world, &to_customers(12));
    let place = server.place();
    let terminal = start(&world, &["job.jsonl", "--store", &place], "5/60s");
    terminal.shows("5 done, 0 failed, 0 in doubt, 7 waiting");
    server.kill();
    terminal.shows("waiting for the store: ");
    server.restart();
    terminal.shows("the store is back");
    let said = terminal.screen().matches("waiting for the store").count();
    assert_eq!(said, 1, "{}", terminal.screen());

    // As if its machine were suspended: no call to it ends.
    server.freeze();
    std::thread::sleep(Duration::from_secs(1));
    terminal.types(CTRL_C);
    terminal.shows("stopping: ");
    terminal.types(CTRL_C);
    let (code, screen) = terminal.ends();
    assert_eq!(code, 130);
    assert!(screen.contains("interrupted: at once"), "{screen}");
    server.thaw();
    assert_eq!(sent(&world).len(), 5);
}

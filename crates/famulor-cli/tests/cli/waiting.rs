//! Waiting for the rate limit, as a person sees it on a terminal.

use crate::fixture::{Fixture, reply};
use crate::terminal::Terminal;

const SIZE: (u16, u16) = (24, 80);

#[test]
fn a_reply_that_waits_for_its_slot_counts_down_and_leaves_the_answer_alone() {
    let limit = famulor_emulator::RateLimit::parse("1/3s").expect("a limit");
    let world = Fixture::with(|emulator| emulator.rate_limit(limit));
    let arguments = reply(&["--rate-limit", "1/3s", "Hello"]);
    world.famulor(&arguments).run().exits(0);

    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let terminal = Terminal::start(&world, SIZE, &arguments);
    terminal.shows("waiting for the rate limit, 3 s left");
    terminal.shows("waiting for the rate limit, 1 s left");
    terminal.shows("(Ctrl-C stops waiting)");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 0, "{screen}");
    assert!(!screen.contains("waiting"), "{screen}");
    let lines: Vec<&str> = screen.lines().collect();
    assert_eq!(lines.len(), 2, "{screen}");
    assert!(lines[1].starts_with("conversation "), "{screen}");
    let answers = world.said("crm-42", "assistant");
    assert_eq!(answers.last().map(String::as_str), Some(lines[0]));
    assert_eq!(world.posts().len(), 2, "none was refused");
}

#[test]
fn ctrl_c_while_it_waits_says_that_nothing_was_sent() {
    let world = Fixture::new();
    for _ in 0..5 {
        world.famulor(reply(&["Hello"])).run().exits(0);
    }
    let arguments = reply(&["Hello"]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let terminal = Terminal::start(&world, SIZE, &arguments);
    terminal.shows("waiting for the rate limit, ");
    terminal.types("\x03");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 130, "{screen}");
    assert!(
        screen.contains("interrupted before the message was sent"),
        "{screen}"
    );
    assert!(screen.contains("sent? nothing was sent"), "{screen}");
    assert_eq!(world.posts().len(), 5);
}

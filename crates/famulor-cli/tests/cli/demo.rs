//! `famulor demo`: a newcomer's first minute.

use std::time::{Duration, Instant};

use crate::fixture::Fixture;

#[test]
fn the_story_is_told_without_a_key_and_without_escape_sequences() {
    let world = Fixture::new();
    let started = Instant::now();
    let ran = world.bare(["demo"]).run().exits(0);
    assert!(started.elapsed() < Duration::from_secs(20));
    for words in [
        "Hello John Smith! Welcome to Acme Corp support.",
        "calls book_appointment",
        "slots of the limit are taken",
        "As you said earlier: \"Where is my order?\"",
        "refused by the limit    0",
        "What to type next",
        "FAMULOR_API_KEY",
    ] {
        assert!(
            ran.stdout.contains(words),
            "no \"{words}\" in {}",
            ran.stdout
        );
    }
    assert!(!ran.stdout.contains('\u{1b}'));
    assert!(
        ran.stdout.lines().all(|line| line.chars().count() <= 80),
        "{}",
        ran.stdout
    );
    assert_eq!(ran.stderr, "");
}

#[test]
fn the_figures_come_in_json_too() {
    let world = Fixture::new();
    let figures = world.famulor(["demo", "--json"]).run().exits(0).json();
    assert_eq!(figures["replies"], 8);
    assert_eq!(figures["billed"], 8);
    assert_eq!(figures["refused_by_the_limit"], 0);
    assert_eq!(figures["most_in_a_minute"], 5);
    // Whatever the environment says, it talks to its own emulator, whose answers are judged like this one's.
    world.assert_untouched();
    assert!(world.witness.judge() >= 8, "nobody has written them down");
}

//! Global flags, where the variable of the same name is not enough.

use std::time::{Duration, Instant};

use famulor_emulator::{Before, CannedAnswer, Fault, Operation, RateLimit};

use crate::fixture::{Fixture, UUID, reply};

#[test]
fn each_bound_has_a_flag() {
    let world = Fixture::new();
    let busy = Fault::before(Before::Answer(CannedAnswer::text(503, "")));
    world.emulator.inject(busy.on(Operation::GetMe).forever());
    let attempts = |flags: &[&str]| {
        let ran = world.famulor(["whoami", "--json"]).args(flags).run();
        ran.exits(8).error()["attempts"].clone()
    };
    assert_eq!(attempts(&["--max-retries", "0"]), 1);
    assert_eq!(attempts(&["--max-retries", "2"]), 3);
    let start = Instant::now();
    attempts(&["--max-retries", "1000", "--deadline", "500ms"]);
    assert!(start.elapsed() < Duration::from_secs(10));

    world.emulator.clear_faults();
    let lost = Fault::before(Before::Close).on(Operation::GenerateReply);
    world.emulator.inject(lost);
    let flags = ["Hi", "--doubt-wait", "100ms", "--deadline", "8s"];
    world.famulor(reply(&flags)).run().exits(0);
}

#[test]
fn the_limit_has_a_flag() {
    let ample = RateLimit::parse("100/60s").expect("a limit");
    let world = Fixture::with(|emulator| emulator.rate_limit(ample));
    let run = |limit: &str| {
        let flags = ["Hi", "--rate-limit", limit, "--max-wait", "0s"];
        world.famulor(reply(&flags)).run()
    };
    run("1/60s").exits(0);
    run("1/60s").exits(7);
    run("2/60s").exits(0);
    run("off").exits(0);
}

#[cfg(unix)]
#[test]
fn no_input_forbids_asking() {
    use crate::terminal::Terminal;

    let world = Fixture::new();
    for command in [
        &["chat", "--assistant-uuid", UUID, "--no-input"][..],
        &["auth", "login", "--no-input"],
    ] {
        let (code, screen) = Terminal::start(&world, (24, 80), command).ends();
        assert_eq!(code, 2, "{screen}");
        assert!(screen.contains("--no-input forbids asking"), "{screen}");
    }
    world.assert_untouched();
}

//! Tables fit the terminal they are shown on, and nothing is cut off where there is none.

use famulor_emulator::Message;

use crate::fixture::{Fixture, conversation};

/// A row with an identifier that no narrow terminal has room for.
fn wide() -> Fixture {
    let world = Fixture::new();
    let mut wide = conversation(
        "7c9e6679-7425-40de-944b-000000000001",
        Vec::<Message>::new(),
    );
    wide.external_identifier =
        Some("a-customer-with-a-very-long-identifier@example.com".to_owned());
    world.emulator.add_conversation(wide);
    world
}

#[cfg(unix)]
#[test]
fn a_table_is_as_wide_as_the_terminal_at_most() {
    use crate::terminal::Terminal;

    let world = wide();
    for columns in [60, 80, 120] {
        for format in ["text", "table"] {
            let list = ["conversation", "list", "-o", format];
            let (code, screen) = Terminal::start(&world, (50, columns), &list).ends();
            assert_eq!(code, 0, "{screen}");
            assert!(screen.contains("external") || columns < 80, "{screen}");
            // Whole, to be copied.
            assert!(
                screen.contains("7c9e6679-7425-40de-944b-000000000001"),
                "{screen}"
            );
            let widest = screen.lines().map(|line| line.chars().count()).max();
            assert!(
                widest.is_some_and(|width| width <= usize::from(columns)),
                "{screen}"
            );
            if format == "table" {
                // A line that went over the edge would have broken the frame.
                let frame = |line: &str| "┌│╞├└".contains(line.chars().next().unwrap_or(' '));
                assert!(screen.lines().all(frame), "{columns}:\n{screen}");
            }
        }
    }
}

#[test]
fn off_a_terminal_a_row_is_one_line_whatever_its_width() {
    let world = wide();
    let ran = world
        .famulor(["conversation", "list"])
        .env("COLUMNS", "40")
        .run()
        .exits(0);
    assert!(
        ran.stdout
            .contains("a-customer-with-a-very-long-identifier@example.com"),
        "{ran:?}"
    );
    assert_eq!(ran.stdout.lines().count(), 3, "{ran:?}");
}

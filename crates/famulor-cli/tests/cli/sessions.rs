//! The sessions that the README shows, on a terminal of 100 columns: what stands there is what the program shows.

use serde_json::json;

use crate::documents::blocks;
use crate::fixture::Fixture;
use crate::terminal::Terminal;

const SIZE: (u16, u16) = (40, 100);

/// One command of a session, and what is on the screen after it.
struct Step {
    command: Vec<String>,
    lines: Vec<String>,
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ famulor ") {
            let command = command.split(' ').map(str::to_owned).collect();
            steps.push(Step {
                command,
                lines: Vec::new(),
            });
        } else {
            let step = steps.last_mut().expect("a session begins with a command");
            step.lines.push(line.to_owned());
        }
    }
    steps
}

/// Without what differs from run to run: ids, bookings, the time of day, speed.
fn settled(line: &str) -> String {
    let word = |word: &str| -> String {
        let id = word.len() >= 36 && word[..36].bytes().filter(|b| *b == b'-').count() == 4;
        let hour = word.len() >= 5 && word.as_bytes()[2] == b':';
        let booking = word.contains("\"bk") || word.starts_with("bk");
        let left = word.starts_with('(') && word.ends_with(')');
        if id {
            format!("ID{}", &word[36..])
        } else if hour || booking || left || word.contains("/min") {
            let mut settled = String::new();
            for c in word.chars() {
                let c = if c.is_ascii_digit() { '#' } else { c };
                if !(c == '#' && settled.ends_with('#')) {
                    settled.push(c);
                }
            }
            settled
        } else {
            word.to_owned()
        }
    };
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn all_settled<L: AsRef<str>>(lines: impl IntoIterator<Item = L>) -> Vec<String> {
    lines
        .into_iter()
        .map(|line| settled(line.as_ref()))
        .collect()
}

/// Plays a step: what stands after `you:` is typed, `^C` is pressed, and the screen is compared.
fn play(world: &Fixture, step: &Step) {
    let arguments: Vec<&str> = step.command.iter().map(String::as_str).collect();
    let terminal = Terminal::start(world, SIZE, &arguments);
    let mut before = 0;
    for (at, line) in step.lines.iter().enumerate() {
        let shown = |terminal: &Terminal| all_settled(terminal.rows());
        if let Some(typed) = line.strip_prefix("you: ") {
            // The prompt is there once all that stands before it is.
            crate::fixture::wait_until("the prompt is there", || {
                let shown = shown(&terminal);
                shown.len() == at + 1 && shown.last().is_some_and(|line| line == "you:")
            });
            terminal.types(&format!("{typed}\r"));
        }
        if line == "^C" {
            let expected = all_settled(&step.lines[..at]);
            let start = std::time::Instant::now();
            while shown(&terminal) != expected {
                let late = start.elapsed() > std::time::Duration::from_secs(10);
                assert!(!late, "{expected:#?} is not\n{}", terminal.screen());
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            terminal.types("\x03");
            before = at + 1;
        }
    }
    let screen = terminal.last_rows();
    let shown = all_settled(&screen);
    let screen = screen.join("\n");
    let expected = all_settled(&step.lines[before..]);
    assert!(
        shown == expected,
        "famulor {}: the README shows\n{}\nand this is on the screen:\n{screen}",
        step.command.join(" "),
        step.lines.join("\n")
    );
}

#[test]
fn the_sessions_of_the_readme_show_what_the_program_shows() {
    let sessions = blocks()
        .into_iter()
        .filter(|block| block.text.starts_with("$ "));
    for session in sessions {
        let world = Fixture::new();
        let mut messages = String::new();
        for number in 1..=60 {
            let message = json!({
                "assistant_id": 123,
                "customer_identifier": format!("crm-{number}"),
                "message": "Our spring sale begins on Friday. May we send you the list?"
            });
            messages.push_str(&format!("{message}\n"));
        }
        world.file("spring.jsonl", &messages);
        let steps = steps(&session.text);
        assert!(steps.len() >= 2, "{}", session.text);
        for step in &steps {
            play(&world, step);
        }
    }
}

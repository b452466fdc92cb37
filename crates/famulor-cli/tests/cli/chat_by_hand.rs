//! `famulor chat` on a terminal, typed to as a person types.

use std::time::Duration;

use famulor_emulator::{Before, CannedAnswer, Fault, Operation, RateLimit};
use serde_json::json;

use crate::fixture::{CONVERSATION, Fixture, UUID, read, wait_until};
use crate::terminal::Terminal;

const SIZE: (u16, u16) = (24, 80);

fn chat(world: &Fixture) -> Terminal {
    let terminal = Terminal::start(world, SIZE, &["chat", "--assistant-uuid", UUID]);
    terminal.shows("you:");
    terminal
}

/// Ctrl-D is the end where a line is asked for. While an answer is awaited it is none.
fn end_at_the_prompt(terminal: &Terminal) {
    wait_until("the prompt is there", || {
        terminal.rows().last().is_some_and(|row| row == "you:")
    });
    terminal.types("\x04");
}

/// Answers to messages that take their time.
fn slow(world: &Fixture) {
    let slow = Fault::before(Before::Delay(Duration::from_secs(30)));
    world.emulator.inject(slow.on(Operation::SendMessage));
}

#[test]
fn a_person_types_is_answered_and_quits() {
    let world = Fixture::new();
    let terminal = chat(&world);
    terminal.types("Hello\r");
    terminal.shows("assistant: Hello! How can I help you today?");
    terminal.types("/quit\r");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 0, "{screen}");
    // Whoever waits for it sees the spinner; once it is over, nothing is left of it.
    assert!(!screen.contains("stops waiting"), "{screen}");
    let lines: Vec<&str> = screen.lines().collect();
    assert!(lines[0].starts_with("conversation "), "{screen}");
    assert!(
        lines[0].ends_with("; /help says what you can do"),
        "{screen}"
    );
    assert_eq!(
        lines[lines.len() - 3..],
        [
            "you: Hello",
            "assistant: Hello! How can I help you today?",
            "you: /quit",
        ]
    );
}

#[test]
fn a_line_can_be_edited_and_earlier_ones_come_back() {
    let world = Fixture::new();
    let terminal = chat(&world);
    // Left twice, and a letter in between.
    terminal.types("Helo\x1b[D\x1b[Dl\r");
    terminal.shows("assistant: Hello! How can I help you today?");
    terminal.types("\x1b[A\r");
    wait_until("it is sent twice", || world.posts().len() == 3);
    end_at_the_prompt(&terminal);
    assert_eq!(terminal.ends().0, 0);
    let said = sent(&world);
    assert_eq!(said, ["Hello", "Hello"]);
}

/// What the server got, in the order in which it came.
fn sent(world: &Fixture) -> Vec<String> {
    let path = world.posts().pop().expect("a message");
    let id = path.split('/').nth(3).expect("an id").to_owned();
    let conversation = world.emulator.conversation(&id).expect("it is there");
    crate::fixture::texts(&conversation.history, "user")
}

#[test]
fn a_message_can_have_several_lines_typed_and_pasted() {
    let world = Fixture::new();
    let terminal = chat(&world);
    terminal.types("one\\\rtwo\r");
    wait_until("it is sent", || world.posts().len() == 2);
    terminal.shows("you: one");
    // As a terminal pastes.
    terminal.types("\x1b[200~three\nfour\x1b[201~\r");
    wait_until("it is sent", || world.posts().len() == 3);
    terminal.types("//slash\r");
    wait_until("it is sent", || world.posts().len() == 4);
    terminal.types("/quit\r");
    assert_eq!(terminal.ends().0, 0);
    assert_eq!(sent(&world), ["one\ntwo", "three\nfour", "/slash"]);
}

#[test]
fn what_is_typed_while_an_answer_is_awaited_is_kept_for_the_next_line() {
    let world = Fixture::new();
    let slow = Fault::before(Before::Delay(Duration::from_secs(1)));
    world.emulator.inject(slow.on(Operation::SendMessage));
    let terminal = chat(&world);
    terminal.types("Hello\r");
    terminal.shows("the assistant writes, ");
    // It may not show in the spinner's line, nor be lost.
    terminal.types("And you?\r");
    wait_until("it is sent too", || world.posts().len() == 3);
    end_at_the_prompt(&terminal);
    let (code, screen) = terminal.ends();
    assert_eq!(code, 0, "{screen}");
    assert_eq!(sent(&world), ["Hello", "And you?"]);
    assert!(screen.contains("\nyou: And you?\n"), "{screen}");
}

#[test]
fn ctrl_c_stops_the_wait_and_says_what_is_known() {
    let world = Fixture::new();
    slow(&world);
    let terminal = chat(&world);
    terminal.types("Hello\r");
    terminal.shows("the assistant writes, 0.");
    wait_until("it is sent", || world.posts().len() == 2);
    terminal.types("\x03");
    terminal.shows("interrupted while the message was under way");
    terminal.shows("whether it was processed, and billed, is not known");
    terminal.shows("/history shows whether it arrived");
    // And the chat goes on.
    terminal.types("/quit\r");
    assert_eq!(terminal.ends().0, 0);
}

#[test]
fn the_spinner_says_that_quota_is_awaited_and_for_how_long() {
    let limit = RateLimit::parse("1/60s").expect("a limit");
    let world = Fixture::with(|emulator| emulator.general_limits([limit]));
    let terminal = Terminal::start(&world, SIZE, &["chat", "--resume", CONVERSATION]);
    terminal.shows("you:");
    terminal.types("Hello\r");
    terminal.shows("waiting for the rate limit, ");
    terminal.shows(" s left");
    terminal.types("\x03");
    // The client asks first where the conversation stands: the message itself was not sent.
    terminal.shows("interrupted before the message was sent");
    terminal.shows("nothing was sent");
    assert!(
        !terminal.screen().contains("stops waiting"),
        "it leaves nothing behind"
    );
    end_at_the_prompt(&terminal);
    assert_eq!(terminal.ends().0, 0);
}

#[test]
fn ctrl_c_twice_at_the_prompt_ends_the_chat() {
    let world = Fixture::new();
    let terminal = chat(&world);
    terminal.types("\x03");
    terminal.shows("Ctrl-C again, Ctrl-D or /quit ends the chat");
    terminal.types("\x03");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 130, "{screen}");
    assert!(screen.contains("no message was under way"), "{screen}");
}

#[test]
fn a_termination_gives_the_terminal_back_as_it_was() {
    let world = Fixture::new();
    let mut terminal = chat(&world);
    wait_until("the line is edited", || !terminal.echoes());
    terminal.signal("-TERM");
    wait_until("it echoes again", || terminal.echoes());
    assert_eq!(terminal.ends().0, 143);
}

#[test]
fn function_calls_are_shown_as_such() {
    let world = Fixture::new();
    let body = json!({
        "status": true,
        "message": "Booked.",
        "function_calls": [{
            "name": "book", "arguments": {"day": "Friday"}, "result": {"ok": true}
        }]
    });
    let answer = Before::Answer(CannedAnswer::json(200, body));
    world
        .emulator
        .inject(Fault::before(answer).on(Operation::SendMessage));
    let terminal = chat(&world);
    terminal.types("Friday, please\r");
    terminal.shows("assistant: Booked.");
    assert!(
        terminal
            .screen()
            .contains("\n  called book {\"day\":\"Friday\"} -> {\"ok\":true}\nassistant:"),
        "{}",
        terminal.screen()
    );
}

#[test]
fn the_commands_of_a_chat_do_what_help_says() {
    let world = Fixture::new();
    let resume = ["chat", "--resume", CONVERSATION, "--transcript", "chat.txt"];
    let terminal = Terminal::start(&world, (40, 120), &resume);
    terminal.shows("you:");
    terminal.types("/help\r");
    for words in ["/history", "/vars", "/save [FILE]", "/quit", "Ctrl-C"] {
        terminal.shows(words);
    }
    terminal.types("/nothing\r");
    terminal.shows("there is no /nothing");
    terminal.types("/vars\r");
    terminal.shows("user_name = Jane Smith");
    terminal.types("Thank you\r");
    terminal.shows("assistant: You're very welcome, Jane!");
    terminal.types("/history\r");
    wait_until("it is read back", || {
        terminal
            .screen()
            .matches("You're very welcome, Jane!")
            .count()
            == 2
    });
    terminal.types("/save whole.txt\r");
    terminal.shows("saved in whole.txt");
    terminal.types("/save whole.txt\r");
    terminal.shows("cannot write whole.txt");
    terminal.types("/save\r");
    terminal.shows(&format!("saved in {CONVERSATION}.txt"));
    terminal.types("/quit\r");
    assert_eq!(terminal.ends().0, 0);
    let whole = read(&world.path("whole.txt"));
    assert!(whole.ends_with(
        "user: Thank you\nassistant: You're very welcome, Jane! Is there anything else I can help \
         you with?\n"
    ), "{whole}");
    assert_eq!(read(&world.path("chat.txt")), whole);
}

#[test]
fn a_failure_is_told_and_the_chat_goes_on() {
    let world = Fixture::with(|emulator| emulator.balance(0.01));
    let arguments = ["chat", "--assistant-uuid", UUID, "--type", "widget"];
    let terminal = Terminal::start(&world, SIZE, &arguments);
    terminal.shows("you:");
    terminal.types("Hello\r");
    terminal.shows("assistant: Hello! How");
    terminal.types("Hello again\r");
    terminal.shows("error:");
    terminal.shows("it was refused before it was processed: not billed");
    end_at_the_prompt(&terminal);
    assert_eq!(terminal.ends().0, 0);
}

#[test]
fn asking_is_refused_where_nobody_is_to_be_asked() {
    let world = Fixture::new();
    let arguments = ["chat", "--assistant-uuid", UUID];
    let environment = [("FAMULOR_NO_INPUT", "1")];
    let (code, screen) = Terminal::with(&world, SIZE, &arguments, &environment).ends();
    assert_eq!(code, 2, "{screen}");
    assert!(screen.contains("--no-input forbids asking"), "{screen}");
    world.assert_untouched();
}

#[test]
fn a_dumb_terminal_and_no_colour_are_respected() {
    let world = Fixture::new();
    let arguments = ["chat", "--assistant-uuid", UUID];
    let terminal = Terminal::with(&world, SIZE, &arguments, &[("NO_COLOR", "1")]);
    terminal.shows("you:");
    terminal.types("Hello\r");
    terminal.shows("assistant: Hello! How");
    terminal.types("/quit\r");
    let bytes = {
        wait_until("it is over", || terminal.screen().contains("/quit"));
        String::from_utf8_lossy(&terminal.bytes()).into_owned()
    };
    terminal.ends();
    // Colours and bold end with m; the editor's own movements do not.
    let colours: Vec<&str> = bytes
        .split("\x1b[")
        .skip(1)
        .filter_map(|rest| {
            let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
            rest[end..].starts_with('m').then_some(&rest[..end])
        })
        .filter(|parameters| !matches!(*parameters, "" | "0"))
        .collect();
    assert_eq!(colours, Vec::<&str>::new(), "{bytes:?}");
    let terminal = Terminal::with(&world, SIZE, &arguments, &[("TERM", "dumb")]);
    terminal.shows("you:");
    terminal.types("Hello\r");
    terminal.shows("How can I help you today?");
}

#[test]
fn a_key_that_is_typed_is_not_shown() {
    let world = Fixture::with(|emulator| emulator.token("1|typed"));
    let keyless = [("FAMULOR_API_KEY", "")];
    let terminal = Terminal::with(&world, SIZE, &["auth", "login"], &keyless);
    terminal.shows("(not shown):");
    wait_until("it hides", || !terminal.echoes());
    terminal.types("1|typed\r");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 0, "{screen}");
    assert!(!screen.contains("1|typed"), "{screen}");
    let (code, screen) = Terminal::with(&world, SIZE, &["whoami"], &keyless).ends();
    assert_eq!(code, 0, "{screen}");
}

#[test]
fn a_prompt_that_is_interrupted_shows_what_is_typed_again() {
    let world = Fixture::new();
    let keyless = [("FAMULOR_API_KEY", "")];
    let terminal = Terminal::with(&world, SIZE, &["auth", "login"], &keyless);
    terminal.shows("(not shown):");
    wait_until("it hides", || !terminal.echoes());
    terminal.types("\x03");
    wait_until("it echoes again", || terminal.echoes());
    assert_eq!(terminal.ends().0, 130);
}

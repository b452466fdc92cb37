//! The examples of one file.

use famulor_emulator::Emulator;

use crate::program::{example, example_on, finish};

#[tokio::test]
async fn minimal_prints_the_reply() {
    let finished = finish(example("minimal").arg("--emulator")).await;
    finished.said(&["availability", "the assistant called "]);
    assert!(finished.err.contains("on the emulator"), "{finished:?}");
}

#[tokio::test]
async fn with_a_key_it_goes_where_the_environment_says() {
    let emulator = Emulator::builder()
        .token("test-key")
        .start()
        .await
        .expect("an emulator");
    let finished = finish(&mut example_on(&emulator, "minimal")).await;
    finished.said(&["availability"]);
    assert_eq!(emulator.stats().billed_messages, 1);
    assert!(!finished.err.contains("emulator"), "{finished:?}");
}

#[tokio::test]
async fn retry_and_quota_answers_all_seven_though_nobody_can_connect_at_first_and_one_is_refused() {
    let finished = finish(example("retry_and_quota").arg("--emulator")).await;
    finished.said(&["7 replies from ", " 1 refused by a limit"]);
    for number in 1..=7 {
        finished.said(&[&format!("{number}: answered after ")]);
    }
    let calls = finished
        .out
        .split_once("replies from ")
        .map(|(_, rest)| rest);
    let calls = calls.and_then(|rest| rest.split_once(' ')?.0.parse::<u32>().ok());
    // Each asks where its conversation stands, and is sent once; the rest are repetitions.
    assert!(calls.is_some_and(|calls| calls > 14), "{finished:?}");
    assert!(finished.err.contains("waiting "), "{finished:?}");
}

#[tokio::test]
async fn read_back_finds_both_answers_and_bills_each_message_once() {
    let finished = finish(example("read_back").arg("--emulator")).await;
    finished.said(&[
        "answered, read back: true",
        "unknown at first: ",
        "it had arrived: ",
        "sent 2 messages, billed 2",
    ]);
}

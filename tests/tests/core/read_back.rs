//! After an unknown outcome, against a server that remembers: the real reply comes back, and is billed once.

use std::time::{Duration, Instant};

use famulor_core::{Client, Delivery, Error, ErrorKind, OnUnknown, Verification};
use famulor_emulator::{
    After, Before, CannedAnswer, Conversation, Emulator, Fault, Message, Operation,
};
use famulor_test_judge::emulator;
use famulor_tests::sdk::{ASSISTANT, CONVERSATION, KEY, builder, conversation, customer, ms};
use futures_util::future::join_all;

/// A server without limits that has these conversations, and a client of it that believes "not there" after `doubt_wait`.
async fn pair(doubt_wait: Duration) -> (Emulator, Client) {
    let emulator = emulator()
        .token(KEY)
        .without_limits()
        .start()
        .await
        .expect("an emulator");
    let client = builder(&emulator.base_url())
        .with_attempt_timeout(ms(400))
        .with_doubt_wait(doubt_wait)
        .build()
        .expect("a client");
    (emulator, client)
}

const LONG: Duration = Duration::from_secs(120);

/// What a message came to, whichever call it went by.
#[derive(Debug)]
struct Came {
    text: String,
    attempts: u32,
    was_read_back: bool,
}

#[derive(Clone, Copy, Debug)]
enum By {
    Reply,
    Send,
}

impl By {
    const BOTH: [Self; 2] = [Self::Reply, Self::Send];

    fn operation(self) -> Operation {
        match self {
            Self::Reply => Operation::GenerateReply,
            Self::Send => Operation::SendMessage,
        }
    }

    /// Gives `who` a conversation, where one must be there first.
    fn prepare(self, emulator: &Emulator, who: &str) {
        if let Self::Send = self {
            emulator.add_conversation(Conversation {
                id: who.to_owned(),
                assistant_id: ASSISTANT.get(),
                history: vec![Message::new("assistant", "Welcome")],
                ..Conversation::default()
            });
        }
    }

    async fn say(
        self,
        client: &Client,
        who: &str,
        text: &str,
        policy: OnUnknown,
    ) -> Result<Came, Error> {
        match self {
            Self::Reply => {
                let call = client.reply(ASSISTANT, customer(who), text);
                let reply = call.with_on_unknown(policy).await?;
                Ok(Came {
                    text: reply.text().unwrap_or_default().to_owned(),
                    attempts: reply.attempts(),
                    was_read_back: reply.was_read_back(),
                })
            }
            Self::Send => {
                let chat = client.conversation(conversation(who));
                let turn = chat.send(text).with_on_unknown(policy).await?;
                Ok(Came {
                    text: turn.text().unwrap_or_default().to_owned(),
                    attempts: turn.attempts(),
                    was_read_back: turn.was_read_back(),
                })
            }
        }
    }

    /// The last thing said in the conversation.
    fn last(self, emulator: &Emulator, who: &str) -> String {
        let conversation = match self {
            Self::Reply => emulator.conversation_of(ASSISTANT.get(), who),
            Self::Send => emulator.conversation(who),
        };
        let last = conversation.expect("a conversation").history.pop();
        last.expect("a message").content
    }
}

/// How often a message of `who` was sent, stored and billed.
fn counts(emulator: &Emulator, by: By, who: &str) -> (usize, u64, u64) {
    let journal = emulator.journal();
    let sent = journal.iter().filter(|entry| {
        entry.operation == Some(by.operation()) && entry.customer.as_deref() == Some(who)
    });
    let stats = emulator.stats();
    let stored = stats.customers.get(who).cloned().unwrap_or_default();
    (sent.count(), stored.messages, stored.billed_messages)
}

/// Plays every case at once, each with a customer of its own, by both calls.
async fn each<T, F>(cases: Vec<T>, play: impl Fn(By, String, T) -> F)
where
    T: Clone,
    F: Future<Output = ()>,
{
    let cases = By::BOTH.into_iter().flat_map(|by| {
        let cases = cases.clone().into_iter().enumerate();
        cases.map(move |(number, case)| (by, format!("{by:?}-{number}"), case))
    });
    join_all(cases.map(|(by, who, case)| play(by, who, case))).await;
}

/// Everything that can hide an answer of a message that was processed.
fn lost_answers() -> Vec<After> {
    vec![
        After::Close,
        After::Cut(0),
        After::Cut(17),
        After::Garble,
        After::Delay(ms(900)),
        After::Answer(CannedAnswer::server_error()),
        After::Answer(CannedAnswer::bad_gateway()),
        After::Answer(CannedAnswer::text(503, "busy").header("Retry-After", "1")),
        After::Answer(CannedAnswer::html(200, "<title>Welcome</title>")),
        After::Answer(CannedAnswer::text(200, "")),
        After::Answer(CannedAnswer::json(200, serde_json::json!({"ok": true}))),
    ]
}

#[tokio::test]
async fn a_lost_answer_comes_back_and_is_billed_once() {
    let (emulator, client) = pair(LONG).await;
    each(lost_answers(), async |by, who, lost| {
        by.prepare(&emulator, &who);
        let fault = Fault::after(lost.clone()).on(by.operation());
        emulator.inject(fault.for_customer(&who));
        let came = by.say(&client, &who, "Good day", OnUnknown::Verify).await;
        let came = came.unwrap_or_else(|error| panic!("{by:?} after {lost:?}: {error}"));
        assert!(came.was_read_back, "{by:?} after {lost:?}");
        assert_eq!(came.attempts, 1);
        assert_eq!(came.text, by.last(&emulator, &who));
        assert_eq!(
            counts(&emulator, by, &who),
            (1, 1, 1),
            "{by:?} after {lost:?}"
        );

        // The conversation goes on, with nothing left over from before.
        let came = by.say(&client, &who, "Good day", OnUnknown::Verify).await;
        assert!(!came.expect("a reply").was_read_back);
        assert_eq!(counts(&emulator, by, &who), (2, 2, 2));
    })
    .await;
    assert_eq!(client.usage().unknown_outcomes, 0);
    assert_eq!(client.usage().replies, emulator.stats().messages);
}

#[tokio::test]
async fn a_message_that_is_processed_late_is_found_and_not_sent_again() {
    let (emulator, client) = pair(Duration::from_secs(4)).await;
    each(vec![()], async |by, who, ()| {
        by.prepare(&emulator, &who);
        let fault = Fault::before(Before::Delay(ms(1200))).on(by.operation());
        emulator.inject(fault.for_customer(&who));
        let came = by.say(&client, &who, "Good day", OnUnknown::Verify).await;
        let came = came.unwrap_or_else(|error| panic!("{by:?}: {error}"));
        assert!(came.was_read_back && came.attempts == 1, "{came:?}");
        assert_eq!(came.text, by.last(&emulator, &who));
        assert_eq!(counts(&emulator, by, &who), (1, 1, 1));
    })
    .await;
}

#[tokio::test]
async fn a_message_proved_not_to_be_there_is_sent_again_exactly_once() {
    let (emulator, client) = pair(ms(400)).await;
    let losses = vec![
        Before::Close,
        Before::Refuse,
        Before::Answer(CannedAnswer::bad_gateway()),
    ];
    each(losses, async |by, who, lost| {
        by.prepare(&emulator, &who);
        let fault = Fault::before(lost.clone()).on(by.operation());
        emulator.inject(fault.for_customer(&who));
        let began = Instant::now();
        let came = by.say(&client, &who, "Good day", OnUnknown::Verify).await;
        let came = came.unwrap_or_else(|error| panic!("{by:?} after {lost:?}: {error}"));
        assert!(!came.was_read_back, "{by:?} after {lost:?}");
        assert_eq!(came.attempts, 2);
        assert!(began.elapsed() >= ms(400), "the quiet time is kept");
        let (_, stored, billed) = counts(&emulator, by, &who);
        assert_eq!((stored, billed), (1, 1), "{by:?} after {lost:?}");
    })
    .await;
    assert_eq!(
        client.usage().billed_messages,
        emulator.stats().billed_messages
    );
}

#[tokio::test]
async fn without_proof_in_time_a_message_is_not_sent_again() {
    let (emulator, _) = pair(LONG).await;
    let client = builder(&emulator.base_url()).with_deadline(ms(1500));
    let client = client.build().expect("a client");
    each(vec![()], async |by, who, ()| {
        by.prepare(&emulator, &who);
        let fault = Fault::before(Before::Close).on(by.operation());
        emulator.inject(fault.for_customer(&who));
        let error = by.say(&client, &who, "Good day", OnUnknown::Verify).await;
        let error = error.expect_err("no proof");
        assert_eq!(error.kind(), ErrorKind::UnknownOutcome, "{error:?}");
        assert_eq!(error.delivery(), Delivery::Unknown);
        assert_eq!(error.attempts(), 1);
        assert_eq!(counts(&emulator, by, &who), (1, 0, 0));
    })
    .await;
    assert_eq!(client.usage().unknown_outcomes, 2);
    assert_eq!(
        client.usage().billed_messages,
        2,
        "they may have been billed"
    );
}

#[tokio::test]
async fn the_policy_fail_fails_at_once_and_can_be_verified_later() {
    let (emulator, client) = pair(LONG).await;
    each(vec![()], async |by, who, ()| {
        by.prepare(&emulator, &who);
        let fault = Fault::after(After::Close).on(by.operation());
        emulator.inject(fault.for_customer(&who));
        let error = by.say(&client, &who, "Good day", OnUnknown::Fail).await;
        let error = error.expect_err("the answer is lost");
        assert_eq!(error.delivery(), Delivery::Unknown);
        assert_eq!(counts(&emulator, by, &who), (1, 1, 1));
        match client.verify(&error).await.expect("a look") {
            Verification::Answered(turn) => {
                assert_eq!(turn.text(), Some(by.last(&emulator, &who).as_str()));
            }
            other => panic!("{by:?}: {other:?}"),
        }
        assert_eq!(
            counts(&emulator, by, &who),
            (1, 1, 1),
            "verifying sends nothing"
        );
    })
    .await;
}

#[tokio::test]
async fn only_the_policy_resend_may_bill_twice() {
    let (emulator, client) = pair(LONG).await;
    each(vec![()], async |by, who, ()| {
        by.prepare(&emulator, &who);
        let fault = Fault::after(After::Close).on(by.operation());
        emulator.inject(fault.for_customer(&who));
        let came = by.say(&client, &who, "Good day", OnUnknown::Resend).await;
        let came = came.unwrap_or_else(|error| panic!("{by:?}: {error}"));
        assert_eq!(came.attempts, 2);
        assert_eq!(counts(&emulator, by, &who), (2, 2, 2));
    })
    .await;
    assert_eq!(
        client.usage().billed_messages,
        4,
        "all may have been billed"
    );
}

#[tokio::test]
async fn a_ceiling_on_billed_messages_holds_for_repetitions_too() {
    let (emulator, _) = pair(LONG).await;
    let client = builder(&emulator.base_url()).with_max_billed_messages(1);
    let client = client.build().expect("a client");
    emulator.inject(Fault::after(After::Close).on(Operation::GenerateReply));
    let error = By::Reply.say(&client, "a", "Good day", OnUnknown::Resend);
    let error = error.await.expect_err("the ceiling");
    assert_eq!(error.delivery(), Delivery::Unknown);
    let error = By::Reply.say(&client, "b", "Good day", OnUnknown::Verify);
    let error = error.await.expect_err("the ceiling");
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert_eq!(emulator.stats().billed_messages, 1);
}

#[tokio::test]
async fn a_message_to_a_person_who_took_over_was_processed_though_nobody_answers() {
    let (emulator, _) = pair(LONG).await;
    let client = builder(&emulator.base_url()).with_deadline(ms(1500));
    let client = client.build().expect("a client");
    let chat = client.conversation(conversation(CONVERSATION));
    assert!(!chat.ai_off().await.expect("switched off"));
    emulator.inject(Fault::after(After::Close).on(Operation::SendMessage));
    let error = chat.send("Anybody there?").await.expect_err("no answer");
    assert_eq!(error.delivery(), Delivery::Processed, "{error:?}");
    assert_eq!(counts(&emulator, By::Send, CONVERSATION), (1, 1, 0));
}

//! Messages of which nobody knows whether they arrived.

use std::collections::BTreeMap;

use famulor_core::OnUnknown;
use famulor_emulator::{After, Before, CannedAnswer, Emulator, Fault, Operation};
use famulor_outbox::{Outbox, Resolution, Row, State};

use crate::fixture::*;

/// A store with one message that was answered, so that the account's list is known to work, and `then` after it.
async fn after_one(place: &Place, emulator: &Emulator, then: &[(&str, &str)]) -> Outbox {
    let outbox = place.open().await;
    outbox.enqueue(message("crm-0", "first")).await.unwrap();
    drain(&outbox, client(emulator)).await;
    for (who, text) in then {
        outbox.enqueue(message(who, text)).await.unwrap();
    }
    outbox
}

fn sent(all: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    all.iter()
        .map(|(who, said)| ((*who).to_owned(), texts(said)))
        .collect()
}

fn lost_answer() -> Fault {
    Fault::after(After::Close).on(Operation::GenerateReply)
}

fn lost_request() -> Fault {
    Fault::before(Before::Close).on(Operation::GenerateReply)
}

async fn last(outbox: &Outbox) -> Row {
    rows(outbox).await.pop().expect("a row")
}

on_both! {
    async fn an_answer_that_was_lost_is_read_back(place: Place) {
        let emulator = emulator().await;
        let outbox = after_one(&place, &emulator, &[("crm-0", "a"), ("crm-1", "b"), ("crm-1", "c")]).await;
        emulator.inject(lost_answer().times(2));
        drain(&outbox, client(&emulator)).await;
        assert_sent_once(&emulator, &sent(&[("crm-0", &["first", "a"]), ("crm-1", &["b", "c"])]));
        for row in rows(&outbox).await {
            assert_eq!((row.state, row.attempts), (State::Done, 1), "{row:?}");
            assert!(row.reply.is_some() && row.conversation_id.is_some() && row.error.is_none());
        }
    }
}

on_both! {
    async fn what_is_proved_not_to_have_arrived_is_sent_again_in_its_place(place: Place) {
        let emulator = emulator().await;
        let then = [("crm-0", "a"), ("crm-0", "b"), ("crm-1", "c"), ("crm-1", "d")];
        let outbox = after_one(&place, &emulator, &then).await;
        emulator.inject(lost_request().times(2));
        let began = std::time::Instant::now();
        drain(&outbox, client(&emulator)).await;
        assert!(began.elapsed() >= ms(300), "believed before the quiet time");
        assert_sent_once(&emulator, &sent(&[("crm-0", &["first", "a", "b"]), ("crm-1", &["c", "d"])]));
        let attempts: Vec<_> = rows(&outbox).await.iter().map(|row| row.attempts).collect();
        assert_eq!(attempts.iter().sum::<u32>(), 7, "{attempts:?}");
        assert!(rows(&outbox).await.iter().all(|row| row.state == State::Done));
    }
}

on_both! {
    async fn a_first_message_is_sent_again_only_where_the_list_is_known_to_show_it(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        outbox.enqueue(message("crm-1", "a")).await.unwrap();
        emulator.inject(lost_request());
        drain(&outbox, client(&emulator)).await;
        let row = last(&outbox).await;
        assert_eq!(row.state, State::NeedsReview);
        assert!(row.reason.unwrap().contains("list does not show"));
        assert_eq!(emulator.stats().billed_messages, 0);
    }
}

on_both! {
    async fn a_message_in_doubt_holds_back_its_own_customer_and_nobody_else(place: Place) {
        let emulator = emulator().await;
        let then = [("crm-0", "a"), ("crm-0", "b"), ("crm-1", "c"), ("crm-1", "d")];
        let outbox = after_one(&place, &emulator, &then).await;
        emulator.inject(lost_request().for_customer("crm-0"));
        let slow = builder(&emulator).with_doubt_wait(ms(1500)).build().unwrap();
        let worker = outbox.worker().with_account("default", slow);
        let running = tokio::spawn(worker.drain(Default::default()));
        let status = until(&outbox, |status| status.done == 3 && status.in_doubt == 1).await;
        assert_eq!((status.queued, status.sending), (1, 0));
        assert_eq!(said(&emulator, "crm-1"), ["c", "d"]);
        assert_eq!(said(&emulator, "crm-0"), ["first"]);
        within(running).await.unwrap().unwrap();
        assert_sent_once(&emulator, &sent(&[("crm-0", &["first", "a", "b"]), ("crm-1", &["c", "d"])]));
    }
}

on_both! {
    async fn the_policy_fail_leaves_it_in_doubt_and_goes_on(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        emulator.inject(lost_answer());
        for text in ["a", "b"] {
            let message = message("crm-1", text).with_on_unknown(OnUnknown::Fail);
            outbox.enqueue(message).await.unwrap();
        }
        drain(&outbox, client(&emulator)).await;
        let states: Vec<_> = rows(&outbox).await.iter().map(|row| (row.state, row.is_final())).collect();
        assert_eq!(states, [(State::InDoubt, true), (State::Done, true)]);
        assert_eq!(said(&emulator, "crm-1"), ["a", "b"]);
        let error = rows(&outbox).await[0].error.clone().unwrap();
        assert_eq!((error.kind.as_str(), error.delivery.as_str()), ("unknown_outcome", "unknown"));
    }
}

on_both! {
    async fn the_policy_resend_sends_again_at_once(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        emulator.inject(lost_answer());
        let again = message("crm-1", "a").with_on_unknown(OnUnknown::Resend);
        outbox.enqueue(again).await.unwrap();
        drain(&outbox, client(&emulator)).await;
        assert_eq!(said(&emulator, "crm-1"), ["a", "a"]);
        assert_eq!(last(&outbox).await.attempts, 2);
    }
}

on_both! {
    async fn what_was_processed_and_cannot_be_read_is_read_back(place: Place) {
        let emulator = emulator().await;
        let then = [("crm-0", "a"), ("crm-1", "b")];
        let outbox = after_one(&place, &emulator, &then).await;
        emulator.inject(Fault::after(After::Cut(20)).on(Operation::GenerateReply).times(2));
        drain(&outbox, client(&emulator)).await;
        assert_sent_once(&emulator, &sent(&[("crm-0", &["first", "a"]), ("crm-1", &["b"])]));
        assert!(rows(&outbox).await.iter().all(|row| row.state == State::Done && row.attempts == 1));
    }
}

on_both! {
    async fn somebody_elses_message_leaves_it_to_a_person(place: Place) {
        let emulator = emulator().await;
        let outbox = after_one(&place, &emulator, &[("crm-0", "a")]).await;
        emulator.inject(lost_request().times(1));
        let slow = builder(&emulator).with_doubt_wait(ms(2000)).build().unwrap();
        let worker = outbox.worker().with_account("default", slow);
        let running = tokio::spawn(worker.drain(Default::default()));
        until(&outbox, |status| status.in_doubt == 1).await;
        client(&emulator).reply(ASSISTANT, customer("crm-0"), "somebody else").send().await.unwrap();
        within(running).await.unwrap().unwrap();
        let row = last(&outbox).await;
        assert_eq!(row.state, State::NeedsReview);
        assert!(row.reason.unwrap().contains("other messages"));
        // A person decides; the next message goes on from there.
        outbox.resolve(row.id, Resolution::SendAgain).await.unwrap();
        drain(&outbox, client(&emulator)).await;
        assert_eq!(last(&outbox).await.state, State::Done);
        assert_eq!(said(&emulator, "crm-0"), ["first", "somebody else", "a"]);
    }
}

on_both! {
    async fn a_server_error_is_no_answer(place: Place) {
        let emulator = emulator().await;
        let outbox = after_one(&place, &emulator, &[("crm-0", "a"), ("crm-0", "b")]).await;
        let error = CannedAnswer::text(500, "Server Error");
        emulator.inject(Fault::before(Before::Answer(error)).on(Operation::GenerateReply));
        drain(&outbox, client(&emulator)).await;
        assert_sent_once(&emulator, &sent(&[("crm-0", &["first", "a", "b"])]));
    }
}

on_both! {
    async fn a_doubt_survives_its_worker(place: Place) {
        let emulator = emulator().await;
        let outbox = after_one(&place, &emulator, &[("crm-0", "a"), ("crm-0", "b")]).await;
        emulator.inject(lost_request());
        let stop = tokio_util::sync::CancellationToken::new();
        let slow = || builder(&emulator).with_doubt_wait(ms(1500)).build().unwrap();
        let worker = outbox.worker().with_account("default", slow());
        let running = tokio::spawn(worker.drain(stop.clone()));
        until(&outbox, |status| status.in_doubt == 1).await;
        stop.cancel();
        within(running).await.unwrap().unwrap();
        drop(outbox);
        // The quiet time goes on where it was, on the store's clock.
        let began = std::time::Instant::now();
        let outbox = place.open().await;
        assert_eq!(status(&outbox).await.in_doubt, 1);
        drain(&outbox, slow()).await;
        assert!(began.elapsed() < ms(1500 * 2), "it began anew: {:?}", began.elapsed());
        assert_sent_once(&emulator, &sent(&[("crm-0", &["first", "a", "b"])]));
    }
}

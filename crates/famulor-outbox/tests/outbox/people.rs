//! What people do with rows: list, cancel, retry, decide, forget.

use std::time::Duration;

use famulor_emulator::{Before, CannedAnswer, Fault, Operation};
use famulor_outbox::{ErrorKind, Filter, NewMessage, Resolution, State};

use crate::fixture::*;

on_both! {
    async fn rows_come_in_input_order_page_by_page(place: Place) {
        let outbox = place.open().await;
        let (messages, _) = batch(3, 5);
        outbox.enqueue_all(messages).await.unwrap();
        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let page = outbox.list(&Filter::all(), after, 4).await.unwrap();
            let Some(last) = page.last() else { break };
            assert!(page.len() <= 4);
            after = Some(last.id);
            seen.extend(page.into_iter().map(|row| (row.id, row.customer)));
        }
        assert_eq!(seen.len(), 15);
        assert!(seen.is_sorted());
        let one = outbox.list(&Filter::all().with_customer("crm-1"), None, 100).await.unwrap();
        assert_eq!(one.len(), 5);
        let of_one = outbox.status(&Filter::all().with_customer("crm-1")).await.unwrap();
        assert_eq!((of_one.queued, of_one.total()), (5, 5));
        assert!(of_one.oldest_waiting.unwrap() < Duration::from_secs(60));
        assert!(outbox.row(seen[0].0).await.unwrap().is_some());
        assert!(outbox.row("99".parse().unwrap()).await.unwrap().is_none());
        let none = outbox.status(&Filter::all().with_job("none")).await.unwrap();
        assert_eq!(none.total(), 0);
    }
}

on_both! {
    async fn what_is_cancelled_is_not_sent_until_it_is_retried(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        let (messages, sent) = batch(2, 3);
        outbox.enqueue_all(messages).await.unwrap();
        let theirs = Filter::all().with_customer("crm-1");
        assert_eq!(outbox.cancel(&theirs).await.unwrap(), 3);
        drain(&outbox, client(&emulator)).await;
        assert_eq!(said(&emulator, "crm-1"), Vec::<String>::new());
        assert_eq!(outbox.retry(&theirs.with_states([State::Failed])).await.unwrap(), 0);
        assert_eq!(outbox.retry(&Filter::all()).await.unwrap(), 3);
        drain(&outbox, client(&emulator)).await;
        assert_sent_once(&emulator, &sent);
        assert_eq!(outbox.cancel(&Filter::all()).await.unwrap(), 0, "they are done");
    }
}

on_both! {
    async fn more_rows_than_go_into_one_transaction_are_changed(place: Place) {
        let outbox = place.open().await;
        let (messages, _) = batch(7, 200);
        outbox.enqueue_all(messages).await.unwrap();
        assert_eq!(outbox.cancel(&Filter::all()).await.unwrap(), 1400);
        assert_eq!(status(&outbox).await.cancelled, 1400);
        assert_eq!(outbox.retry(&Filter::all()).await.unwrap(), 1400);
        assert_eq!(status(&outbox).await.queued, 1400);
    }
}

on_both! {
    async fn a_person_decides_about_a_row_in_review(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        for who in ["crm-1", "crm-2", "crm-3"] {
            outbox.enqueue(message(who, "Hello")).await.unwrap();
        }
        let error = CannedAnswer::text(500, "Server Error");
        emulator.inject(Fault::before(Before::Answer(error)).on(Operation::GenerateReply).times(3));
        drain(&outbox, client(&emulator)).await;
        let all = rows(&outbox).await;
        assert!(all.iter().all(|row| row.state == State::NeedsReview && row.reason.is_some()));
        assert_eq!(outbox.retry(&Filter::all()).await.unwrap(), 0, "not without being named");
        let reply = Some("Hi there".to_owned());
        let found = Resolution::Done { reply, conversation_id: Some("c-1".to_owned()) };
        outbox.resolve(all[0].id, found).await.unwrap();
        outbox.resolve(all[1].id, Resolution::GiveUp).await.unwrap();
        let named = Filter::all().with_states([State::NeedsReview]);
        assert_eq!(outbox.retry(&named).await.unwrap(), 1);
        drain(&outbox, client(&emulator)).await;
        let all = rows(&outbox).await;
        let states: Vec<_> = all.iter().map(|row| row.state).collect();
        assert_eq!(states, [State::Done, State::Failed, State::Done]);
        assert_eq!(all[0].reply.as_deref(), Some("Hi there"));
        assert_eq!(all[0].conversation_id.as_deref(), Some("c-1"));
        let again = outbox.resolve(all[0].id, Resolution::GiveUp).await.unwrap_err();
        assert_eq!(again.kind(), ErrorKind::Invalid);
        let nothing = outbox.resolve("99".parse().unwrap(), Resolution::GiveUp).await.unwrap_err();
        assert_eq!(nothing.kind(), ErrorKind::NotFound);
        assert_eq!(status(&outbox).await.total(), 3);
    }
}

on_both! {
    async fn rows_that_ended_long_ago_are_forgotten(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        outbox.enqueue(message("crm-1", "a").with_key("k")).await.unwrap();
        drain(&outbox, client(&emulator)).await;
        outbox.enqueue(message("crm-1", "b")).await.unwrap();
        assert_eq!(outbox.prune(Duration::from_secs(60)).await.unwrap(), 0);
        tokio::time::sleep(ms(5)).await;
        assert_eq!(outbox.prune(ms(1)).await.unwrap(), 1);
        let status = status(&outbox).await;
        assert_eq!((status.done, status.queued, status.attempts), (0, 1, 0));
        let again = outbox.enqueue(message("crm-1", "a").with_key("k")).await.unwrap();
        assert!(matches!(again, famulor_outbox::Enqueued::Added(_)));
    }
}

on_both! {
    async fn whoever_listens_hears_every_end_once(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        // Another process, as far as the store knows.
        let mut outcomes = place.open().await.subscribe(Filter::all().with_customer("crm-1"));
        outcomes.ready().await.unwrap();
        let (messages, _) = batch(2, 5);
        outbox.enqueue_all(messages).await.unwrap();
        drain(&outbox, client(&emulator)).await;
        let mut heard = Vec::new();
        for _ in 0..5 {
            let row = within(outcomes.next()).await.unwrap();
            assert_eq!((row.state, row.customer.as_str()), (State::Done, "crm-1"));
            heard.push(row.id);
        }
        assert!(heard.is_sorted_by(|one, other| one < other), "{heard:?}");
        let more = tokio::time::timeout(ms(600), outcomes.next()).await;
        assert!(more.is_err(), "each once");
    }
}

on_both! {
    async fn an_input_that_was_changed_is_refused(place: Place) {
        let outbox = place.open().await;
        let mut import = outbox.import("letters", "one").await.unwrap();
        import.push(message("crm-1", "a")).await.unwrap();
        import.finish().await.unwrap();
        let error = outbox.import("letters", "two").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ChangedInput);
        assert!(error.to_string().contains("letters"), "{error}");
        let into = message("crm-1", "b").with_job("letters");
        assert_eq!(outbox.enqueue(into).await.unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(status(&outbox).await.total(), 1);
    }
}

on_both! {
    async fn an_input_that_was_broken_off_is_sent_by_nobody_and_goes_on(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        let (messages, sent) = batch(40, 125);
        let mut import = outbox.import("letters", "one").await.unwrap();
        for message in messages.iter().take(4500) {
            import.push(message.clone()).await.unwrap();
        }
        drop(import);
        drain(&outbox, client(&emulator)).await;
        assert_eq!(emulator.stats().billed_messages, 0);
        assert_eq!(outbox.cancel(&Filter::all()).await.unwrap(), 0, "not whole, so nobody's yet");
        let mut import = outbox.import("letters", "one").await.unwrap();
        for message in messages {
            import.push(message).await.unwrap();
        }
        let imported = import.finish().await.unwrap();
        assert_eq!(imported.added + imported.already, 5000);
        assert_eq!(status(&outbox).await.queued, 5000);
        let theirs = outbox.list(&Filter::all().with_customer("crm-7"), None, 1000).await.unwrap();
        assert_eq!(theirs.len(), sent["crm-7"].len());
    }
}

#[tokio::test]
async fn nothing_of_a_message_is_shown_by_debug() {
    let place = Place::file();
    let outbox = place.open().await;
    let secret = message("crm-secret", "my secret").with_key("secret-key");
    assert!(!format!("{secret:?}").contains("secret"));
    outbox.enqueue(secret).await.unwrap();
    let row = rows(&outbox).await.pop().unwrap();
    assert!(!format!("{row:?}").contains("secret"), "{row:?}");
    let filter = Filter::all().with_customer("crm-secret");
    assert!(!format!("{filter:?}").contains("secret"));
}

#[tokio::test]
async fn what_cannot_be_sent_is_not_accepted() {
    let place = Place::file();
    let outbox = place.open().await;
    for message in [
        message("crm-1", " \n"),
        message("crm-1", "a\0b"),
        NewMessage::new(ASSISTANT, customer("crm-1"), "a").with_job(" "),
        message("crm-1", "a").with_account(&"a".repeat(256)),
    ] {
        let error = outbox.enqueue(message).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
    assert_eq!(status(&outbox).await.total(), 0);
}

//! What everybody wants from it.

use famulor_outbox::{EndReason, Enqueued, Filter, State};

use crate::fixture::*;

on_both! {
    async fn every_message_is_sent_once_and_in_its_customers_order(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        let (messages, sent) = batch(5, 6);
        outbox.enqueue_all(messages).await.unwrap();
        let end = drain(&outbox, client(&emulator)).await;
        assert_eq!((end.reason, end.settled, end.in_doubt), (EndReason::Finished, 30, 0));
        assert_sent_once(&emulator, &sent);
        for row in rows(&outbox).await {
            assert_eq!((row.state, row.attempts), (State::Done, 1));
            assert!(row.reply.is_some() && row.conversation_id.is_some());
        }
        let status = status(&outbox).await;
        assert_eq!((status.done, status.total(), status.attempts), (30, 30, 30));
        assert_eq!(status.oldest_waiting, None);
    }
}

on_both! {
    async fn an_imported_input_is_sent_and_given_again_adds_nothing(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        let (messages, sent) = batch(3, 4);
        let mut import = outbox.import("letters", "digest").await.unwrap();
        assert!(!import.is_complete());
        for message in messages.clone() {
            import.push(message).await.unwrap();
        }
        import.push_invalid(13, Some("mine".into()), None, "no JSON").await.unwrap();
        let imported = import.finish().await.unwrap();
        assert_eq!((imported.added, imported.already, imported.invalid), (12, 0, 1));
        drain(&outbox, client(&emulator)).await;
        assert_sent_once(&emulator, &sent);
        let mut import = outbox.import("letters", "digest").await.unwrap();
        assert!(import.is_complete());
        for message in messages {
            import.push(message).await.unwrap();
        }
        let imported = import.finish().await.unwrap();
        assert_eq!((imported.added, imported.already), (0, 12));
        drain(&outbox, client(&emulator)).await;
        assert_sent_once(&emulator, &sent);
        let all = rows(&outbox).await;
        let lines: Vec<_> = all.iter().map(|row| row.line.unwrap()).collect();
        assert_eq!(lines, (1..=13).collect::<Vec<_>>());
        let bad = all.last().unwrap();
        assert_eq!((bad.state, bad.caller_id.as_deref()), (State::Failed, Some("mine")));
        assert_eq!(bad.error.as_ref().unwrap().message, "no JSON");
        assert_eq!(outbox.jobs().await.unwrap(), ["letters"]);
    }
}

on_both! {
    async fn a_key_is_enqueued_once(place: Place) {
        let outbox = place.open().await;
        let first = outbox.enqueue(message("crm-1", "Hello").with_key("k")).await.unwrap();
        assert!(matches!(first, Enqueued::Added(_)));
        let again = outbox.enqueue(message("crm-1", "Hello").with_key("k")).await.unwrap();
        assert_eq!(again, Enqueued::Already(first.row()));
        let other = outbox.enqueue(message("crm-1", "Bye").with_key("k")).await.unwrap_err();
        assert_eq!(other.kind(), famulor_outbox::ErrorKind::ChangedInput);
        let of_job = message("crm-1", "Bye").with_key("k").with_job("other");
        assert!(matches!(outbox.enqueue(of_job).await.unwrap(), Enqueued::Added(_)));
        assert_eq!(outbox.status(&Filter::all()).await.unwrap().queued, 2);
    }
}

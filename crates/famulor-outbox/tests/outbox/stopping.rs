//! Workers that are stopped, dropped or lost.

use famulor_emulator::Emulator;
use famulor_outbox::{EndReason, Filter, State};
use tokio_util::sync::CancellationToken;

use crate::fixture::*;

on_both! {
    async fn a_stopped_worker_lets_calls_under_way_end(place: Place) {
        let emulator = start(Emulator::builder().without_limits().latency(ms(400))).await;
        let outbox = place.open().await;
        let (messages, _) = batch(2, 3);
        outbox.enqueue_all(messages).await.unwrap();
        let stop = CancellationToken::new();
        let worker = outbox.worker().with_account("default", client(&emulator));
        let running = tokio::spawn(worker.run(stop.clone()));
        until(&outbox, |status| status.sending == 2).await;
        stop.cancel();
        let end = within(running).await.unwrap().unwrap();
        assert_eq!((end.reason, end.settled, end.in_doubt), (EndReason::Stopped, 2, 0));
        let status = status(&outbox).await;
        assert_eq!((status.done, status.queued), (2, 4));
        assert_eq!(emulator.stats().billed_messages, 2);
    }
}

on_both! {
    async fn calls_that_do_not_end_in_time_are_in_doubt_and_read_back_later(place: Place) {
        let emulator = start(Emulator::builder().without_limits().latency(ms(1500))).await;
        let outbox = place.open().await;
        let (messages, sent) = batch(1, 2);
        outbox.enqueue_all(messages).await.unwrap();
        let stop = CancellationToken::new();
        let worker = outbox.worker().with_account("default", client(&emulator)).with_stop_wait(ms(10));
        let running = tokio::spawn(worker.run(stop.clone()));
        until(&outbox, |status| status.sending == 1).await;
        stop.cancel();
        let end = within(running).await.unwrap().unwrap();
        assert_eq!((end.reason, end.in_doubt), (EndReason::Stopped, 1));
        assert_eq!(status(&outbox).await.in_doubt, 1);
        let patient = builder(&emulator).with_doubt_wait(ms(4000)).build().unwrap();
        drain(&outbox, patient).await;
        assert_sent_once(&emulator, &sent);
    }
}

on_both! {
    async fn a_worker_that_is_dropped_takes_nothing_more_and_loses_nothing(place: Place) {
        let emulator = start(Emulator::builder().without_limits().latency(ms(200))).await;
        let outbox = place.open().await;
        let (messages, sent) = batch(1, 4);
        outbox.enqueue_all(messages).await.unwrap();
        let worker = outbox.worker().with_account("default", client(&emulator));
        let running = tokio::spawn(worker.run(CancellationToken::new()));
        until(&outbox, |status| status.sending == 1).await;
        running.abort();
        let status = until(&outbox, |status| status.sending == 0).await;
        assert!(status.done >= 1 && status.in_doubt == 0, "{status:?}");
        drain(&outbox, client(&emulator)).await;
        assert_sent_once(&emulator, &sent);
    }
}

on_both! {
    async fn a_lost_workers_rows_come_into_doubt_after_its_lease(place: Place) {
        let emulator = start(Emulator::builder().without_limits().latency(ms(300))).await;
        let outbox = place.open().await;
        outbox.enqueue(message("crm-9", "first")).await.unwrap();
        drain(&outbox, client(&emulator)).await;
        let (messages, sent) = batch(2, 2);
        outbox.enqueue_all(messages).await.unwrap();
        let (location, url) = (place.location.clone(), emulator.base_url());
        // A machine that stops: its runtime ends with everything in it.
        let machine = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        machine.spawn(async move {
            let outbox = famulor_outbox::Outbox::open(&location).await.unwrap();
            let client = famulor_core::Client::builder()
                .with_api_key(KEY).with_base_url(&url).without_proxy().without_limits().build().unwrap();
            let worker = outbox.worker().with_account("default", client).with_lease(ms(1500));
            let _ = worker.run(CancellationToken::new()).await;
        });
        until(&outbox, |status| status.sending == 2).await;
        machine.shutdown_background();
        let worker = outbox.worker().with_account("default", client(&emulator)).with_lease(ms(900));
        within(worker.drain(CancellationToken::new())).await.unwrap();
        let mut sent = sent;
        sent.insert("crm-9".into(), vec!["first".into()]);
        assert_sent_once(&emulator, &sent);
        let done = outbox.status(&Filter::all().with_states([State::Done])).await.unwrap();
        assert_eq!(done.total(), 5);
    }
}

on_both! {
    async fn a_worker_that_was_taken_for_dead_begins_anew(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        let stop = CancellationToken::new();
        let worker = outbox.worker().with_account("default", client(&emulator)).with_lease(ms(300));
        let running = tokio::spawn(worker.run(stop.clone()));
        outbox.enqueue(message("crm-1", "a")).await.unwrap();
        until(&outbox, |status| status.done == 1).await;
        crate::bad_store::raw(&place.location, "DELETE FROM famulor_outbox_owner").await;
        outbox.enqueue(message("crm-1", "b")).await.unwrap();
        until(&outbox, |status| status.done == 2).await;
        stop.cancel();
        let end = within(running).await.unwrap().unwrap();
        assert_eq!((end.settled, end.in_doubt), (2, 0));
        assert_eq!(said(&emulator, "crm-1"), ["a", "b"]);
    }
}

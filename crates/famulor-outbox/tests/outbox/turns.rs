//! Whose turn it is: customers, accounts, jobs, quotas.

use std::time::Instant;

use famulor_core::{Client, Limit};
use famulor_emulator::{AsAnswer, Before, CannedAnswer, Emulator, Fault, Operation};
use famulor_outbox::{EndReason, Filter, State};
use tokio_util::sync::CancellationToken;

use crate::fixture::*;

/// Who was served, in the order in which their messages arrived.
pub(crate) fn arrivals(emulator: &Emulator) -> Vec<String> {
    let journal = emulator.journal().into_iter();
    let replies = journal.filter(|entry| entry.operation == Some(Operation::GenerateReply));
    replies.filter_map(|entry| entry.customer).collect()
}

on_both! {
    async fn customers_take_turns_however_much_one_of_them_wants(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        let mut messages: Vec<_> = (0..12).map(|n| message("greedy", &format!("{n}"))).collect();
        messages.extend((0..4).map(|n| message(&format!("modest-{n}"), "one")));
        outbox.enqueue_all(messages).await.unwrap();
        let worker = outbox.worker().with_account("default", client(&emulator));
        within(worker.with_concurrency(1).drain(CancellationToken::new())).await.unwrap();
        let arrivals = arrivals(&emulator);
        assert_eq!(arrivals.len(), 16);
        let first: Vec<_> = arrivals.iter().take(7).collect();
        let modest = first.iter().filter(|who| who.starts_with("modest")).count();
        assert_eq!(modest, 4, "{arrivals:?}");
    }
}

on_both! {
    async fn a_worker_serves_the_accounts_it_has_keys_for(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        outbox.enqueue(message("crm-1", "mine").with_account("a")).await.unwrap();
        outbox.enqueue(message("crm-1", "theirs").with_account("b")).await.unwrap();
        let worker = outbox.worker().with_account("a", client(&emulator));
        let end = within(worker.drain(CancellationToken::new())).await.unwrap();
        assert_eq!((end.reason, end.settled), (EndReason::Finished, 1));
        let waiting = rows(&outbox).await.pop().unwrap();
        assert_eq!((waiting.state, waiting.account.as_str()), (State::Queued, "b"));
        assert_eq!(outbox.status(&Filter::all().with_account("b")).await.unwrap().queued, 1);
    }
}

on_both! {
    async fn an_account_out_of_quota_holds_back_no_other(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        let one: Limit = "1/3600s".parse().unwrap();
        let poor = Client::builder()
            .with_api_key(KEY)
            .with_base_url(&emulator.base_url())
            .without_proxy()
            .with_rate_limit(one)
            .with_general_limits([])
            .build()
            .unwrap();
        for number in 0..5 {
            let text = format!("{number}");
            outbox.enqueue(message("crm-2", &text).with_account("poor")).await.unwrap();
            outbox.enqueue(message("crm-1", &text).with_account("rich")).await.unwrap();
        }
        let worker = outbox
            .worker()
            .with_account("poor", poor)
            .with_account("rich", client(&emulator))
            .with_concurrency(1);
        let stop = CancellationToken::new();
        let running = tokio::spawn(worker.run(stop.clone()));
        let status = until(&outbox, |status| status.done == 6).await;
        assert_eq!(status.queued, 4);
        let poor = outbox.status(&Filter::all().with_account("poor")).await.unwrap();
        assert_eq!((poor.done, poor.queued), (1, 4));
        stop.cancel();
        let end = within(running).await.unwrap().unwrap();
        assert_eq!((end.reason, end.in_doubt), (EndReason::Stopped, 0));
    }
}

on_both! {
    async fn a_worker_of_a_job_serves_that_job(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        outbox.enqueue(message("crm-1", "a").with_job("one")).await.unwrap();
        outbox.enqueue(message("crm-1", "b").with_job("two")).await.unwrap();
        let worker = outbox.worker().with_account("default", client(&emulator)).with_job("two");
        within(worker.drain(CancellationToken::new())).await.unwrap();
        assert_eq!(said(&emulator, "crm-1"), ["b"]);
        let one = outbox.status(&Filter::all().with_job("one")).await.unwrap();
        assert_eq!((one.queued, one.total()), (1, 1));
        drain(&outbox, client(&emulator)).await;
        assert_eq!(said(&emulator, "crm-1"), ["b", "a"]);
    }
}

on_both! {
    async fn several_workers_share_the_work_and_send_nothing_twice(place: Place) {
        let emulator = emulator().await;
        let (messages, sent) = batch(8, 6);
        place.open().await.enqueue_all(messages).await.unwrap();
        let mut running = Vec::new();
        for _ in 0..3 {
            // Each with connections of its own, as processes have.
            let outbox = place.open().await;
            let worker = outbox.worker().with_account("default", client(&emulator));
            running.push(tokio::spawn(worker.with_concurrency(4).drain(CancellationToken::new())));
        }
        let mut settled = 0;
        for worker in running {
            settled += within(worker).await.unwrap().unwrap().settled;
        }
        assert_eq!(settled, 48);
        assert_sent_once(&emulator, &sent);
    }
}

on_both! {
    async fn a_refusal_by_a_limit_goes_back_to_the_head_of_the_queue(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        let (messages, sent) = batch(1, 3);
        outbox.enqueue_all(messages).await.unwrap();
        emulator.inject(Fault::answer(AsAnswer::TooManyRequests { retry_after: 0, headers: true }).on(Operation::GenerateReply));
        let began = Instant::now();
        drain(&outbox, client(&emulator)).await;
        assert!(began.elapsed() >= ms(1000), "it did not wait");
        assert_sent_once(&emulator, &sent);
        let attempts: Vec<_> = rows(&outbox).await.iter().map(|row| row.attempts).collect();
        assert_eq!(attempts, [2, 1, 1]);
    }
}

on_both! {
    async fn a_server_that_cannot_be_reached_is_tried_again(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        let (messages, sent) = batch(2, 2);
        outbox.enqueue_all(messages).await.unwrap();
        emulator.refuse_connections(ms(700)).await;
        drain(&outbox, client(&emulator)).await;
        assert_sent_once(&emulator, &sent);
    }
}

on_both! {
    async fn other_refusals_are_final_and_the_next_message_goes_on(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        for text in ["a", "b"] {
            outbox.enqueue(message("crm-1", text)).await.unwrap();
        }
        let refusal = CannedAnswer::text(422, r#"{"message":"no"}"#);
        emulator.inject(Fault::before(Before::Answer(refusal)).on(Operation::GenerateReply));
        let end = drain(&outbox, client(&emulator)).await;
        assert_eq!(end.settled, 2);
        let all = rows(&outbox).await;
        assert_eq!((all[0].state, all[1].state), (State::Failed, State::Done));
        let error = all[0].error.as_ref().unwrap();
        assert_eq!((error.http_status, error.delivery.as_str()), (Some(422), "refused"));
        // A person corrects the cause, and it goes after all.
        assert_eq!(outbox.retry(&Filter::all()).await.unwrap(), 1);
        drain(&outbox, client(&emulator)).await;
        assert_eq!(said(&emulator, "crm-1"), ["b", "a"]);
        assert_eq!(status(&outbox).await.failed, 0);
    }
}

on_both! {
    async fn it_ends_after_so_many_failures(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        let (messages, _) = batch(1, 6);
        outbox.enqueue_all(messages).await.unwrap();
        let refusal = CannedAnswer::text(422, r#"{"message":"no"}"#);
        emulator.inject(Fault::before(Before::Answer(refusal)).on(Operation::GenerateReply).forever());
        let worker = outbox.worker().with_account("default", client(&emulator));
        let ending = worker.with_concurrency(1).with_max_failures(2).drain(CancellationToken::new());
        let end = within(ending).await.unwrap();
        assert_eq!(end.reason, EndReason::TooManyFailures);
        let status = status(&outbox).await;
        assert!(status.failed >= 2 && status.queued >= 3, "{status:?}");
    }
}

#[tokio::test]
async fn a_client_without_a_key_serves_nobody() {
    let place = Place::file();
    let outbox = place.open().await;
    let keyless = Client::builder().build().unwrap();
    let worker = outbox.worker().with_account("default", keyless);
    let error = worker.run(CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.kind(), famulor_outbox::ErrorKind::Invalid);
    assert!(error.to_string().contains("no API key"));
}

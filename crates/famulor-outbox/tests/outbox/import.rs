//! What an import stores is what was given to it.

use std::collections::BTreeMap;

use famulor_core::OnUnknown;
use famulor_outbox::{Imported, NewMessage, Outbox, State};
use serde_json::{Map, Value, json};

use crate::fixture::*;

/// More than go into one statement, so that every kind of statement is made full and not full.
const EACH: u64 = 520;

fn plain(line: u64) -> NewMessage {
    message(&format!("crm-{}", line % 7), &format!("plain {line}")).with_line(line)
}

fn policy(line: u64) -> OnUnknown {
    match line % 3 {
        _ if line <= EACH => OnUnknown::Verify,
        0 => OnUnknown::Verify,
        1 => OnUnknown::Resend,
        _ => OnUnknown::Fail,
    }
}

fn with_variables(line: u64) -> NewMessage {
    let variables = Map::from_iter([("line".to_owned(), json!(line))]);
    let message = message(&format!("crm-{}", line % 7), &format!("rich {line}"));
    let message = message.with_line(line).with_id(&format!("id {line}"));
    message
        .with_variables(variables)
        .with_on_unknown(policy(line))
}

async fn import(outbox: &Outbox, job: &str, invalid: bool) -> Imported {
    let mut import = outbox.import(job, "digest").await.unwrap();
    for line in 1..=EACH {
        import.push(plain(line)).await.unwrap();
    }
    for line in EACH + 1..=3 * EACH {
        match invalid && line % 5 == 0 {
            false => import.push(with_variables(line)).await.unwrap(),
            true => {
                let customer = Some("crm-\0".to_owned());
                import
                    .push_invalid(line, Some(format!("id {line}")), customer, "too long")
                    .await
                    .unwrap();
            }
        }
    }
    import.finish().await.unwrap()
}

on_both! {
    async fn every_field_of_every_line_is_stored_as_given(place: Place) {
        let outbox = place.open().await;
        let messages = import(&outbox, "messages", false).await;
        assert_eq!((messages.added, messages.invalid), (3 * EACH, 0));
        let mixed = import(&outbox, "mixed", true).await;
        assert_eq!((mixed.added, mixed.invalid), (3 * EACH - 2 * EACH / 5, 2 * EACH / 5));
        let rows = rows(&outbox).await;
        assert_eq!(rows.len() as u64, 6 * EACH);
        for row in rows {
            let line = row.line.unwrap();
            let bad = row.job == "mixed" && line > EACH && line.is_multiple_of(5);
            let id = (line > EACH).then(|| format!("id {line}"));
            assert_eq!(row.caller_id, id);
            assert_eq!(row.key, None);
            if bad {
                assert_eq!((row.state, row.customer.as_str()), (State::Failed, "crm-\u{fffd}"));
                assert_eq!(row.error.unwrap().message, "too long");
                continue;
            }
            assert_eq!((row.state, row.attempts), (State::Queued, 0));
            assert_eq!(row.customer, format!("crm-{}", line % 7));
            assert_eq!(row.on_unknown, policy(line));
        }
    }
}

on_both! {
    async fn messages_and_variables_arrive_as_given_and_in_order(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        import(&outbox, "mixed", true).await;
        drain(&outbox, client(&emulator)).await;
        let mut sent: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in (1..=3 * EACH).filter(|line| *line <= EACH || line % 5 != 0) {
            let text = match line <= EACH {
                true => format!("plain {line}"),
                false => format!("rich {line}"),
            };
            sent.entry(format!("crm-{}", line % 7)).or_default().push(text);
        }
        assert_sent_once(&emulator, &sent);
        // The journal keeps the last of them.
        let (mut plain, mut rich) = (0, 0);
        for entry in emulator.journal() {
            let Ok(body) = serde_json::from_slice::<Value>(entry.asked.bytes()) else {
                continue;
            };
            let message = body["message"].as_str().unwrap();
            let Some(line) = message.strip_prefix("rich ") else {
                assert_eq!(body.get("variables"), None);
                plain += 1;
                continue;
            };
            let line: u64 = line.parse().unwrap();
            assert_eq!(body["variables"], json!({ "line": line }));
            rich += 1;
        }
        assert!(plain + rich > 500 && rich > 0, "{plain} plain, {rich} rich");
    }
}

//! Contacts of a CRM, answered and written back.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use famulor_emulator::{After, Emulator, Fault, Operation, RateLimit};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};

use crate::program::{example, example_on, finish};

/// The rows of a table, by contact.
fn rows(path: &Path) -> HashMap<String, HashMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).expect("a table");
    let rows = reader
        .deserialize()
        .map(|row: csv::Result<HashMap<String, String>>| {
            let row = row.expect("a row");
            (row["id"].clone(), row)
        });
    rows.collect()
}

async fn account() -> Emulator {
    let limit = RateLimit::parse("5/2s").expect("a limit");
    Emulator::builder()
        .rate_limit(limit)
        .start()
        .await
        .expect("an emulator")
}

#[tokio::test]
async fn replies_and_conversation_ids_are_written_back_and_columns_become_variables() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("answered.csv");
    let emulator = account().await;
    let run = || {
        let mut command = example_on(&emulator, "crm_sync");
        command
            .env("FAMULOR_RATE_LIMIT", "5/2s")
            .arg("--out")
            .arg(&out);
        command
    };
    finish(&mut run()).await.said(&[
        "6 answered, 0 failed, 0 unknown",
        "6 messages billed by this run",
    ]);

    let table = rows(&out);
    assert_eq!(table.len(), 7);
    let anna = &table["4711"];
    let conversation = emulator
        .conversation_of(123, "crm-4711")
        .expect("a conversation");
    assert_eq!(anna["state"], "answered");
    assert_eq!(anna["conversation_id"], conversation.id);
    assert_eq!(anna["reply"], conversation.history[1].content);
    let variables = conversation.variables.expect("variables");
    assert_eq!(variables["name"], "Anna Berg");
    assert_eq!(variables["plan"], "Starter");
    assert_eq!(
        variables.len(),
        2,
        "only the contact's own columns are sent"
    );
    assert_eq!(
        table["4713"]["name"], "Meyer, Ida",
        "a comma in a cell stays in it"
    );
    assert_eq!(
        table["4714"]["state"], "",
        "who asks nothing is sent nothing"
    );

    finish(&mut run())
        .await
        .said(&["6 answered", "0 messages billed by this run"]);
    assert_eq!(emulator.stats().billed_messages, 6);
}

#[tokio::test]
async fn it_runs_on_the_emulator() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("answered.csv");
    finish(example("crm_sync").arg("--emulator").arg("--out").arg(&out))
        .await
        .said(&["6 answered, 0 failed, 0 unknown"]);
}

#[tokio::test]
async fn killed_in_the_middle_it_goes_on_and_sends_nothing_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("answered.csv");
    let emulator = account().await;
    let run = || {
        let mut command = example_on(&emulator, "crm_sync");
        command
            .env("FAMULOR_RATE_LIMIT", "5/2s")
            .arg("--out")
            .arg(&out);
        command
    };
    // The third answer never comes: it is killed while that message is under way.
    let slow = Fault::after(After::Delay(Duration::from_secs(600)));
    emulator.inject(slow.on(Operation::GenerateReply).nth(3));
    let mut first = run().spawn().expect("an example that starts");
    while emulator.stats().billed_messages < 5 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    first.kill().await.expect("a process to kill");

    let finished = finish(&mut run()).await;
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(
        finished
            .out
            .contains("\nunknown: look at these conversations"),
        "{finished:?}"
    );
    let stats = emulator.stats();
    assert!(stats.messages >= 5, "{stats:?}");
    for (customer, figures) in &stats.customers {
        assert_eq!(figures.repeated_messages, 0, "{customer} was asked twice");
    }
    assert!(finished.out.contains(" 0 failed"), "{finished:?}");
    let states: Vec<String> = rows(&out)
        .into_values()
        .map(|mut row| row.remove("state").unwrap_or_default())
        .collect();
    assert!(states.iter().any(|state| state == "unknown"), "{states:?}");
    assert!(!states.iter().any(|state| state == "sending"), "{states:?}");
}

#[tokio::test]
async fn a_table_without_questions_is_refused_before_anything_is_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let contacts = folder.path().join("contacts.csv");
    std::fs::write(&contacts, "id,name\n1,Anna\n").expect("a file");
    let emulator = account().await;
    let mut command = example_on(&emulator, "crm_sync");
    let finished = finish(
        command
            .arg("--contacts")
            .arg(&contacts)
            .current_dir(folder.path()),
    )
    .await;
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(
        finished
            .err
            .contains("no column `question`; nothing was sent"),
        "{finished:?}"
    );
    assert_eq!(emulator.stats().messages, 0);
}

/// A CRM's own database, which knows nothing of us.
async fn database(place: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(place)
        .create_if_missing(true);
    let mut connection = options.connect().await.expect("a database");
    let script = r#"
        CREATE TABLE "our contacts" (id INTEGER PRIMARY KEY, name TEXT, "open tickets" INTEGER, question TEXT, notes TEXT);
        INSERT INTO "our contacts" VALUES
            (4711, 'Anna Berg', 2, 'Can I change to yearly billing?', NULL),
            (4712, 'Paul Weiss', 0, NULL, NULL),
            (4713, 'Eva Lind', 1, 'I''d like an appointment', ''),
            (4714, 'Omar Said', 1, 'Where is my order?', 'calls on Mondays');
    "#;
    sqlx::raw_sql(script)
        .execute(&mut connection)
        .await
        .expect("a table");
    connection
}

type Row = (i64, Option<String>, Option<String>, Option<String>);

async fn written_back(connection: &mut SqliteConnection) -> Vec<Row> {
    let query = r#"SELECT id, state, reply, conversation_id FROM "our contacts" ORDER BY id"#;
    sqlx::query_as(query)
        .fetch_all(connection)
        .await
        .expect("the columns that were added")
}

#[tokio::test]
async fn a_database_has_replies_and_conversation_ids_written_into_its_own_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("crm.sqlite");
    let mut crm = database(&place).await;
    let emulator = account().await;
    let run = || {
        let mut command = example_on(&emulator, "crm_sync");
        command.env("FAMULOR_RATE_LIMIT", "5/2s");
        command
            .arg("--contacts")
            .arg(&place)
            .args(["--table", "our contacts"]);
        command
    };
    finish(&mut run()).await.said(&[
        "3 answered, 0 failed, 0 unknown",
        "3 messages billed by this run",
    ]);

    let rows = written_back(&mut crm).await;
    for (id, state, reply, conversation_id) in &rows {
        if *id == 4712 {
            assert_eq!(
                (state, reply, conversation_id),
                (&None, &None, &None),
                "asks nothing"
            );
            continue;
        }
        let conversation = emulator.conversation_of(123, &format!("crm-{id}"));
        let conversation = conversation.expect("a conversation");
        assert_eq!(state.as_deref(), Some("answered"), "{id}");
        assert_eq!(conversation_id.as_ref(), Some(&conversation.id), "{id}");
        assert_eq!(
            reply.as_ref(),
            Some(&conversation.history[1].content),
            "{id}"
        );
    }
    let anna = emulator
        .conversation_of(123, "crm-4711")
        .expect("a conversation");
    let variables = anna.variables.expect("variables");
    assert_eq!(variables["open tickets"], 2, "a number stays one");
    assert_eq!(
        variables.len(),
        2,
        "only the contact's own columns that hold something: {variables:?}"
    );

    // A question that comes later, and one that somebody was at when an earlier run died.
    let later = r#"UPDATE "our contacts" SET question = 'Hello?' WHERE id = 4712;
                   UPDATE "our contacts" SET state = 'sending' WHERE id = 4713;"#;
    sqlx::raw_sql(later).execute(&mut crm).await.expect("rows");
    let again = finish(&mut run()).await;
    again.said(&[
        "3 answered, 0 failed, 1 unknown",
        "1 messages billed by this run",
    ]);
    assert_eq!(
        written_back(&mut crm).await[2].1.as_deref(),
        Some("unknown")
    );
    assert_eq!(emulator.stats().billed_messages, 4);
}

#[tokio::test]
async fn what_is_wrong_with_a_database_is_said_before_anything_is_sent_or_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("crm.sqlite");
    drop(database(&place).await);
    let emulator = account().await;
    let missing = folder.path().join("missing.sqlite");
    for (contacts, arguments, said) in [
        (
            &place,
            vec!["--table", "customers"],
            "there is no table `customers`",
        ),
        (
            &place,
            vec!["--table", "our contacts", "--out", "x.csv"],
            "leave --out away",
        ),
        (&missing, vec![], "missing.sqlite"),
    ] {
        let mut command = example_on(&emulator, "crm_sync");
        command.arg("--contacts").arg(contacts).args(arguments);
        let finished = finish(command.current_dir(folder.path())).await;
        assert_eq!(finished.code, Some(1), "{finished:?}");
        assert!(finished.err.contains(said), "{said} is not in {finished:?}");
        assert!(finished.err.contains("nothing was sent"), "{finished:?}");
    }
    assert!(!missing.exists(), "a database was made of nothing");
    assert_eq!(emulator.stats().requests, 0);
}

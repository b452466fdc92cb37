//! Stores that cannot be used, or not for a while.

use std::fs;
use std::process::Command;

use famulor_outbox::{ErrorKind, Outbox, State};
use famulor_test_stores::{Durability, PostgresServer};
use sqlx::{ConnectOptions, Connection, Executor};
use tokio_util::sync::CancellationToken;

use crate::fixture::*;

pub(crate) async fn raw(location: &str, sql: &str) {
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    if location.starts_with("postgres") {
        let mut server = sqlx::PgConnection::connect(location)
            .await
            .expect("a server");
        server.execute(sqlx::raw_sql(sql)).await.expect("a change");
    } else {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(location);
        let mut file = options.connect().await.expect("a file");
        file.execute(sqlx::raw_sql(sql)).await.expect("a change");
        file.close().await.expect("an end");
    }
}

async fn refused(location: &str) -> (ErrorKind, String) {
    let error = Outbox::open(location).await.expect_err("no outbox");
    (error.kind(), error.to_string())
}

on_both! {
    async fn a_newer_store_is_refused_and_left_alone(place: Place) {
        let outbox = place.open().await;
        outbox.enqueue(message("crm-1", "Hello")).await.unwrap();
        drop(outbox);
        raw(&place.location, "UPDATE famulor_outbox_store SET schema = 2").await;
        let (kind, said) = refused(&place.location).await;
        assert_eq!(kind, ErrorKind::Newer);
        assert!(said.contains("its layout is 2, this one knows 1") && said.contains("update"), "{said}");
        raw(&place.location, "UPDATE famulor_outbox_store SET schema = 1").await;
        assert_eq!(status(&place.open().await).await.queued, 1);
    }
}

on_both! {
    async fn many_programs_may_find_a_new_store_at_once(place: Place) {
        let opening = (0..8).map(|_| Outbox::open(&place.location));
        for opened in futures_util::future::join_all(opening).await {
            opened.unwrap().enqueue(message("crm-1", "Hello").with_key("k")).await.unwrap();
        }
        assert_eq!(status(&place.open().await).await.total(), 1);
    }
}

#[tokio::test]
async fn another_programs_file_is_not_touched() {
    let place = Place::file();
    raw_new(&place.location).await;
    let before = fs::read(&place.location).unwrap();
    let (kind, said) = refused(&place.location).await;
    assert_eq!(kind, ErrorKind::Location);
    assert!(said.contains("another program's file"), "{said}");
    assert_eq!(fs::read(&place.location).unwrap(), before);

    fs::write(
        &place.location,
        "not a database at all, but long enough to be looked at".repeat(40),
    )
    .unwrap();
    let (kind, said) = refused(&place.location).await;
    assert_eq!(kind, ErrorKind::Store);
    assert!(said.contains("no outbox at all"), "{said}");
}

async fn raw_new(location: &str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new();
    let mut file = options
        .filename(location)
        .create_if_missing(true)
        .connect()
        .await
        .unwrap();
    file.execute("CREATE TABLE theirs (a)").await.unwrap();
    file.close().await.unwrap();
}

#[tokio::test]
async fn a_place_that_is_none_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing/outbox.sqlite");
    let (kind, said) = refused(&missing.display().to_string()).await;
    assert_eq!(kind, ErrorKind::Location);
    assert!(
        said.contains("there is no folder") && said.contains("create it"),
        "{said}"
    );
    let (kind, said) = refused("postgres://me:secret@127.0.0.1:1/none").await;
    assert_eq!(kind, ErrorKind::Unreachable);
    assert!(
        said.contains("127.0.0.1:1") && !said.contains("secret"),
        "{said}"
    );
}

/// The kernel lets nobody create a file there, not even root.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_folder_that_cannot_be_written_to_is_said() {
    let (kind, said) = refused("/sys/kernel/outbox.sqlite").await;
    assert_eq!(kind, ErrorKind::ReadOnly);
    assert!(
        said.contains("cannot be written to") && said.contains("choose another"),
        "{said}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_store_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::file();
    let outbox = place.open().await;
    outbox.enqueue(message("crm-1", "Hello")).await.unwrap();
    let mut seen = 0;
    for entry in fs::read_dir(place.folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
        seen += 1;
    }
    assert!(seen >= 3, "the file, its journal and the journal's index");
}

/// A file system that is full: SQLite's own bound on the file, which fails the same way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_said_and_nothing_is_lost() {
    let mounted = tempfile::tempdir().unwrap();
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
        .arg(mounted.path())
        .output();
    if !mount.is_ok_and(|mount| mount.status.success()) {
        eprintln!("skipped: a full disk, which takes the right to mount one");
        return;
    }
    let full = fills_up(mounted.path()).await;
    let unmounted = Command::new("umount")
        .arg("-l")
        .arg(mounted.path())
        .status();
    assert!(unmounted.unwrap().success());
    full.unwrap();
}

async fn fills_up(folder: &std::path::Path) -> Result<(), String> {
    let location = folder.join("outbox.sqlite").display().to_string();
    let emulator = emulator().await;
    let outbox = Outbox::open(&location).await.map_err(|e| e.to_string())?;
    let mut safe = 0;
    let error = loop {
        let text = "x".repeat(20_000);
        match outbox.enqueue(message("crm-1", &text)).await {
            Ok(_) => safe += 1,
            Err(error) => break error,
        }
        if safe > 200 {
            return Err("it never filled up".to_owned());
        }
    };
    if error.kind() != ErrorKind::Full || !error.to_string().contains("make room") {
        return Err(format!("{error:?}"));
    }
    // What is in stays readable, and a worker says why it does nothing.
    let queued = status(&outbox).await.queued;
    if queued != safe {
        return Err(format!("{safe} were accepted, {queued} are there"));
    }
    let worker = outbox.worker().with_account("default", client(&emulator));
    let ended = within(
        worker
            .with_stop_wait(ms(100))
            .with_lease(ms(6000))
            .drain(CancellationToken::new()),
    )
    .await;
    match ended {
        Err(error) if error.kind() == ErrorKind::Full => {}
        other => return Err(format!("{other:?}")),
    }
    drop(outbox);
    let more = Command::new("mount")
        .args(["-o", "remount,size=64m"])
        .arg(folder)
        .status();
    if !more.is_ok_and(|more| more.success()) {
        return Err("it cannot be made larger".to_owned());
    }
    let outbox = Outbox::open(&location).await.map_err(|e| e.to_string())?;
    drain(&outbox, client(&emulator)).await;
    let done = status(&outbox).await.done;
    match (done == safe, emulator.stats().billed_messages == safe) {
        (true, true) => Ok(()),
        _ => Err(format!(
            "{done} of {safe}, {:?}",
            emulator.stats().billed_messages
        )),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_away_is_waited_for_and_nothing_is_lost() {
    let Some(server) = PostgresServer::start(Durability::Fast) else {
        return;
    };
    let server = std::sync::Arc::new(server);
    let emulator = start(
        famulor_emulator::Emulator::builder()
            .without_limits()
            .latency(ms(150)),
    )
    .await;
    let outbox = Outbox::open(&server.place()).await.unwrap();
    let (messages, sent) = batch(4, 6);
    outbox.enqueue_all(messages).await.unwrap();
    let worker = outbox
        .worker()
        .with_account("default", client(&emulator))
        .with_lease(ms(1000));
    let running = tokio::spawn(worker.drain(CancellationToken::new()));
    until(&outbox, |status| status.done >= 4).await;
    let away = std::sync::Arc::clone(&server);
    tokio::task::spawn_blocking(move || away.kill())
        .await
        .unwrap();
    let error = outbox
        .status(&famulor_outbox::Filter::all())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    // Longer than the lease, so that the worker is dead for the store when it is back.
    tokio::time::sleep(ms(1500)).await;
    let back = std::sync::Arc::clone(&server);
    tokio::task::spawn_blocking(move || back.restart())
        .await
        .unwrap();
    within(running).await.unwrap().unwrap();
    assert_sent_once(&emulator, &sent);
    assert!(
        rows(&outbox)
            .await
            .iter()
            .all(|row| row.state == State::Done)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_locked_is_waited_for() {
    let place = Place::file();
    let outbox = place.open().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&place.location);
    let mut other = options.connect().await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let enqueuing = tokio::spawn({
        let outbox = outbox.clone();
        async move { outbox.enqueue(message("crm-1", "Hello")).await }
    });
    tokio::time::sleep(ms(200)).await;
    assert!(!enqueuing.is_finished());
    other.execute("COMMIT").await.unwrap();
    within(enqueuing).await.unwrap().unwrap();
    assert_eq!(status(&outbox).await.queued, 1);
}

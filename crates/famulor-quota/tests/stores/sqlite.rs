//! What can happen to a file.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use famulor_quota::{Completion, QuotaStore, SqliteStore};

use crate::{MINUTE, account, limits, take, wait};

async fn error_of(path: &std::path::Path) -> String {
    SqliteStore::open(path).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_ledger_outlives_the_program_that_wrote_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quota.db");
    let (account, limits) = (account("token"), limits(1, MINUTE));
    let store = SqliteStore::open(&path).await.unwrap();
    take(&store, account, &limits).await;
    drop(store);
    let store = SqliteStore::open(&path).await.unwrap();
    wait(&store, account, &limits).await;
    assert_eq!(store.path(), path);
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_may_read_the_file_and_those_beside_it() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("quota.db"))
        .await
        .unwrap();
    take(&store, account("token"), &limits(1, MINUTE)).await;
    let files: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap())
        .collect();
    assert!(files.len() >= 2);
    for file in files {
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.path().display());
    }
}

#[tokio::test]
async fn a_file_deleted_while_in_use_is_made_anew_for_everybody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quota.db");
    let (account, limits) = (account("token"), limits(1, MINUTE));
    let one = SqliteStore::open(&path).await.unwrap();
    take(&one, account, &limits).await;
    for file in fs::read_dir(folder.path()).unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    let other = SqliteStore::open(&path).await.unwrap();
    take(&other, account, &limits).await;
    wait(&one, account, &limits).await;
}

#[tokio::test]
async fn what_cannot_be_opened_is_an_error_that_names_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no such folder").join("quota.db");
    let error = error_of(&missing).await;
    assert!(error.contains(missing.to_str().unwrap()), "{error}");
    assert!(error.contains("there is no folder"), "{error}");

    let error = error_of(folder.path()).await;
    assert!(error.contains(folder.path().to_str().unwrap()), "{error}");

    let text = folder.path().join("letter.txt");
    fs::write(&text, "Dear customer, ".repeat(1000)).unwrap();
    let error = error_of(&text).await;
    assert!(
        error.contains("letter.txt is damaged or is no SQLite file"),
        "{error}"
    );
    assert!(
        fs::read_to_string(&text)
            .unwrap()
            .starts_with("Dear customer")
    );
}

#[tokio::test]
async fn a_damaged_file_is_an_error_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quota.db");
    drop(SqliteStore::open(&path).await.unwrap());
    // Everything is in the file itself then, and nothing beside it.
    run(&path, "PRAGMA wal_checkpoint(TRUNCATE)").await;
    let mut bytes = fs::read(&path).unwrap();
    let half = bytes.len() / 2;
    bytes[100..half].fill(0xee);
    fs::write(&path, bytes).unwrap();
    let error = error_of(&path).await;
    assert!(error.contains("quota.db is damaged"), "{error}");
}

/// Runs statements on the file as some other program would.
async fn run(path: &std::path::Path, sql: &'static str) {
    use sqlx::{ConnectOptions, Connection};
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true);
    let mut file = options.connect().await.unwrap();
    sqlx::raw_sql(sql).execute(&mut file).await.unwrap();
    file.close().await.unwrap();
}

#[tokio::test]
async fn a_newer_layout_and_another_programs_file_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quota.db");
    drop(SqliteStore::open(&path).await.unwrap());
    run(&path, "PRAGMA user_version = 2").await;
    let error = error_of(&path).await;
    assert!(
        error.contains("written by a newer version: its layout is 2"),
        "{error}"
    );

    let path = folder.path().join("songs.db");
    run(&path, "CREATE TABLE song (name TEXT)").await;
    let error = error_of(&path).await;
    assert!(
        error.contains("songs.db is a SQLite file of some other program"),
        "{error}"
    );
}

#[tokio::test]
async fn a_lock_that_is_never_let_go_is_an_error_and_then_forgotten() {
    use sqlx::ConnectOptions;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quota.db");
    let (account, limits) = (account("token"), limits(2, MINUTE));
    let store = SqliteStore::open(&path).await.unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut rude = options.connect().await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE")
        .execute(&mut rude)
        .await
        .unwrap();
    let error = store.freeze(account, Duration::ZERO).await.err();
    // Nothing to write, so nothing to wait for but the lock.
    let error = error.expect("a lock").to_string();
    assert!(
        error.contains("locked by another process for 5 s"),
        "{error}"
    );
    assert!(store.usage(account, Arc::clone(&limits)).await.is_ok());
    drop(rude);
    let slot = take(&store, account, &limits).await;
    store
        .complete(account, slot, Completion::NotSent)
        .await
        .unwrap();
}

#[tokio::test]
async fn idle_accounts_do_not_stay_in_the_file() {
    use sqlx::ConnectOptions;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quota.db");
    let limits = limits(1, Duration::from_millis(1));
    let store = SqliteStore::open(&path).await.unwrap();
    for number in 0..600 {
        let account = account(&format!("token {number}"));
        let slot = take(&store, account, &limits).await;
        store
            .complete(account, slot, Completion::Answered(None))
            .await
            .unwrap();
    }
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut file = options.connect().await.unwrap();
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM ledger")
        .fetch_one(&mut file)
        .await
        .unwrap();
    assert!(kept < 300, "{kept} of 600 accounts");
}

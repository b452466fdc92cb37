//! Slots that are taken in the transaction of somebody who keeps other things in
//! the same database.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use famulor_quota::store::{
    FileId, SqlDialect, SqlHost, SqlType, SqlValue, Statement, Visit, VisitError,
};
use famulor_quota::{
    AccountKey, AcquireRequest, Completion, Lane, Limit, Permit, Quota, QuotaStore, SharedDatabase,
    Taken, open_store,
};
use famulor_test_stores::PostgresServer;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};

use crate::{HOLD, MINUTE, account, ask, limits, take, wait};

/// Somebody's own connection.
enum Host {
    File(SqliteConnection, Option<FileId>),
    Server(PgConnection),
}

impl Host {
    async fn connect(url: &str) -> Self {
        if url.starts_with("postgres") {
            return Self::Server(PgConnection::connect(url).await.unwrap());
        }
        let options = SqliteConnectOptions::new().filename(url);
        let sql = options.create_if_missing(true).connect().await.unwrap();
        Self::File(sql, FileId::at(Path::new(url)))
    }

    async fn run(&mut self, sql: &str) {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        match self {
            Self::File(file, _) => drop(sql.execute(file).await.unwrap()),
            Self::Server(server) => drop(sql.execute(server).await.unwrap()),
        }
    }

    async fn begin(&mut self) {
        let begin = match self {
            Self::File(..) => "BEGIN IMMEDIATE",
            Self::Server(_) => "BEGIN",
        };
        self.run(begin).await;
    }
}

macro_rules! bound {
    ($statement:expr) => {{
        let mut query = sqlx::query($statement.sql);
        for value in $statement.values {
            query = match value {
                SqlValue::Int(number) => query.bind(number),
                SqlValue::Bytes(bytes) => query.bind(bytes),
                SqlValue::Null => query.bind(None::<i64>),
            };
        }
        query
    }};
}

macro_rules! read {
    ($rows:expr, $columns:expr) => {
        $rows
            .iter()
            .map(|row| {
                let read = |(index, of): (usize, &SqlType)| match of {
                    SqlType::Int => row.get::<Option<i64>, _>(index).map(SqlValue::Int),
                    SqlType::Bytes => row.get::<Option<Vec<u8>>, _>(index).map(SqlValue::Bytes),
                };
                let columns = $columns.iter().enumerate().map(read);
                columns
                    .map(|value| value.unwrap_or(SqlValue::Null))
                    .collect()
            })
            .collect()
    };
}

impl SqlHost for Host {
    type Error = sqlx::Error;

    async fn query(&mut self, statement: Statement) -> Result<Vec<Vec<SqlValue>>, sqlx::Error> {
        let columns = statement.columns;
        Ok(match self {
            Self::File(file, _) => read!(bound!(statement).fetch_all(file).await?, columns),
            Self::Server(server) => read!(bound!(statement).fetch_all(server).await?, columns),
        })
    }

    async fn execute(&mut self, statement: Statement) -> Result<u64, sqlx::Error> {
        Ok(match self {
            Self::File(file, _) => bound!(statement).execute(file).await?.rows_affected(),
            Self::Server(server) => bound!(statement).execute(server).await?.rows_affected(),
        })
    }

    fn dialect(&self) -> SqlDialect {
        match self {
            Self::File(..) => SqlDialect::Sqlite,
            Self::Server(_) => SqlDialect::Postgres,
        }
    }

    fn file(&self) -> Option<FileId> {
        match self {
            Self::File(_, id) => *id,
            Self::Server(_) => None,
        }
    }
}

/// A database of its own, with a store in it.
struct Home {
    url: String,
    store: Arc<Shared>,
    _folder: tempfile::TempDir,
}

type Shared = Box<dyn QuotaStore>;

impl Home {
    async fn file() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let url = folder.path().join("both.db").display().to_string();
        Some(Self::at(url, folder).await)
    }

    async fn server() -> Option<Self> {
        let url = PostgresServer::shared()?.place();
        Some(Self::at(url, tempfile::tempdir().unwrap()).await)
    }

    async fn at(url: String, folder: tempfile::TempDir) -> Self {
        let store = Arc::new(open_store(&url).await.unwrap());
        Self {
            url,
            store,
            _folder: folder,
        }
    }

    fn store(&self) -> &dyn QuotaStore {
        &**self.store
    }

    async fn database(&self) -> SharedDatabase {
        database(self.store()).await
    }

    async fn host(&self) -> Host {
        Host::connect(&self.url).await
    }

    async fn busy(&self, account: AccountKey, limits: &Arc<[Limit]>) -> u32 {
        let usage = self.store().usage(account, Arc::clone(limits));
        usage.await.unwrap()[0].busy
    }
}

async fn database(store: &dyn QuotaStore) -> SharedDatabase {
    store.database().await.unwrap().expect("a database")
}

async fn visit(
    database: &SharedDatabase,
    host: &mut Host,
    account: AccountKey,
    limits: &Arc<[Limit]>,
) -> Visit {
    let ask = ask(account, limits, HOLD);
    database.visit(host, ask).await.expect("a visit")
}

macro_rules! in_each_home {
    ($($test:ident),* $(,)?) => {
        mod in_a_file {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(super::Home::file().await.unwrap()).await;
            })*
        }
        mod on_a_server {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Some(home) = super::Home::server().await {
                    super::$test(home).await;
                }
            })*
        }
    };
}

in_each_home!(
    what_is_committed_is_taken_and_what_is_undone_is_not,
    no_more_slots_are_taken_than_are_free,
    a_visit_that_takes_nothing_leaves_nothing,
    the_store_goes_on_from_what_the_host_has_written,
    everybody_together_takes_every_slot_and_no_more,
    who_stands_first_asks_by_itself,
    accounts_that_are_idle_are_forgotten_all_the_same,
);

async fn what_is_committed_is_taken_and_what_is_undone_is_not(home: Home) {
    let (account, limits) = (account("token"), limits(2, MINUTE));
    let (database, mut host) = (home.database().await, home.host().await);
    assert!(database.is_behind(&mut host).await.unwrap());
    host.run("CREATE TABLE theirs (what BIGINT)").await;
    for end in ["ROLLBACK", "COMMIT"] {
        host.begin().await;
        host.run("INSERT INTO theirs VALUES (1)").await;
        let visit = visit(&database, &mut host, account, &limits).await;
        let taken = visit.take(&mut host, 2).await.unwrap();
        assert_eq!(taken.slots(), 2);
        host.run(end).await;
        let expected = if end == "COMMIT" { 2 } else { 0 };
        assert_eq!(home.busy(account, &limits).await, expected, "{end}");
    }
    wait(home.store(), account, &limits).await;
}

async fn no_more_slots_are_taken_than_are_free(home: Home) {
    let (account, limits) = (account("token"), limits(3, MINUTE));
    take(home.store(), account, &limits).await;
    let (database, mut host) = (home.database().await, home.host().await);
    host.begin().await;
    let one = visit(&database, &mut host, account, &limits).await;
    assert_eq!((one.free(64), one.free(1)), (Ok(2), Ok(1)));
    assert_eq!(one.take(&mut host, 64).await.unwrap().slots(), 2);
    host.run("COMMIT").await;
    host.begin().await;
    let other = visit(&database, &mut host, account, &limits).await;
    let ready_in = other.free(64).unwrap_err();
    assert!(
        ready_in > MINUTE && ready_in < Duration::from_secs(160),
        "{ready_in:?}"
    );
    assert_eq!(other.take(&mut host, 1).await.unwrap().slots(), 0);
    host.run("COMMIT").await;
    assert_eq!(home.busy(account, &limits).await, 3);
}

async fn a_visit_that_takes_nothing_leaves_nothing(home: Home) {
    let (account, limits) = (account("token"), limits(1, MINUTE));
    let (database, mut host) = (home.database().await, home.host().await);
    host.begin().await;
    drop(visit(&database, &mut host, account, &limits).await);
    host.run("COMMIT").await;
    assert_eq!(home.busy(account, &limits).await, 0);
    take(home.store(), account, &limits).await;
}

/// A store remembers what it has written last, and must not go by that.
async fn the_store_goes_on_from_what_the_host_has_written(home: Home) {
    let (account, limits) = (account("token"), limits(3, MINUTE));
    let (database, mut host) = (home.database().await, home.host().await);
    for told in [false, true] {
        let slot = take(home.store(), account, &limits).await;
        host.begin().await;
        let visit = visit(&database, &mut host, account, &limits).await;
        let taken = visit.take(&mut host, 1).await.unwrap();
        host.run("COMMIT").await;
        let permits = if told {
            // The store is told, and may remember.
            permits(&home, account, &limits, taken).await
        } else {
            drop(taken);
            Vec::new()
        };
        assert_eq!(home.busy(account, &limits).await, if told { 3 } else { 2 });
        let ended = home.store().complete(account, slot, Completion::NotSent);
        ended.await.unwrap();
        assert_eq!(home.busy(account, &limits).await, if told { 2 } else { 1 });
        for permit in permits {
            permit.give_back().await;
        }
    }
    assert_eq!(
        home.busy(account, &limits).await,
        1,
        "that of the first round"
    );
}

/// What a caller whose turn it is makes of slots that are committed.
async fn permits(
    home: &Home,
    account: AccountKey,
    limits: &Arc<[Limit]>,
    taken: Taken,
) -> Vec<Permit> {
    let quota = Quota::with_store(Arc::clone(&home.store));
    let request = AcquireRequest::new(account, Arc::clone(limits));
    quota.turn(request).await.unwrap().granted(taken)
}

async fn everybody_together_takes_every_slot_and_no_more(home: Home) {
    const SLOTS: u32 = 40;
    let (account, limits) = (account("token"), limits(SLOTS, MINUTE));
    let mut running = Vec::new();
    for number in 0..6 {
        let (limits, url) = (Arc::clone(&limits), home.url.clone());
        let (store, database) = (Arc::clone(&home.store), home.database().await);
        running.push(tokio::spawn(async move {
            let mut taken = 0;
            if number % 2 == 0 {
                for _ in 0..20 {
                    let answer = store.acquire(ask(account, &limits, HOLD)).await.unwrap();
                    taken += usize::from(matches!(answer, famulor_quota::Answer::Granted(_)));
                }
                return taken;
            }
            let mut host = Host::connect(&url).await;
            for _ in 0..10 {
                host.begin().await;
                let visit = visit(&database, &mut host, account, &limits).await;
                taken += visit.take(&mut host, 2).await.unwrap().slots();
                host.run("COMMIT").await;
            }
            taken
        }));
    }
    let mut taken = 0;
    for task in running {
        taken += task.await.unwrap();
    }
    assert_eq!(taken, SLOTS as usize);
    assert_eq!(home.busy(account, &limits).await, SLOTS);
}

async fn who_stands_first_asks_by_itself(home: Home) {
    let (account, limits) = (account("token"), limits(1, MINUTE));
    let quota = Quota::with_store(Arc::clone(&home.store));
    let database = quota.database().await.unwrap().unwrap();
    let mut host = home.host().await;
    let request = AcquireRequest::new(account, Arc::clone(&limits)).with_lane(Lane::Bulk);
    let turn = quota.turn(request.clone()).await.unwrap();
    host.begin().await;
    let visit = database.visit(&mut host, turn.ask()).await.unwrap();
    let taken = visit.take(&mut host, turn.most(5)).await.unwrap();
    host.run("COMMIT").await;
    let mut permits = turn.granted(taken);
    assert_eq!(permits.len(), 1);
    let permit = permits.pop().unwrap();
    // Somebody waits, and is woken when the slot comes back.
    let waiting = tokio::spawn({
        let quota = quota.clone();
        async move { quota.acquire(request).await.map(drop) }
    });
    while quota.usage(&account, &limits).await.unwrap()[0].waiting == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    permit.give_back().await;
    let woken = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    woken.expect("it is woken").unwrap().unwrap();
}

async fn accounts_that_are_idle_are_forgotten_all_the_same(home: Home) {
    let limits = limits(1, Duration::from_millis(1));
    let (database, mut host) = (home.database().await, home.host().await);
    let quota = Quota::with_store(Arc::clone(&home.store));
    for number in 0..400 {
        let account = account(&format!("token {number}"));
        let request = AcquireRequest::new(account, Arc::clone(&limits));
        let turn = quota.turn(request).await.unwrap();
        host.begin().await;
        let visit = visit(&database, &mut host, account, &limits).await;
        let taken = visit.take(&mut host, 1).await.unwrap();
        host.run("COMMIT").await;
        for permit in turn.granted(taken) {
            permit.give_back().await;
        }
    }
    let table = match host {
        Host::File(..) => "ledger",
        Host::Server(_) => "famulor_quota_ledger",
    };
    let count = Statement {
        sql: if table == "ledger" {
            "SELECT count(*) FROM ledger"
        } else {
            "SELECT count(*) FROM famulor_quota_ledger"
        },
        values: Vec::new(),
        columns: &[SqlType::Int],
    };
    let found = host.query(count).await.unwrap();
    let SqlValue::Int(left) = found[0][0] else {
        panic!("{found:?}");
    };
    assert!(left < 400, "{left}");
}

/// A place of the tests' server is a schema; this is a database beside it.
async fn beside(home: &Home) -> Home {
    let name = format!("beside_{}", std::process::id());
    home.host()
        .await
        .run(&format!("CREATE DATABASE {name}"))
        .await;
    let url = home.url.replace("/postgres?", &format!("/{name}?"));
    let url = url.replace("options[search_path]", "options[application_name]");
    Home::at(url, tempfile::tempdir().unwrap()).await
}

#[tokio::test]
async fn another_database_or_schema_of_the_same_server_is_another_one() {
    let (Some(one), Some(schema)) = (Home::server().await, Home::server().await) else {
        return;
    };
    let (account, limits) = (account("token"), limits(1, MINUTE));
    let database = one.database().await;
    assert!(database == database_of_another_store(&one).await);
    for other in [beside(&one).await, schema] {
        assert!(database != other.database().await);
        let mut host = other.host().await;
        assert!(!database.is_behind(&mut host).await.unwrap());
        host.begin().await;
        let refused = database.visit(&mut host, ask(account, &limits, HOLD)).await;
        // It has found a row to lock, whose place is another one.
        assert!(matches!(refused, Err(VisitError::Elsewhere)), "{refused:?}");
        host.run("COMMIT").await;
        assert_eq!(one.busy(account, &limits).await, 0);
        assert_eq!(other.busy(account, &limits).await, 0);
    }
}

async fn database_of_another_store(home: &Home) -> SharedDatabase {
    database(&*open_store(&home.url).await.unwrap()).await
}

#[tokio::test]
async fn a_path_to_another_schema_and_a_user_without_rights_lead_to_none() {
    let Some(home) = Home::server().await else {
        return;
    };
    let (_, schema) = home.url.split_once("[search_path]=").unwrap();
    let database = home.database().await;
    let mut host = home.host().await;
    host.run(&format!(
        "CREATE SCHEMA apart_{schema}; SET search_path = apart_{schema}, {schema};
        CREATE TABLE famulor_quota_ledger (account bytea)"
    ))
    .await;
    assert!(!database.is_behind(&mut host).await.unwrap());
    host.run(&format!("SET search_path = {schema}")).await;
    assert!(database.is_behind(&mut host).await.unwrap());
    for (rights, expected) in [("SELECT", false), ("SELECT, INSERT, UPDATE", true)] {
        host.run(&format!(
            "CREATE ROLE reader_{schema}; GRANT USAGE ON SCHEMA {schema} TO reader_{schema};
            GRANT {rights} ON famulor_quota_ledger, famulor_quota_store TO reader_{schema};
            SET ROLE reader_{schema}"
        ))
        .await;
        let behind = database.is_behind(&mut host).await.unwrap();
        assert_eq!(behind, expected, "{rights}");
        host.run(&format!(
            "RESET ROLE; DROP OWNED BY reader_{schema}; DROP ROLE reader_{schema}"
        ))
        .await;
    }
}

#[tokio::test]
async fn a_copy_of_the_file_is_another_one_and_so_is_what_takes_its_place() {
    let home = Home::file().await.unwrap();
    let (account, limits) = (account("token"), limits(1, MINUTE));
    let database = home.database().await;
    let mut host = home.host().await;
    assert!(database.is_behind(&mut host).await.unwrap());
    // Whole, without its journal.
    let copy = format!("{}.copy", home.url);
    host.run(&format!("VACUUM INTO '{copy}'")).await;
    let mut elsewhere = Host::connect(&copy).await;
    assert!(!database.is_behind(&mut elsewhere).await.unwrap());
    // The name of the one for the other: the store sees it, and the host has the old one open.
    std::fs::rename(&copy, &home.url).unwrap();
    for beside in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{beside}", home.url));
        let _ = std::fs::remove_file(format!("{copy}{beside}"));
    }
    let moved = home.database().await;
    assert!(moved != database);
    assert!(!moved.is_behind(&mut host).await.unwrap());
    host.begin().await;
    let refused = moved.visit(&mut host, ask(account, &limits, HOLD)).await;
    assert!(matches!(refused, Err(VisitError::Elsewhere)), "{refused:?}");
}

#[tokio::test]
async fn a_store_that_is_no_such_database_has_none() {
    let memory = open_store("memory").await.unwrap();
    assert!(memory.database().await.unwrap().is_none());
    let Some(server) = PostgresServer::start(famulor_test_stores::Durability::Fast) else {
        return;
    };
    let store = open_store(&server.place()).await.unwrap();
    let store = Arc::new(store.degrade_to_local(0.5));
    assert!(store.database().await.unwrap().is_some());
    server.kill();
    let (account, limits) = (account("token"), limits(2, MINUTE));
    take(&store, account, &limits).await;
    assert!(store.is_degraded());
    assert!(store.database().await.unwrap().is_none());
}

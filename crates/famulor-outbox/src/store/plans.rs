//! How the databases find what they are asked for: by an index, however many rows there are.

use famulor_test_stores::PostgresServer;

use super::Store;
use super::claim::{hold_sql, turn_sql, unqueue_sql};
use super::doubts::{due_sql, unlook_sql};
use super::places::{places_sql, work_sql};
use super::read::{conditions, page_sql, settled_sql};
use crate::sql::{Sql, Value, values};
use crate::{Filter, RowId, State};

/// Tables that grow with the messages; the others have a row for each account, job or worker.
const LARGE: [&str; 5] = [
    "famulor_outbox_waiting",
    "famulor_outbox_row",
    "famulor_outbox_line",
    "famulor_outbox_customer",
    "famulor_outbox_doubt",
];

/// Two hundred thousand rows of fifty thousand customers in two jobs: enough for a planner to care.
const FILL: [&str; 7] = [
    "INSERT INTO famulor_outbox_account (id, name) VALUES (1, 'default')",
    "INSERT INTO famulor_outbox_job (id, name, last) VALUES (1, 'a', 100000), (2, 'b', 100000)",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
    INSERT INTO famulor_outbox_customer (id, account, assistant, customer)
    SELECT i, 1, 123, 'crm-' || i FROM n",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
    INSERT INTO famulor_outbox_line (id, job, account, customer, next, gate, served)
    SELECT i, 1 + i / 50001, 1, 1 + i % 50000, (1 + i / 50001) * 1099511627776 + i, i % 3, i FROM n",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
    INSERT INTO famulor_outbox_row (id, job, line, state, attempts, on_unknown, settled, added, changed, text)
    SELECT (1 + i / 100001) * 1099511627776 + i, 1 + i / 100001, 1 + i % 100000, (i % 2) * 3, 0, 0,
        CASE WHEN i % 2 = 1 THEN i ELSE NULL END, i, i, 'text' FROM n",
    "INSERT INTO famulor_outbox_waiting (line, id) SELECT line, id FROM famulor_outbox_row WHERE state = 0",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
    INSERT INTO famulor_outbox_doubt (id, job, account, since, looks, empty_looks, next_look)
    SELECT 1099511627776 + i, 1, 1, i, 0, 0, i FROM n",
];

async fn filled(location: &str) -> Sql {
    let store = Store::open(location).await.unwrap();
    let mut sql = store.location().connect().await.unwrap();
    for fill in FILL {
        sql.script(fill).await.unwrap();
    }
    sql.script("ANALYZE").await.unwrap();
    sql
}

/// The statements of a worker's round, and those that page through everything.
async fn statements(sql: &mut Sql) -> Vec<(&'static str, String, Vec<Value>)> {
    let postgres = sql.is_postgres();
    let after = Some(RowId::of(1, 50_000).unwrap());
    let filter = Filter::all().with_job("a");
    let mut of_job = conditions(sql, &filter, after).await.unwrap().unwrap();
    of_job.values.push(Value::from(500));
    let mut all = conditions(sql, &Filter::all(), after)
        .await
        .unwrap()
        .unwrap();
    all.values.push(Value::from(500));
    let mut held = values![7];
    held.extend((1..=16).map(Value::from));
    let queued = (1..=32).map(Value::from).collect();
    let keyed = "SELECT r.id FROM famulor_outbox_row r WHERE r.job = $1 AND r.key = $2";
    let theirs = "SELECT id, attempts FROM famulor_outbox_row WHERE owner = $1 ORDER BY id";
    let next = "SELECT min(next_look) FROM famulor_outbox_doubt WHERE account = $1";
    let head =
        "SELECT min(l.next) FROM famulor_outbox_line l WHERE l.job = $1 AND l.next IS NOT NULL";
    vec![
        ("is there work", work_sql(false), values![1]),
        ("is there work in the job", work_sql(true), values![1, 1]),
        (
            "whose turn it is",
            turn_sql(false, postgres),
            values![1, 16],
        ),
        (
            "whose turn it is in the job",
            turn_sql(true, postgres),
            values![1, 16, 1],
        ),
        ("hold, and what is next", hold_sql(16), held),
        ("out of the queue", unqueue_sql(16), queued),
        ("whom to look up", places_sql(false), values![1, 16]),
        (
            "whom to look up in the job",
            places_sql(true),
            values![1, 16, 1],
        ),
        (
            "which looks are due",
            due_sql(false, postgres),
            values![1, 50, 8],
        ),
        ("when the next look is due", next.to_owned(), values![1]),
        (
            "what a worker was looking for",
            unlook_sql(postgres),
            values![9, 50],
        ),
        ("what a worker has", theirs.to_owned(), values![9]),
        (
            "what was settled since",
            settled_sql(),
            values![150_000, 200],
        ),
        ("is the key there", keyed.to_owned(), values![1, "k"]),
        ("the oldest of a job", head.to_owned(), values![1]),
        ("a page of a job", page_sql(&of_job), of_job.values),
        ("a page of all", page_sql(&all), all.values),
    ]
}

async fn plan(sql: &mut Sql, statement: &str, values: Vec<Value>) -> Vec<String> {
    let (explain, column) = match sql.is_postgres() {
        true => ("EXPLAIN", 0),
        false => ("EXPLAIN QUERY PLAN", 3),
    };
    let rows = sql
        .rows(format!("{explain} {statement}"), values)
        .await
        .unwrap();
    rows.iter().map(|row| row.text(column).unwrap()).collect()
}

#[tokio::test]
async fn sqlite_finds_everything_by_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let location = folder.path().join("outbox.sqlite");
    let mut sql = filled(&location.display().to_string()).await;
    for (what, statement, values) in statements(&mut sql).await {
        let plan = plan(&mut sql, &statement, values).await;
        println!("{what}:\n  {}", plan.join("\n  "));
        assert!(!plan.is_empty());
        for line in &plan {
            // "SCAN x" goes through all of x; "SCAN x USING INDEX" too, in another order.
            let scans = line.starts_with("SCAN") && !line.contains("CONSTANT ROW");
            let small = ["SCAN j", "SCAN a", "SCAN n"]
                .iter()
                .any(|name| line == name);
            assert!(!scans || small, "{what}: {line}\n{statement}");
            assert!(!line.contains("TEMP B-TREE"), "{what}: {line}");
        }
    }
}

#[tokio::test]
async fn postgres_finds_everything_by_an_index() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    let mut sql = filled(&server.place()).await;
    for (what, statement, values) in statements(&mut sql).await {
        let plan = plan(&mut sql, &statement, values).await;
        println!("{what}:\n  {}", plan.join("\n  "));
        assert!(plan.iter().any(|line| line.contains("Index")), "{what}");
        for line in &plan {
            let scans = line.contains("Seq Scan");
            let large = LARGE.iter().any(|table| line.contains(table));
            assert!(!(scans && large), "{what}: {line}\n{statement}");
        }
    }
}

/// What is looked for without an index is seen by these tests.
#[tokio::test]
async fn a_scan_would_be_seen() {
    let folder = tempfile::tempdir().unwrap();
    let location = folder.path().join("outbox.sqlite");
    let mut sql = filled(&location.display().to_string()).await;
    let filter = Filter::all().with_states([State::Done]);
    let found = conditions(&mut sql, &filter, None).await.unwrap().unwrap();
    let statement = format!("SELECT text FROM famulor_outbox_row r WHERE {}", found.sql);
    let plan = plan(&mut sql, &statement, found.values).await;
    assert!(
        plan.iter().any(|line| line.starts_with("SCAN r")),
        "{plan:?}"
    );
}

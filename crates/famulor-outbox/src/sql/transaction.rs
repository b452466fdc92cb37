//! A transaction, and what is added up in it.

use std::collections::BTreeMap;

use famulor_quota::store::FileId;

use super::{Failure, Host, Sql, WriteConnection, clock, values};
use crate::State;

/// The channel on which PostgreSQL tells other processes that there is something new.
pub(crate) const CHANNEL: &str = "famulor_outbox";

/// A transaction that writes. Dropping its connection undoes it.
pub(crate) struct Transaction<'a> {
    pub(crate) sql: &'a mut Sql,
    file: Option<FileId>,
    /// The store's time when it began, in milliseconds.
    pub(crate) now: i64,
    /// How many rows each part of the store has gained, and how many attempts.
    counts: BTreeMap<(i64, i64, i64), (i64, i64)>,
    news: bool,
}

impl<'a> Transaction<'a> {
    pub(crate) async fn begin(connection: &'a mut WriteConnection) -> Result<Self, Failure> {
        let WriteConnection { sql, file } = connection;
        let begin = match sql {
            Sql::Sqlite(_) => "BEGIN IMMEDIATE",
            Sql::Postgres(_) => "BEGIN ISOLATION LEVEL READ COMMITTED",
        };
        sql.script(begin).await?;
        let now = clock::tick(sql).await?;
        Ok(Self {
            sql,
            file: *file,
            now,
            counts: BTreeMap::new(),
            news: false,
        })
    }

    /// The quota, where it is kept in this database, can take part in the transaction.
    pub(crate) fn host(&mut self) -> Host<'_> {
        Host::new(self.sql, self.file)
    }

    /// `rows` more rows of this job and account are in `state`.
    pub(crate) fn count(&mut self, job: i64, account: i64, state: State, rows: i64) {
        self.counts
            .entry((job, account, state.number()))
            .or_default()
            .0 += rows;
    }

    /// A row has gone from one state to another.
    pub(crate) fn moved(&mut self, job: i64, account: i64, from: State, to: State) {
        self.count(job, account, from, -1);
        self.count(job, account, to, 1);
    }

    pub(crate) fn attempted(&mut self, job: i64, account: i64, attempts: i64) {
        // Kept with one of the states; only their sum is asked for.
        let state = State::Queued.number();
        self.counts.entry((job, account, state)).or_default().1 += attempts;
    }

    /// Others have reason to look.
    pub(crate) fn tell(&mut self) {
        self.news = true;
    }

    pub(crate) fn has_news(&self) -> bool {
        self.news
    }

    /// The next `count` numbers of the order in which rows are settled. Whoever has them commits before anybody else
    /// gets the next ones, so that nobody who reads them in order misses one.
    pub(crate) async fn settle_numbers(&mut self, count: usize) -> Result<i64, Failure> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let sql = "UPDATE famulor_outbox_store SET settled = settled + $1 RETURNING settled";
        let last = self.sql.number(sql, values![count]).await?;
        Ok(last.unwrap_or_default() - count + 1)
    }

    /// Writes the counts. Everything of a transaction but its commit is done then.
    pub(crate) async fn finish(&mut self) -> Result<(), Failure> {
        // In the same order everywhere, so that nobody waits for one who waits for him.
        for ((job, account, state), (rows, attempts)) in std::mem::take(&mut self.counts) {
            if (rows, attempts) == (0, 0) {
                continue;
            }
            let sql = "INSERT INTO famulor_outbox_count (job, account, state, rows, attempts)
                VALUES ($1, $2, $3, $4, $5) ON CONFLICT (job, account, state) DO UPDATE SET
                rows = famulor_outbox_count.rows + $4, attempts = famulor_outbox_count.attempts + $5";
            let values = values![job, account, state, rows, attempts];
            self.sql.execute(sql, values).await?;
        }
        if self.news && self.sql.is_postgres() {
            self.sql.script(format!("NOTIFY {CHANNEL}")).await?;
        }
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<(), Failure> {
        self.sql.script("COMMIT").await
    }
}

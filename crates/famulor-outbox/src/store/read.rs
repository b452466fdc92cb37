//! Looking at rows.

use std::time::Duration;

use super::Store;
use super::enqueue::policy;
use super::names::find_job;
use crate::filter::{Filter, Status};
use crate::sql::{Failure, Record, Sql, Value, list, look_at_clock, values};
use crate::{Result, Row, RowId, State};

const COLUMNS: &str = "r.id, j.name, r.key, r.input_line, r.caller_id, a.name, c.assistant, c.customer, r.state,
    r.reply, r.conversation, r.function_calls, r.ai_disabled, r.error, r.attempts, r.reason, r.on_unknown, r.settled";

const TABLES: &str = "famulor_outbox_row r JOIN famulor_outbox_job j ON j.id = r.job
    JOIN famulor_outbox_line l ON l.id = r.line JOIN famulor_outbox_customer c ON c.id = l.customer
    JOIN famulor_outbox_account a ON a.id = l.account";

/// The conditions of a filter, and their values.
pub(super) struct Where {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

/// `None`: there is no such job, so there are no such rows.
pub(super) async fn conditions(
    sql: &mut Sql,
    filter: &Filter,
    after: Option<RowId>,
) -> std::result::Result<Option<Where>, Failure> {
    let mut all = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    let mut add = |condition: &str, value: Value| {
        values.push(value);
        all.push(condition.replace('?', &format!("${}", values.len())));
    };
    if let Some(name) = &filter.job {
        let Some(job) = find_job(sql, name).await? else {
            return Ok(None);
        };
        let (first, last) = RowId::range_of(job);
        // One lower bound: of two, SQLite would begin at the first and pass over all before the second.
        let after = after.map_or(first, |after| after.0.max(first));
        add("r.id > ?", after.into());
        add("r.id <= ?", last.into());
    } else if let Some(after) = after {
        add("r.id > ?", after.0.into());
    }
    if let Some(row) = filter.row {
        add("r.id = ?", row.0.into());
    }
    if let Some(customer) = &filter.customer {
        add("c.customer = ?", customer.as_str().into());
    }
    if let Some(account) = &filter.account {
        add("a.name = ?", account.as_str().into());
    }
    if let Some(states) = &filter.states {
        if states.is_empty() {
            return Ok(None);
        }
        all.push(format!(
            "r.state IN ({})",
            list(values.len() + 1, states.len())
        ));
        values.extend(states.iter().map(|state| state.number().into()));
    }
    let sql = match all.is_empty() {
        true => "1 = 1".to_owned(),
        false => all.join(" AND "),
    };
    Ok(Some(Where { sql, values }))
}

/// A page of rows; its last value is how many.
pub(super) fn page_sql(conditions: &Where) -> String {
    format!(
        "SELECT {COLUMNS} FROM {TABLES} WHERE {} ORDER BY r.id LIMIT ${}",
        conditions.sql,
        conditions.values.len()
    )
}

pub(super) fn settled_sql() -> String {
    format!("SELECT {COLUMNS} FROM {TABLES} WHERE r.settled > $1 ORDER BY r.settled LIMIT $2")
}

fn row(record: &Record) -> std::result::Result<Row, Failure> {
    let calls = record
        .maybe_text(11)?
        .map(|text| serde_json::from_str(&text));
    let error = record
        .maybe_text(13)?
        .map(|text| serde_json::from_str(&text));
    Ok(Row {
        id: RowId(record.int(0)?),
        job: record.text(1)?,
        key: record.maybe_text(2)?,
        line: record
            .maybe_int(3)?
            .and_then(|line| u64::try_from(line).ok()),
        caller_id: record.maybe_text(4)?,
        account: record.text(5)?,
        assistant: record.int(6)?,
        customer: record.text(7)?,
        state: State::from_number(record.int(8)?)?,
        reply: record.maybe_text(9)?,
        conversation_id: record.maybe_text(10)?,
        function_calls: calls
            .transpose()
            .map_err(|_| Failure::damaged("a row's function calls cannot be read"))?
            .unwrap_or_default(),
        ai_disabled: record.maybe_int(12)?.map(|disabled| disabled != 0),
        error: error
            .transpose()
            .map_err(|_| Failure::damaged("a row's error cannot be read"))?,
        attempts: u32::try_from(record.int(14)?).unwrap_or(u32::MAX),
        reason: record.maybe_text(15)?,
        on_unknown: policy(record.int(16)?),
    })
}

impl Store {
    pub(crate) async fn list(
        &self,
        filter: &Filter,
        after: Option<RowId>,
        limit: usize,
    ) -> Result<Vec<Row>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        read!(self, |sql| {
            let Some(mut conditions) = conditions(sql, filter, after).await? else {
                return Ok(Vec::new());
            };
            conditions.values.push(limit.into());
            let select = page_sql(&conditions);
            let rows = sql.rows(select, conditions.values).await?;
            rows.iter().map(row).collect::<std::result::Result<_, _>>()
        })
    }

    /// Rows in the order in which they were settled, after a number.
    pub(crate) async fn settled_after(&self, after: i64, limit: i64) -> Result<Vec<(i64, Row)>> {
        read!(self, |sql| {
            let select = settled_sql();
            let rows = sql.rows(select, values![after, limit]).await?;
            let numbered = |record: &Record| Ok::<_, Failure>((record.int(17)?, row(record)?));
            rows.iter()
                .map(numbered)
                .collect::<std::result::Result<_, _>>()
        })
    }

    /// How many rows were ever settled.
    pub(crate) async fn settled(&self) -> Result<i64> {
        read!(self, |sql| {
            let settled = "SELECT settled FROM famulor_outbox_store";
            Ok(sql.number(settled, values![]).await?.unwrap_or_default())
        })
    }

    pub(crate) async fn jobs(&self) -> Result<Vec<String>> {
        read!(self, |sql| {
            let names = "SELECT name FROM famulor_outbox_job ORDER BY id";
            let rows = sql.rows(names, values![]).await?;
            rows.iter()
                .map(|row| row.text(0))
                .collect::<std::result::Result<_, _>>()
        })
    }

    pub(crate) async fn job_number(&self, name: &str) -> Result<Option<i64>> {
        read!(self, |sql| { find_job(sql, name).await })
    }

    pub(crate) async fn status(&self, filter: &Filter) -> Result<Status> {
        read!(self, |sql| {
            let mut status = Status::default();
            let rows = match filter.customer.is_none() && filter.row.is_none() {
                true => counted(sql, filter).await?,
                false => counting(sql, filter).await?,
            };
            let mut oldest = None;
            for row in rows {
                let state = State::from_number(row.int(0)?)?;
                let wanted = filter.states.as_ref();
                let count = u64::try_from(row.int(1)?).unwrap_or(0);
                if wanted.is_none_or(|states| states.contains(&state)) {
                    *status.count_mut(state) += count;
                }
                status.attempts += u64::try_from(row.int(2)?).unwrap_or(0);
            }
            if status.queued > 0 {
                oldest = oldest_waiting(sql, filter).await?;
            }
            status.oldest_waiting = oldest;
            Ok(status)
        })
    }

    /// How many rows of an account are not final: queued or in flight, and in doubt without being read back.
    pub(crate) async fn unfinished(&self, account: i64, job: Option<i64>) -> Result<i64> {
        read!(self, |sql| {
            let of_job = job.map_or("", |_| "AND job = $2");
            let mut values = values![account];
            values.extend(job.map(Into::into));
            let rows = format!(
                "SELECT CAST(coalesce(sum(rows), 0) AS BIGINT) FROM famulor_outbox_count
                WHERE account = $1 {of_job} AND state IN (0, 1)"
            );
            let doubts =
                format!("SELECT count(*) FROM famulor_outbox_doubt WHERE account = $1 {of_job}");
            let rows = sql.number(rows, values.clone()).await?.unwrap_or_default();
            let doubts = sql.number(doubts, values).await?.unwrap_or_default();
            Ok(rows + doubts)
        })
    }

    /// The customer and the conversation of a reply that an account was given lately.
    pub(crate) async fn answered_lately(
        &self,
        account: i64,
        assistant: i64,
    ) -> Result<Option<(String, String)>> {
        read!(self, |sql| {
            let select = "SELECT c.customer, r.conversation FROM famulor_outbox_row r
                JOIN famulor_outbox_line l ON l.id = r.line
                JOIN famulor_outbox_customer c ON c.id = l.customer
                WHERE r.settled IS NOT NULL AND r.state = 3 AND r.attempts > 0 AND l.account = $1
                AND c.assistant = $2 AND r.conversation IS NOT NULL ORDER BY r.settled DESC LIMIT 1";
            let row = sql.row(select, values![account, assistant]).await?;
            row.map(|row| Ok::<_, Failure>((row.text(0)?, row.text(1)?)))
                .transpose()
        })
    }
}

/// By the counts that are kept, however many rows there are.
async fn counted(sql: &mut Sql, filter: &Filter) -> std::result::Result<Vec<Record>, Failure> {
    let mut values = Vec::new();
    let mut conditions = String::new();
    for (column, name) in [("j.name", &filter.job), ("a.name", &filter.account)] {
        if let Some(name) = name {
            values.push(name.as_str().into());
            conditions.push_str(&format!(" AND {column} = ${}", values.len()));
        }
    }
    let select = format!(
        "SELECT n.state, CAST(sum(n.rows) AS BIGINT), CAST(sum(n.attempts) AS BIGINT)
        FROM famulor_outbox_count n JOIN famulor_outbox_job j ON j.id = n.job
        JOIN famulor_outbox_account a ON a.id = n.account
        WHERE 1 = 1{conditions} GROUP BY n.state"
    );
    sql.rows(select, values).await
}

async fn counting(sql: &mut Sql, filter: &Filter) -> std::result::Result<Vec<Record>, Failure> {
    let Some(conditions) = conditions(sql, filter, None).await? else {
        return Ok(Vec::new());
    };
    let select = format!(
        "SELECT r.state, count(*), CAST(sum(r.attempts) AS BIGINT) FROM {TABLES} WHERE {} GROUP BY r.state",
        conditions.sql
    );
    sql.rows(select, conditions.values).await
}

/// By the heads of the queues, job by job.
async fn oldest_waiting(
    sql: &mut Sql,
    filter: &Filter,
) -> std::result::Result<Option<Duration>, Failure> {
    let (of_job, values) = match &filter.job {
        Some(name) => ("WHERE j.name = $1", values![name.as_str()]),
        None => ("", values![]),
    };
    let select = format!(
        "SELECT min(r.added) FROM famulor_outbox_row r WHERE r.id IN (
            SELECT (SELECT min(l.next) FROM famulor_outbox_line l WHERE l.job = j.id AND l.next IS NOT NULL)
            FROM famulor_outbox_job j {of_job})"
    );
    let Some(added) = sql.number(select, values).await? else {
        return Ok(None);
    };
    let waited = look_at_clock(sql).await? - added;
    Ok(Some(Duration::from_millis(
        u64::try_from(waited).unwrap_or(0),
    )))
}

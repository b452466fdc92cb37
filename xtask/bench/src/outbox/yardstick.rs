//! What a store does when it does nothing else: one small row a durable commit, one after another.

use std::str::FromStr;
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

/// Durable commits a second at `location`, tried for so long.
pub(super) async fn commits(location: &str, time: Duration) -> Result<f64, String> {
    let failed = |e: sqlx::Error| e.to_string();
    let create = "CREATE TABLE IF NOT EXISTS bare (number BIGINT NOT NULL)";
    let insert = "INSERT INTO bare (number) VALUES ($1)";
    let mut count = 0_i64;
    let took;
    if location.starts_with("postgres") {
        let options = PgConnectOptions::from_str(location).map_err(failed)?;
        let mut server = options
            .disable_statement_logging()
            .connect()
            .await
            .map_err(failed)?;
        sqlx::query(create)
            .execute(&mut server)
            .await
            .map_err(failed)?;
        let began = Instant::now();
        while began.elapsed() < time {
            sqlx::query(insert)
                .bind(count)
                .execute(&mut server)
                .await
                .map_err(failed)?;
            count += 1;
        }
        took = began.elapsed();
        server.close().await.map_err(failed)?;
    } else {
        let options = SqliteConnectOptions::new()
            .filename(format!("{location}.bare"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .disable_statement_logging();
        let mut file = options.connect().await.map_err(failed)?;
        sqlx::query(create)
            .execute(&mut file)
            .await
            .map_err(failed)?;
        let began = Instant::now();
        while began.elapsed() < time {
            sqlx::query(insert)
                .bind(count)
                .execute(&mut file)
                .await
                .map_err(failed)?;
            count += 1;
        }
        took = began.elapsed();
        file.close().await.map_err(failed)?;
    }
    Ok(count as f64 / took.as_secs_f64())
}

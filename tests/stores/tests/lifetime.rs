//! A server ends with whoever started it.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use famulor_test_stores::{Durability, PostgresServer, RedisServer};

const CHILD: &str = "FAMULOR_TEST_CHILD";

#[test]
#[ignore = "a process of the other test"]
fn child() {
    let Ok(which) = std::env::var(CHILD) else {
        return;
    };
    let (redis, postgres);
    let folder = match which.as_str() {
        "redis" => {
            redis = RedisServer::start(Durability::Fast);
            redis.as_ref().map(RedisServer::folder)
        }
        _ => {
            postgres = PostgresServer::start(Durability::Fast);
            postgres.as_ref().map(PostgresServer::folder)
        }
    };
    println!(
        "child: {}",
        folder.map_or("none".into(), Path::to_string_lossy)
    );
    sleep(Duration::from_secs(60));
}

fn ends_with_its_process(which: &str) {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["child", "--exact", "--ignored", "--nocapture"])
        .env(CHILD, which)
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program once more");
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let folder = lines.map_while(Result::ok).find_map(|line| {
        let (_, folder) = line.split_once("child: ")?;
        Some(folder.to_owned())
    });
    let folder = folder.expect("a line of the child's");
    let folder = Path::new(&folder);
    assert!(folder == "none" || folder.is_dir(), "{}", folder.display());
    child.kill().expect("a child to be killed");
    child.wait().expect("its end");
    let began = Instant::now();
    while folder.exists() {
        let waited = began.elapsed();
        assert!(
            waited < Duration::from_secs(10),
            "{} is still there",
            folder.display()
        );
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn redis_ends_with_a_test_that_is_killed() {
    ends_with_its_process("redis");
}

#[test]
fn postgres_ends_with_a_test_that_is_killed() {
    ends_with_its_process("postgres");
}

//! Processes of their own: this test program once more, with one test to run.

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use famulor_quota::{AcquireError, Limit, Quota, Witness};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::place::open;
use crate::server::send;
use crate::{account, request};

/// What a child is to do, in this variable of its environment.
const TASK: &str = "FAMULOR_TEST_CHILD";

/// A process that shares a store with this one; killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    pub(crate) fn start(task: &[&str]) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child::child", "--exact", "--ignored", "--nocapture"])
            .env(TASK, task.join("\n"))
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// What the child says next; test programs say a few things of their own.
    pub(crate) async fn says(&mut self) -> String {
        loop {
            let line = self
                .lines
                .next_line()
                .await
                .unwrap()
                .expect("the child has ended");
            if let Some(said) = line.split_once("child: ") {
                return said.1.to_owned();
            }
        }
    }

    /// Sends a signal, as `kill` names it.
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.child.id().expect("a child that runs").to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().await;
        assert!(sent.unwrap().success());
    }

    pub(crate) async fn ended(mut self) {
        let status = self.child.wait().await.unwrap();
        assert!(status.success(), "{status}");
    }
}

fn say(what: &str) {
    println!("child: {what}");
}

#[tokio::test]
#[ignore = "a process of other tests"]
async fn child() {
    let Ok(task) = std::env::var(TASK) else {
        return;
    };
    let task: Vec<&str> = task.split('\n').collect();
    match task[..] {
        ["calls", url, server, requests, window, time] => {
            calls(url, server, requests, window, time).await;
        }
        ["holds", url, requests, window] => holds(url, requests, window).await,
        ["sends_late", url, requests, window] => sends_late(url, requests, window).await,
        _ => panic!("{task:?}"),
    }
}

fn limits(requests: &str, window: &str) -> Arc<[Limit]> {
    let window = Duration::from_millis(window.parse().unwrap());
    crate::limits(requests.parse().unwrap(), window)
}

/// Calls as often as it may, for a time. A call that cannot reach the store says
/// so, and another is made.
async fn calls(url: &str, server: &str, requests: &str, window: &str, time: &str) {
    let quota = Quota::with_store(open(url).await);
    let limits = limits(requests, window);
    let end = Instant::now() + Duration::from_millis(time.parse().unwrap());
    let mut chance = u64::from(std::process::id());
    let mut calls = Vec::new();
    while Instant::now() < end {
        let wanted = request(account("token"), &limits).with_max_wait(end - Instant::now());
        let mut permit = match quota.acquire(wanted).await {
            Ok(permit) => permit,
            Err(AcquireError::WouldWait { .. }) => break,
            Err(error) => {
                say(&error.to_string());
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        chance = chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let (way, takes) = ((chance >> 40) % 40, (chance >> 50) % 40);
        let (server, requests) = (server.to_owned(), limits[0].requests());
        calls.push(tokio::spawn(async move {
            if permit.mark_sent().is_ok() {
                let counted = send(&server, Duration::from_millis(way), takes as u8).await;
                let left = requests.saturating_sub(counted);
                permit.complete(Some(Witness::new(requests, left))).await;
            }
        }));
    }
    for call in calls {
        call.await.unwrap();
    }
    say("done");
}

/// Takes every slot it can, as for calls that it sends, and keeps them.
async fn holds(url: &str, requests: &str, window: &str) {
    let quota = Quota::with_store(open(url).await);
    let limits = limits(requests, window);
    let mut permits = Vec::new();
    for _ in 0..limits[0].requests() {
        let mut permit = quota
            .acquire(request(account("token"), &limits))
            .await
            .unwrap();
        permit.mark_sent().unwrap();
        permits.push(permit);
    }
    say("holding");
    std::future::pending::<()>().await;
}

/// Takes a slot, and wants to use it only after it has been told to go on.
async fn sends_late(url: &str, requests: &str, window: &str) {
    let quota = Quota::with_store(open(url).await);
    let limits = limits(requests, window);
    let mut permit = quota
        .acquire(request(account("token"), &limits))
        .await
        .unwrap();
    say("granted");
    // Long enough to be stopped in.
    std::thread::sleep(Duration::from_millis(500));
    say(match permit.mark_sent() {
        Ok(()) => "sent",
        Err(_) => "stale",
    });
    permit.give_back().await;
    say("gave it back");
}

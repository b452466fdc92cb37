//! The scripts and the ledger, step by step, on the same clock.

use std::time::Duration;

use famulor_test_stores::RedisServer;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::connection::Connection;
use super::scripts::{Acquired, Scripts, Written, key, time_of};
use crate::ledger::{Ledger, Moment};
use crate::store::known::When;
use crate::{AccountKey, Answer, Ask, Completion, Lane, Limit, Seen, SlotId};

/// One step, after a pause.
#[derive(Clone, Debug)]
enum Step {
    Acquire { limits: usize, hold: u64 },
    Complete { call: usize, how: How },
    Reject { call: usize, hint: Option<u64> },
    Freeze(u64),
}

#[derive(Clone, Debug)]
enum How {
    NotSent,
    Abandoned,
    Answered,
    /// So many more, or fewer, than our own.
    Seen {
        limit: usize,
        off: i32,
    },
}

fn limits(which: usize) -> Vec<Limit> {
    let limit = |requests, seconds, scope: &'static str| {
        Limit::new(requests, Duration::from_secs(seconds), scope)
    };
    match which {
        0 => vec![limit(3, 60, "replies")],
        1 => vec![limit(3, 60, "replies"), limit(6, 10, "all")],
        2 => vec![limit(6, 10, "all")],
        // Another client, which knows another figure for the same limit.
        3 => vec![limit(2, 60, "replies")],
        _ => vec![limit(1, 1, "search"), limit(6, 10, "all")],
    }
}

fn step() -> impl Strategy<Value = Step> {
    let how = prop_oneof![
        1 => Just(How::NotSent),
        1 => Just(How::Abandoned),
        2 => Just(How::Answered),
        6 => (0..2_usize, prop_oneof![5 => Just(0), 1 => -1..3_i32])
            .prop_map(|(limit, off)| How::Seen { limit, off }),
    ];
    prop_oneof![
        6 => (0..5_usize, 0..100_u64).prop_map(|(limits, hold)| Step::Acquire { limits, hold }),
        6 => (0..5_usize, how).prop_map(|(call, how)| Step::Complete { call, how }),
        1 => (0..5_usize, prop::option::of(0..90_u64))
            .prop_map(|(call, hint)| Step::Reject { call, hint }),
        1 => (0..5000_u64).prop_map(Step::Freeze),
    ]
}

/// Mostly short, sometimes as long as what a ledger remembers, sometimes back.
fn pause() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => Just(0),
        8 => 0..5_000_000_i64,
        4 => 0..70_000_000_i64,
        1 => 0..4_000_000_000_i64,
        1 => -10_000_000..0_i64,
    ]
}

/// What the rules say, on what was written.
struct Reference {
    ledger: Ledger,
    at: u64,
    clock: u64,
    written: bool,
}

impl Reference {
    /// As a store has it that reads and writes: no room to spare is remembered.
    fn load(&mut self, clock: u64) -> Moment {
        if !self.written {
            self.ledger = Ledger::new(Moment::from_micros(1));
            return Moment::from_micros(1);
        }
        self.ledger = Ledger::decode(&self.ledger.encode()).unwrap();
        time_of(self.at, self.clock, clock)
    }

    fn save(&mut self, now: Moment, clock: u64) {
        (self.at, self.clock, self.written) = (now.as_micros(), clock, true);
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.at.to_le_bytes().to_vec();
        bytes.extend(self.clock.to_le_bytes());
        bytes.extend(self.ledger.encode());
        bytes
    }
}

async fn run(connection: &Connection, account: AccountKey, steps: &[(i64, Step)]) {
    let mut scripts = Scripts::new();
    let mut clock = 1_700_000_000_000_000_u64;
    let mut reference = Reference {
        ledger: Ledger::new(Moment::from_micros(1)),
        at: 0,
        clock: 0,
        written: false,
    };
    let mut slots: Vec<SlotId> = Vec::new();
    for (pause, step) in steps {
        clock = clock.saturating_add_signed(*pause);
        scripts.clock = Some(clock);
        let now = reference.load(clock);
        let ledger = &mut reference.ledger;
        let mut changed = true;
        match step {
            Step::Acquire {
                limits: which,
                hold,
            } => {
                let (limits, hold) = (limits(*which), Duration::from_secs(*hold));
                let (granted, micros, ..): Acquired = connection
                    .run(&scripts.acquire(account, &limits, hold))
                    .await
                    .unwrap();
                match ledger.acquire(now, &limits, hold) {
                    Ok(slot) => {
                        assert_eq!((granted, micros), (true, slot.moment().as_micros()));
                        slots.push(slot);
                    }
                    Err(ready) => {
                        let wait = ready.since(now).as_micros() as u64;
                        assert_eq!((granted, micros), (false, wait));
                        changed = false;
                    }
                }
            }
            Step::Complete { call, how } => {
                let Some(slot) = slots.iter().rev().nth(*call).copied() else {
                    continue;
                };
                let how = match how {
                    How::NotSent => Completion::NotSent,
                    How::Abandoned => Completion::Abandoned,
                    How::Answered => Completion::Answered(None),
                    How::Seen { limit, off } => {
                        let limit = limits(1)[*limit].clone();
                        // What the rules compare with: those that may have
                        // been counted when this one was.
                        let then = slot.moment();
                        let ours = ledger.usage(then, std::slice::from_ref(&limit))[0].busy;
                        let counted = ours.saturating_add_signed(*off);
                        Completion::Answered(Some(Seen { limit, counted }))
                    }
                };
                let written: Written = connection
                    .run(&scripts.complete(account, slot, &how))
                    .await
                    .unwrap();
                changed = written.is_some();
                ledger.complete(now, slot, how);
            }
            Step::Reject { call, hint } => {
                let Some(slot) = slots.iter().rev().nth(*call).copied() else {
                    continue;
                };
                let hint = hint.map(Duration::from_secs);
                let (frozen, ..): (u64, Vec<u8>, i64) = connection
                    .run(&scripts.reject(account, slot, hint))
                    .await
                    .unwrap();
                assert_eq!(frozen, ledger.reject(now, slot, hint).as_micros() as u64);
            }
            Step::Freeze(seconds) => {
                let time = Duration::from_secs(*seconds);
                let _: Written = connection
                    .run(&scripts.freeze(account, time))
                    .await
                    .unwrap();
                ledger.freeze(now, time);
            }
        }
        if changed {
            reference.save(now, clock);
        }
        if reference.written {
            let get = redis::Script::new("return redis.call('GET', KEYS[1])");
            let mut get = get.key(key(account));
            let stored: Vec<u8> = connection.run(get.arg("")).await.unwrap();
            assert_eq!(
                stored,
                reference.bytes(),
                "after {step:?}: {:?}",
                reference.ledger
            );
        }
    }
}

#[test]
fn the_scripts_and_the_ledger_are_the_same_rules() {
    let Some(server) = RedisServer::shared() else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let connection = Connection::new(&server.place()).unwrap();
    let steps = prop::collection::vec((pause(), step()), 1..80);
    let config = Config {
        cases: 400,
        failure_persistence: None,
        ..Config::default()
    };
    let mut number = 0_u64;
    let number = std::cell::RefCell::new(&mut number);
    TestRunner::new(config)
        .run(&steps, |steps| {
            **number.borrow_mut() += 1;
            let account = AccountKey::new(number.borrow().to_le_bytes());
            runtime.block_on(run(&connection, account, &steps));
            Ok(())
        })
        .unwrap();
}

/// Chance seldom comes by this one.
#[tokio::test]
async fn a_stranger_seen_keeps_headers_from_freeing_slots() {
    let Some(server) = RedisServer::shared() else {
        return;
    };
    let connection = Connection::new(&server.place()).unwrap();
    let acquire = Step::Acquire {
        limits: 2,
        hold: 90,
    };
    let seen = |off| Step::Complete {
        call: 0,
        how: How::Seen { limit: 1, off },
    };
    let steps = [
        (0, acquire.clone()),
        (12_000_000, acquire.clone()),
        (0, acquire.clone()),
        (1000, seen(1)),
        (1000, acquire),
        (1000, seen(0)),
    ];
    run(&connection, AccountKey::new("strangers"), &steps).await;
}

#[tokio::test]
async fn a_key_disappears_an_hour_after_there_is_nothing_to_remember() {
    let Some(server) = RedisServer::shared() else {
        return;
    };
    let store = super::RedisStore::connect(&server.place()).await.unwrap();
    let account = AccountKey::new("token");
    let limits = limits(0).into();
    let ask = Ask::new(account, limits, Lane::Bulk, Duration::from_secs(90));
    let Answer::Granted(slot) = store.shared.acquire(&ask).await.unwrap() else {
        panic!("no slot in a new store");
    };
    let client = &store.shared.connection.client;
    let mut redis = client.get_multiplexed_async_connection().await.unwrap();
    let mut expires = async || -> i64 {
        let mut ask = redis::cmd("TTL");
        ask.arg(key(account)).query_async(&mut redis).await.unwrap()
    };
    let left = expires().await;
    assert!((3600 + 145..=3600 + 151).contains(&left), "{left}");
    store
        .shared
        .complete(account, slot, &Completion::Answered(None))
        .await
        .unwrap();
    let left = expires().await;
    assert!((3600 + 55..=3600 + 61).contains(&left), "{left}");
}

#[tokio::test]
async fn only_what_nobody_else_has_changed_is_written_from_memory() {
    let Some(server) = RedisServer::shared() else {
        return;
    };
    let place = server.place();
    let one = super::RedisStore::connect(&place).await.unwrap();
    let other = super::RedisStore::connect(&place).await.unwrap();
    let account = AccountKey::new("token");
    let ask = Ask::new(
        account,
        limits(0).into(),
        Lane::Bulk,
        Duration::from_secs(90),
    );
    let take = async |store: &super::RedisStore| match store.shared.acquire(&ask).await {
        Ok(Answer::Granted(slot)) => slot,
        other => panic!("{other:?}"),
    };
    let from_memory = async |store: &super::RedisStore, slot| {
        let complete = |ledger: &mut Ledger, now| {
            ledger.complete(now, slot, Completion::Answered(None));
        };
        let known = store
            .shared
            .change_known(account, When::Latest, complete)
            .await;
        known.unwrap().is_some()
    };
    let busy = async || {
        let (ledger, now) = other.shared.look(account).await.unwrap();
        let ended = now.plus(Duration::from_secs(61));
        (
            ledger.usage(now, &limits(0))[0].busy,
            ledger.usage(ended, &limits(0))[0].busy,
        )
    };
    let slot = take(&one).await;
    assert!(from_memory(&one, slot).await);
    assert_eq!(busy().await, (1, 0));
    let (slot, _) = (take(&one).await, take(&other).await);
    assert!(!from_memory(&one, slot).await);
    assert_eq!(busy().await, (3, 2), "the other's slot is not lost");
}

#[tokio::test]
async fn scripts_run_on_a_cluster() {
    let Some(server) = RedisServer::start_cluster() else {
        return;
    };
    let store = super::RedisStore::connect(&server.place()).await.unwrap();
    for number in 0..20_u32 {
        let account = AccountKey::new(number.to_le_bytes());
        let ask = Ask::new(
            account,
            limits(1).into(),
            Lane::Bulk,
            Duration::from_secs(90),
        );
        let Answer::Granted(slot) = store.shared.acquire(&ask).await.unwrap() else {
            panic!("no slot in a new store");
        };
        store
            .shared
            .complete(account, slot, &Completion::NotSent)
            .await
            .unwrap();
        store.shared.freeze(account, Duration::ZERO).await.unwrap();
        store.shared.reject(account, slot, None).await.unwrap();
    }
}

//! Callers that come, hold, end and go away as chance has it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use famulor_quota::{AcquireRequest, Lane, Limit, Permit, Quota};
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::runtime::Builder;
use tokio::time::{sleep, timeout};

use crate::stores::FarStore;
use crate::{MINUTE, account, seconds, waiting};

#[derive(Clone, Copy, Debug)]
enum End {
    Complete,
    GiveBack,
    Abandon,
    Reject(u64),
    Drop,
}

#[derive(Clone, Debug)]
struct Caller {
    /// After the caller before it, in milliseconds.
    comes: u64,
    bulk: bool,
    read: bool,
    /// Gives up waiting after so many seconds by dropping the call.
    leaves: Option<u64>,
    sends: bool,
    holds: u64,
    end: End,
}

fn caller() -> impl Strategy<Value = Caller> {
    let end = prop_oneof![
        6 => Just(End::Complete),
        2 => Just(End::GiveBack),
        1 => Just(End::Abandon),
        1 => (0..20_u64).prop_map(End::Reject),
        2 => Just(End::Drop),
    ];
    let comes = prop_oneof![3 => Just(0), 1 => 0..500_u64, 1 => 0..90_000_u64];
    let leaves = prop_oneof![2 => Just(None), 1 => (0..200_u64).prop_map(Some)];
    let (bulk, read, sends) = (any::<bool>(), any::<bool>(), any::<bool>());
    (comes, bulk, read, leaves, sends, 0..5_000_u64, end).prop_map(
        |(comes, bulk, read, leaves, sends, holds, end)| Caller {
            comes,
            bulk,
            read,
            leaves,
            sends,
            holds,
            end,
        },
    )
}

async fn end(mut permit: Permit, caller: &Caller) {
    if caller.sends {
        permit.mark_sent().expect("a fresh permit");
    }
    sleep(Duration::from_millis(caller.holds)).await;
    match caller.end {
        End::Complete => permit.complete(None).await,
        End::GiveBack => permit.give_back().await,
        End::Abandon => permit.abandon().await,
        End::Reject(hint) => {
            permit.reject(Some(seconds(hint))).await;
        }
        End::Drop => drop(permit),
    }
}

/// Who was served, by line (lane and limits) and number in the order of coming.
type Served = Arc<Mutex<Vec<((bool, bool), usize)>>>;

async fn live(quota: Quota, callers: Vec<Caller>) -> Result<(), TestCaseError> {
    let all = Limit::new(5, MINUTE, "all");
    let replies: Arc<[Limit]> = Arc::new([Limit::new(3, MINUTE, "replies"), all.clone()]);
    let reads: Arc<[Limit]> = Arc::new([all]);
    let served = Served::default();
    let mut tasks = Vec::new();
    for (number, caller) in callers.into_iter().enumerate() {
        sleep(Duration::from_millis(caller.comes)).await;
        let limits = if caller.read { &reads } else { &replies };
        let lane = if caller.bulk {
            Lane::Bulk
        } else {
            Lane::Interactive
        };
        let request = AcquireRequest::new(account(), Arc::clone(limits)).with_lane(lane);
        let (quota, served) = (quota.clone(), Arc::clone(&served));
        tasks.push(tokio::spawn(async move {
            // A day: whoever stays is served.
            let patience = seconds(caller.leaves.unwrap_or(86_400));
            match timeout(patience, quota.acquire(request)).await {
                Ok(permit) => {
                    let line = (caller.bulk, caller.read);
                    served.lock().unwrap().push((line, number));
                    end(permit.unwrap(), &caller).await;
                    true
                }
                Err(_) => caller.leaves.is_some(),
            }
        }));
        tokio::task::yield_now().await;
    }
    for task in tasks {
        prop_assert!(task.await.unwrap(), "somebody was never served");
    }
    let served = served.lock().unwrap().clone();
    for line in [(false, false), (false, true), (true, false), (true, true)] {
        let numbers = served.iter().filter(|(of, _)| *of == line);
        let numbers: Vec<_> = numbers.map(|(_, number)| *number).collect();
        prop_assert!(numbers.is_sorted(), "{line:?}: {numbers:?}");
    }
    prop_assert_eq!(waiting(&quota, &replies).await, 0);
    // Nothing is left behind: hours later every slot can be used again.
    sleep(seconds(7200)).await;
    for _ in 0..3 {
        let request = AcquireRequest::new(account(), Arc::clone(&replies));
        prop_assert!(
            quota
                .try_acquire(request)
                .await
                .map(std::mem::forget)
                .is_ok()
        );
    }
    Ok(())
}

fn run(quota: impl FnOnce() -> Quota, callers: Vec<Caller>) -> Result<(), TestCaseError> {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime
        .unwrap()
        .block_on(async { live(quota(), callers).await })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn everyone_who_stays_is_served_in_turn(callers in vec(caller(), 1..60)) {
        run(Quota::in_memory, callers)?;
    }

    #[test]
    fn the_same_holds_for_a_store_that_takes_its_time(callers in vec(caller(), 1..40)) {
        run(|| Quota::with_store(FarStore::default()), callers)?;
    }
}

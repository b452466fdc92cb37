//! One test for each rule.

use std::time::Duration;

use super::{CLEAN_TIME, Ledger, Moment, Rung};
use crate::{Completion, Limit, Seen, SlotId};

const HOLD: Duration = Duration::from_secs(92);

fn at(seconds: f64) -> Moment {
    Moment::from_micros((seconds * 1e6).round() as u64)
}

fn secs(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn per_minute(requests: u32) -> [Limit; 1] {
    [Limit::new(requests, secs(60.0), "replies")]
}

/// A ledger that has watched for long enough to have an opinion.
fn old_ledger() -> Ledger {
    Ledger::new(at(0.0))
}

/// Where the tests' time begins, for [`old_ledger`] to be old.
const T: f64 = 1000.0;

fn take(ledger: &mut Ledger, seconds: f64, limits: &[Limit]) -> SlotId {
    let slot = ledger.acquire(at(seconds), limits, HOLD);
    slot.unwrap_or_else(|ready| panic!("no slot at {seconds} s before {ready:?}"))
}

fn refused(ledger: &mut Ledger, seconds: f64, limits: &[Limit]) -> f64 {
    let ready = ledger.acquire(at(seconds), limits, HOLD);
    ready.expect_err("no slot should be free").as_micros() as f64 / 1e6
}

fn answered(counted: u32, limit: &Limit) -> Completion {
    let limit = limit.clone();
    Completion::Answered(Some(Seen { limit, counted }))
}

const DONE: Completion = Completion::Answered(None);

#[test]
fn a_slot_is_busy_until_a_window_and_a_guard_after_completion() {
    let (mut ledger, limits) = (old_ledger(), per_minute(1));
    let slot = take(&mut ledger, T, &limits);
    ledger.complete(at(T + 8.0), slot, DONE);
    assert_eq!(refused(&mut ledger, T + 9.0, &limits), T + 68.12);
    assert_eq!(refused(&mut ledger, T + 68.119, &limits), T + 68.12);
    take(&mut ledger, T + 68.12, &limits);
}

#[test]
fn a_call_nobody_reports_holds_its_slot_for_hold_and_window_and_no_longer() {
    let (mut ledger, limits) = (old_ledger(), per_minute(1));
    take(&mut ledger, T, &limits);
    // It might end this moment, so no later moment is foretold than that allows.
    assert_eq!(refused(&mut ledger, T + 10.0, &limits), T + 70.12);
    assert_eq!(refused(&mut ledger, T + 100.0, &limits), T + 152.12);
    take(&mut ledger, T + 152.12, &limits);
}

#[test]
fn completing_late_never_lengthens_a_hold() {
    let (mut ledger, limits) = (old_ledger(), per_minute(1));
    let slot = take(&mut ledger, T, &limits);
    ledger.complete(at(T + 120.0), slot, DONE);
    take(&mut ledger, T + 152.12, &limits);
}

#[test]
fn slots_of_several_limits_are_taken_together_or_not_at_all() {
    let mut ledger = old_ledger();
    let all = Limit::new(2, secs(10.0), "all");
    let [replies] = per_minute(1);
    let both = [replies.clone(), all.clone()];
    let slot = take(&mut ledger, T, &both);
    ledger.complete(at(T), slot, DONE);
    // The first limit is full, so nothing is taken from the second one.
    refused(&mut ledger, T + 1.0, &both);
    take(&mut ledger, T + 1.0, std::slice::from_ref(&all));
    assert!(refused(&mut ledger, T + 1.0, std::slice::from_ref(&all)) > T + 10.0);
    let usage = ledger.usage(at(T + 1.0), &both);
    assert_eq!([usage[0].busy, usage[1].busy], [1, 2]);
}

#[test]
fn a_timeout_keeps_the_slot_for_thirty_seconds_and_the_window() {
    let (mut ledger, limits) = (old_ledger(), per_minute(1));
    let slot = take(&mut ledger, T, &limits);
    ledger.complete(at(T + 20.0), slot, Completion::Abandoned);
    assert_eq!(refused(&mut ledger, T + 21.0, &limits), T + 110.12);
    take(&mut ledger, T + 110.12, &limits);
}

#[test]
fn a_call_that_was_not_sent_gives_its_slot_back_at_once() {
    let (mut ledger, limits) = (old_ledger(), per_minute(1));
    let slot = take(&mut ledger, T, &limits);
    ledger.complete(at(T + 1.0), slot, Completion::NotSent);
    let again = take(&mut ledger, T + 1.0, &limits);
    // A second report about the first slot must not touch the second one.
    ledger.complete(at(T + 1.0), slot, Completion::NotSent);
    assert_ne!(slot, again);
    refused(&mut ledger, T + 1.0, &limits);
}

#[test]
fn one_answer_that_counted_all_of_ours_frees_the_burst() {
    let (mut ledger, limits) = (old_ledger(), per_minute(3));
    let slots = [0.0, 0.1, 0.2].map(|delay| take(&mut ledger, T + delay, &limits));
    ledger.complete(at(T + 1.0), slots[2], answered(3, &limits[0]));
    // The other two have arrived, though they will end much later.
    ledger.complete(at(T + 40.0), slots[0], DONE);
    for _ in 0..3 {
        take(&mut ledger, T + 61.12, &limits);
    }
}

#[test]
fn an_answer_that_counted_fewer_proves_nothing() {
    let (mut ledger, limits) = (old_ledger(), per_minute(3));
    let slots = [0.0, 0.1, 0.2].map(|delay| take(&mut ledger, T + delay, &limits));
    ledger.complete(at(T + 1.0), slots[2], answered(2, &limits[0]));
    take(&mut ledger, T + 61.12, &limits);
    // One slot, of the call that was answered; the others are still in flight.
    refused(&mut ledger, T + 61.12, &limits);
}

#[test]
fn a_slot_freed_after_the_call_was_granted_may_be_among_those_counted() {
    let (mut ledger, limits) = (old_ledger(), per_minute(2));
    let old = take(&mut ledger, T, &limits);
    ledger.complete(at(T + 1.0), old, DONE);
    // Granted while `old` was still busy; `old` is free at 61.12 s, and its slot
    // is taken again by `late`, which is still on its way.
    let asked = take(&mut ledger, T + 60.0, &limits);
    let late = take(&mut ledger, T + 61.2, &limits);
    // Two counted: `old` and `asked`, and not `late`.
    ledger.complete(at(T + 62.0), asked, answered(2, &limits[0]));
    ledger.complete(at(T + 90.0), late, DONE);
    take(&mut ledger, T + 122.12, &limits);
    assert_eq!(refused(&mut ledger, T + 122.12, &limits), T + 150.12);
}

#[test]
fn more_counted_than_ours_shows_a_stranger_and_caps_us_to_what_is_left() {
    let (mut ledger, limits) = (old_ledger(), per_minute(5));
    let slot = take(&mut ledger, T, &limits);
    ledger.complete(at(T + 1.0), slot, answered(4, &limits[0]));
    let usage = &ledger.usage(at(T + 1.0), &limits)[0];
    assert_eq!(
        (usage.foreign, usage.busy, usage.foreign_seen),
        (3, 1, true)
    );
    take(&mut ledger, T + 2.0, &limits);
    assert_eq!(refused(&mut ledger, T + 2.0, &limits), T + 61.12);
    // A window later the cap is gone, the memory of the stranger is not.
    let usage = &ledger.usage(at(T + 62.0), &limits)[0];
    assert_eq!((usage.foreign, usage.foreign_seen), (0, true));
}

#[test]
fn a_witness_counts_only_once_everything_that_can_be_counted_is_known() {
    let limits = per_minute(3);
    let frees_the_burst = |ledger: &mut Ledger, start: f64| {
        let slots = [0.0, 0.1].map(|delay| take(ledger, start + delay, &limits));
        ledger.complete(at(start + 1.0), slots[1], answered(2, &limits[0]));
        ledger.usage(at(start + 62.0), &limits)[0].busy == 0
    };
    // The first of the two it counted may be from before the ledger's time.
    assert!(!frees_the_burst(&mut Ledger::new(at(T)), T + 60.0));
    assert!(frees_the_burst(&mut Ledger::new(at(T)), T + 60.2));
    // It may be a call that was refused and counted nevertheless.
    for (delay, frees) in [(59.0, false), (60.2, true)] {
        let mut ledger = Ledger::new(at(T));
        let slot = take(&mut ledger, T + 59.0, &limits);
        ledger.reject(at(T + 60.0), slot, Some(secs(0.0)));
        assert_eq!(frees_the_burst(&mut ledger, T + 60.0 + delay), frees);
    }
}

#[test]
fn what_an_earlier_run_sent_caps_us_and_is_nobody_else() {
    let (mut ledger, limits) = (Ledger::new(at(T)), per_minute(5));
    let slot = take(&mut ledger, T + 1.0, &limits);
    ledger.complete(at(T + 2.0), slot, answered(4, &limits[0]));
    let usage = &ledger.usage(at(T + 3.0), &limits)[0];
    assert_eq!((usage.foreign, usage.foreign_seen), (3, false));
}

#[test]
fn a_witness_frees_nothing_while_a_stranger_is_about() {
    let (mut ledger, limits) = (old_ledger(), per_minute(5));
    let slot = take(&mut ledger, T, &limits);
    ledger.complete(at(T), slot, answered(2, &limits[0]));
    let slots = [100.0, 100.1].map(|delay| take(&mut ledger, T + delay, &limits));
    ledger.complete(at(T + 101.0), slots[1], answered(2, &limits[0]));
    assert_eq!(ledger.usage(at(T + 170.0), &limits)[0].busy, 1);
}

#[test]
fn a_429_freezes_for_its_hint_and_a_second() {
    let (mut ledger, limits) = (old_ledger(), per_minute(5));
    let slot = take(&mut ledger, T, &limits);
    assert_eq!(
        ledger.reject(at(T + 1.0), slot, Some(secs(30.0))),
        secs(31.0)
    );
    assert_eq!(refused(&mut ledger, T + 2.0, &limits), T + 32.0);
    assert_eq!(
        ledger.usage(at(T + 2.0), &limits)[0].busy,
        0,
        "its slot is back"
    );
    take(&mut ledger, T + 32.0, &limits);
}

#[test]
fn a_429_without_a_hint_freezes_until_the_oldest_release() {
    let (mut ledger, limits) = (Ledger::new(at(T)), per_minute(5));
    let slot = take(&mut ledger, T, &limits);
    ledger.complete(at(T + 2.0), slot, DONE);
    let slot = take(&mut ledger, T + 30.0, &limits);
    assert_eq!(ledger.reject(at(T + 31.0), slot, None), secs(31.12));
}

#[test]
fn a_429_without_a_hint_or_any_other_call_freezes_for_a_window() {
    let (mut ledger, limits) = (Ledger::new(at(T)), per_minute(5));
    let slot = take(&mut ledger, T, &limits);
    assert_eq!(ledger.reject(at(T + 1.0), slot, None), secs(60.12));
}

#[test]
fn a_shorter_freeze_does_not_end_a_longer_one_and_none_lasts_beyond_an_hour() {
    let (mut ledger, limits) = (old_ledger(), per_minute(5));
    ledger.freeze(at(T), secs(100.0));
    ledger.freeze(at(T), secs(10.0));
    assert_eq!(refused(&mut ledger, T, &limits), T + 100.0);
    ledger.freeze(at(T), Duration::MAX);
    assert_eq!(ledger.frozen_for(at(T)), secs(3600.0));
}

#[test]
fn an_impossible_429_steps_down_and_clean_time_steps_up() {
    let (mut ledger, limits) = (old_ledger(), per_minute(5));
    let rung = |ledger: &Ledger, seconds| ledger.usage(at(seconds), &limits)[0].rung;
    let slot = take(&mut ledger, T, &limits);
    ledger.reject(at(T + 1.0), slot, Some(secs(0.0)));
    assert_eq!(rung(&ledger, T + 1.0), Rung::Spaced);
    let slot = take(&mut ledger, T + 2.0, &limits);
    ledger.reject(at(T + 3.0), slot, Some(secs(0.0)));
    let usage = &ledger.usage(at(T + 63.0), &limits)[0];
    assert_eq!(usage.rung, Rung::OneAtATime);
    let reason = usage.step_down.as_ref().expect("a reason");
    assert_eq!((reason.ago, reason.busy), (secs(60.0), 1));
    let clean = CLEAN_TIME.as_secs_f64();
    assert_eq!(rung(&ledger, T + 2.9 + clean), Rung::OneAtATime);
    assert_eq!(rung(&ledger, T + 3.0 + clean), Rung::Spaced);
    assert_eq!(rung(&ledger, T + 3.0 + 2.0 * clean), Rung::Burst);
}

#[test]
fn the_refusals_of_one_burst_are_one_step() {
    let (mut ledger, limits) = (old_ledger(), per_minute(5));
    let slots = [0.0, 0.1, 0.2].map(|delay| take(&mut ledger, T + delay, &limits));
    for slot in slots {
        ledger.reject(at(T + 1.0), slot, Some(secs(1.0)));
    }
    assert_eq!(ledger.usage(at(T + 2.0), &limits)[0].rung, Rung::Spaced);
}

#[test]
fn a_429_in_a_ledgers_first_window_is_no_evidence() {
    let (mut ledger, limits) = (Ledger::new(at(T)), per_minute(5));
    let slot = take(&mut ledger, T + 10.0, &limits);
    ledger.reject(at(T + 11.0), slot, Some(secs(40.0)));
    assert_eq!(ledger.usage(at(T + 12.0), &limits)[0].rung, Rung::Burst);
}

#[test]
fn a_second_429_in_the_first_window_is() {
    let (mut ledger, limits) = (Ledger::new(at(T)), per_minute(5));
    for (seconds, rung) in [
        (1.0, Rung::Burst),
        (10.0, Rung::Spaced),
        (30.0, Rung::Spaced),
    ] {
        let slot = take(&mut ledger, T + seconds, &limits);
        ledger.reject(at(T + seconds), slot, Some(secs(1.0)));
        assert_eq!(ledger.usage(at(T + seconds), &limits)[0].rung, rung);
    }
}

#[test]
fn a_429_is_explained_by_a_stranger_once() {
    let (mut ledger, limits) = (old_ledger(), per_minute(5));
    let slot = take(&mut ledger, T, &limits);
    ledger.complete(at(T), slot, answered(3, &limits[0]));
    for (seconds, rung) in [
        (1.0, Rung::Burst),
        (10.0, Rung::Spaced),
        (90.0, Rung::Spaced),
    ] {
        let slot = take(&mut ledger, T + seconds, &limits);
        ledger.reject(at(T + seconds), slot, Some(secs(1.0)));
        assert_eq!(ledger.usage(at(T + seconds), &limits)[0].rung, rung);
    }
}

#[test]
fn spaced_calls_are_a_little_more_than_evenly_apart() {
    let (mut ledger, limits) = (old_ledger(), per_minute(5));
    let slot = take(&mut ledger, T, &limits);
    ledger.reject(at(T + 1.0), slot, Some(secs(0.0)));
    take(&mut ledger, T + 100.0, &limits);
    assert_eq!(refused(&mut ledger, T + 101.0, &limits), T + 112.3);
    assert_eq!(ledger.ready_at(at(T + 101.0), &limits, 2), at(T + 136.9));
}

#[test]
fn one_at_a_time_waits_for_the_last_call_to_end() {
    let (mut ledger, limits) = (old_ledger(), per_minute(5));
    for seconds in [0.0, 2.0] {
        let slot = take(&mut ledger, T + seconds, &limits);
        ledger.reject(at(T + seconds + 1.0), slot, Some(secs(0.0)));
    }
    let slot = take(&mut ledger, T + 100.0, &limits);
    assert_eq!(refused(&mut ledger, T + 130.0, &limits), T + 142.0);
    ledger.complete(at(T + 131.0), slot, DONE);
    assert_eq!(refused(&mut ledger, T + 131.0, &limits), T + 143.0);
    take(&mut ledger, T + 143.0, &limits);
}

#[test]
fn a_forecast_counts_those_ahead_and_goes_around_the_slots() {
    let (mut ledger, limits) = (old_ledger(), per_minute(2));
    assert_eq!(ledger.ready_at(at(T), &limits, 1), at(T));
    assert_eq!(ledger.ready_at(at(T), &limits, 2), at(T + 60.12));
    let slot = take(&mut ledger, T, &limits);
    ledger.complete(at(T + 5.0), slot, DONE);
    let ready = |ahead| ledger.ready_at(at(T + 10.0), &limits, ahead);
    assert_eq!(ready(0), at(T + 10.0));
    assert_eq!(ready(1), at(T + 65.12));
    assert_eq!(ready(2), at(T + 70.12));
    assert_eq!(ready(3), at(T + 125.24));
}

#[test]
fn a_raised_limit_counts_what_was_sent_under_the_old_one() {
    let mut ledger = old_ledger();
    take(&mut ledger, T, &per_minute(1));
    refused(&mut ledger, T, &per_minute(1));
    take(&mut ledger, T, &per_minute(2));
    refused(&mut ledger, T, &per_minute(2));
    // Lowered again below what is in flight: one slot must free up first, then another.
    refused(&mut ledger, T, &per_minute(1));
}

#[test]
fn an_account_with_nothing_to_remember_is_idle() {
    let (mut ledger, limits) = (old_ledger(), per_minute(5));
    assert!(ledger.is_idle(at(T)));
    let slot = take(&mut ledger, T, &limits);
    ledger.complete(at(T + 1.0), slot, DONE);
    assert!(!ledger.is_idle(at(T + 61.0)));
    assert!(ledger.is_idle(at(T + 61.12)));
    ledger.freeze(at(T + 62.0), secs(9.0));
    assert!(!ledger.is_idle(at(T + 70.0)));
    let slot = take(&mut ledger, T + 80.0, &limits);
    ledger.reject(at(T + 81.0), slot, Some(secs(0.0)));
    assert!(!ledger.is_idle(at(T + 1000.0)), "it is on a lower rung");

    // Too early to blame the server, and a refused call may count for a window.
    let mut ledger = Ledger::new(at(T));
    let slot = take(&mut ledger, T, &limits);
    ledger.reject(at(T + 1.0), slot, Some(secs(0.0)));
    assert!(!ledger.is_idle(at(T + 61.0)));
    assert!(ledger.is_idle(at(T + 61.12)));
}

#[test]
fn more_windows_than_a_ledger_can_tell_apart_wait_for_one_another() {
    let mut ledger = old_ledger();
    let limit = |number: u32| [Limit::new(1, secs(60.0), format!("scope {number}"))];
    for number in 0..32 {
        take(&mut ledger, T, &limit(number));
    }
    refused(&mut ledger, T, &limit(32));
    take(&mut ledger, T + 153.0, &limit(32));
}

#[test]
fn a_busy_account_stays_under_512_bytes() {
    let limits = [
        Limit::new(5, secs(60.0), "generate-reply"),
        Limit::new(100, secs(60.0), "all"),
        Limit::new(20, secs(10.0), "all"),
    ];
    let mut ledger = old_ledger();
    for round in 0..50 {
        for call in 0..5 {
            let now = T + f64::from(round) * 63.0 + f64::from(call);
            let slot = take(&mut ledger, now, &limits);
            ledger.complete(at(now + 1.0), slot, DONE);
        }
    }
    let heap = ledger.calls.capacity() * size_of::<super::Call>()
        + ledger.windows.capacity() * size_of::<super::Window>();
    // Two allocations, its own box, and a share of a table at most half empty.
    let table = 2 * (size_of::<crate::AccountKey>() + size_of::<usize>() + 1);
    let bytes = size_of::<Ledger>() + heap + table + 3 * 16;
    assert!(bytes <= 512, "{bytes} bytes");
}

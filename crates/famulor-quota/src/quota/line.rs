//! Who goes next: lanes, places and turns of one account, without any waiting.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::Lane;
use crate::Limit;

/// Of this many turns that both lanes want, the bulk lane gets one: an eighth
/// keeps a backlog moving and costs a live customer little.
const BULK_TURN: usize = 8;

/// For how long calls under other limits let a call go first that is due. It
/// asks at once if its task runs at all; one that is kept but not polled must
/// not hold up calls that have nothing to do with it.
pub(super) const PATIENCE: Duration = Duration::from_millis(100);

/// Everyone in this process who waits for one account.
///
/// Calls under the same limits wait in one group, first come first served in
/// each lane. Groups do not wait for each other's limits: reading a conversation
/// need not wait for a reply's slot.
#[derive(Debug, Default)]
pub(super) struct Line {
    groups: Vec<Group>,
    next_ticket: u64,
}

#[derive(Debug)]
struct Group {
    limits: Arc<[Limit]>,
    interactive: VecDeque<Waiter>,
    bulk: VecDeque<Waiter>,
    /// Interactive turns since a bulk call that waited had one.
    passed_over: usize,
    /// Since when, or from when on, it is of use that its first caller asks.
    due: Instant,
    /// Its first caller lets an older one of another group go first.
    yielding: bool,
}

/// One call that waits.
#[derive(Debug)]
pub(super) struct Waiter {
    ticket: u64,
    at_head: bool,
    deadline: Option<Instant>,
    bell: Arc<Notify>,
}

/// Where a waiting call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// It may ask the store.
    pub(super) may_ask: bool,
    /// It might, and lets a call under other limits go first, for a moment.
    pub(super) yields: bool,
    /// Calls that are served before it.
    pub(super) ahead: usize,
}

impl Standing {
    pub(super) const FIRST: Self = Self {
        may_ask: true,
        yields: false,
        ahead: 0,
    };
}

impl Line {
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Takes the last place of a lane, or the one behind those already sent
    /// back to its head.
    pub(super) fn join(
        &mut self,
        limits: &Arc<[Limit]>,
        lane: Lane,
        at_head: bool,
        deadline: Option<Instant>,
        bell: Arc<Notify>,
        now: Instant,
    ) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let index = self.index_of(limits).unwrap_or_else(|| {
            self.groups.push(Group::new(Arc::clone(limits), now));
            self.groups.len() - 1
        });
        let waiter = Waiter {
            ticket,
            at_head,
            deadline,
            bell,
        };
        let lane = self.groups[index].lane_mut(lane);
        if at_head {
            let place = lane.iter().take_while(|other| other.at_head).count();
            lane.insert(place, waiter);
        } else {
            lane.push_back(waiter);
        }
        ticket
    }

    /// How many would be served before a call that came now.
    pub(super) fn ahead_of(&self, limits: &Arc<[Limit]>, lane: Lane, at_head: bool) -> usize {
        let Some(group) = self.index_of(limits).map(|index| &self.groups[index]) else {
            return 0;
        };
        let queue = group.lane(lane);
        let place = if at_head {
            queue.iter().take_while(|other| other.at_head).count()
        } else {
            queue.len()
        };
        group.served_before(lane, place)
    }

    pub(super) fn standing(
        &mut self,
        limits: &Arc<[Limit]>,
        lane: Lane,
        ticket: u64,
        now: Instant,
    ) -> Option<Standing> {
        let index = self.index_of(limits)?;
        let group = &self.groups[index];
        let queue = group.lane(lane);
        let place = queue.iter().position(|other| other.ticket == ticket);
        let ahead = group.served_before(lane, place.unwrap_or(0));
        let first = group.first().map(|(_, first)| first.ticket) == Some(ticket);
        let yields = first && self.yields(index, now);
        self.groups[index].yielding |= yields;
        Some(Standing {
            may_ask: first && !yields,
            yields,
            ahead,
        })
    }

    /// The store had no slot for the first of this group. Whoever cannot go in
    /// time any more is woken to say so to its caller.
    pub(super) fn denied(&mut self, limits: &Arc<[Limit]>, ready_at: Instant) {
        if let Some(index) = self.index_of(limits) {
            let group = &mut self.groups[index];
            group.due = ready_at;
            group.wake_too_late(ready_at);
        }
        self.wake_yielding();
    }

    /// No call of this account goes before `until`.
    pub(super) fn frozen(&self, until: Instant) {
        for group in &self.groups {
            group.wake_too_late(until);
        }
    }

    /// Takes a call out of the line, because it was `served` or went away.
    pub(super) fn leave(
        &mut self,
        limits: &Arc<[Limit]>,
        lane: Lane,
        ticket: u64,
        served: bool,
        now: Instant,
    ) {
        let Some(index) = self.index_of(limits) else {
            return;
        };
        let group = &mut self.groups[index];
        let was_first = group.first().map(|(_, first)| first.ticket) == Some(ticket);
        group.lane_mut(lane).retain(|other| other.ticket != ticket);
        if served {
            group.count_turn(lane);
        }
        if was_first {
            // What the store said, it said to the one who left.
            group.due = now;
        }
        match group.first() {
            Some((_, next)) if was_first || served => next.bell.notify_one(),
            Some(_) => {}
            None => {
                self.groups.swap_remove(index);
            }
        }
        self.wake_yielding();
    }

    /// A slot may have become free before its time: every group's first asks.
    pub(super) fn wake_first(&mut self, now: Instant) {
        for group in &mut self.groups {
            group.due = now;
            if let Some((_, first)) = group.first() {
                first.bell.notify_one();
            }
        }
    }

    /// How many wait under the same limits.
    pub(super) fn group_of(&self, limits: &Arc<[Limit]>) -> usize {
        self.index_of(limits).map_or(0, |index| {
            let group = &self.groups[index];
            group.interactive.len() + group.bulk.len()
        })
    }

    /// How many wait for this limit.
    pub(super) fn waiting_for(&self, limit: &Limit) -> usize {
        let groups = self.groups.iter();
        let concerned =
            groups.filter(|group| group.limits.iter().any(|own| own.id() == limit.id()));
        concerned
            .map(|group| group.interactive.len() + group.bulk.len())
            .sum()
    }

    /// Whether the first of this group lets another group's first go before it:
    /// one that shares a limit, came earlier or is more urgent, and is due.
    /// Without this, calls that need one slot could forever be quicker than
    /// calls that need that slot and another.
    fn yields(&self, index: usize, now: Instant) -> bool {
        let group = &self.groups[index];
        let Some((lane, first)) = group.first() else {
            return false;
        };
        let others = self.groups.iter().enumerate();
        let before = others
            .filter(|(other, _)| *other != index)
            .find(|(_, other)| {
                other.due <= now
                    && now < other.due + PATIENCE
                    && other.first().is_some_and(|(other_lane, other_first)| {
                        (other_lane, other_first.ticket) < (lane, first.ticket)
                    })
                    && other.shares_a_limit(group)
            });
        match before.and_then(|(_, other)| other.first()) {
            Some((_, other)) => {
                other.bell.notify_one();
                true
            }
            None => false,
        }
    }

    fn wake_yielding(&mut self) {
        for group in &mut self.groups {
            if std::mem::take(&mut group.yielding)
                && let Some((_, first)) = group.first()
            {
                first.bell.notify_one();
            }
        }
    }

    fn index_of(&self, limits: &Arc<[Limit]>) -> Option<usize> {
        self.groups
            .iter()
            .position(|group| Arc::ptr_eq(&group.limits, limits) || group.limits == *limits)
    }
}

impl Group {
    fn new(limits: Arc<[Limit]>, now: Instant) -> Self {
        Self {
            limits,
            interactive: VecDeque::new(),
            bulk: VecDeque::new(),
            passed_over: 0,
            due: now,
            yielding: false,
        }
    }

    fn lane(&self, lane: Lane) -> &VecDeque<Waiter> {
        match lane {
            Lane::Interactive => &self.interactive,
            Lane::Bulk => &self.bulk,
        }
    }

    fn lane_mut(&mut self, lane: Lane) -> &mut VecDeque<Waiter> {
        match lane {
            Lane::Interactive => &mut self.interactive,
            Lane::Bulk => &mut self.bulk,
        }
    }

    fn first(&self) -> Option<(Lane, &Waiter)> {
        let interactive = self
            .interactive
            .front()
            .map(|first| (Lane::Interactive, first));
        let bulk = self.bulk.front().map(|first| (Lane::Bulk, first));
        if self.passed_over + 1 >= BULK_TURN {
            bulk.or(interactive)
        } else {
            interactive.or(bulk)
        }
    }

    /// How many are served before the call at `place` of its lane, if nobody
    /// else comes.
    fn served_before(&self, lane: Lane, place: usize) -> usize {
        let until_bulk = (BULK_TURN - 1).saturating_sub(self.passed_over);
        match lane {
            Lane::Interactive if self.bulk.is_empty() || place < until_bulk => place,
            Lane::Interactive => {
                let bulk = 1 + (place - until_bulk) / (BULK_TURN - 1);
                place + bulk.min(self.bulk.len())
            }
            Lane::Bulk => {
                let interactive = until_bulk + place * (BULK_TURN - 1);
                place + interactive.min(self.interactive.len())
            }
        }
    }

    fn count_turn(&mut self, lane: Lane) {
        match lane {
            Lane::Interactive if !self.bulk.is_empty() => self.passed_over += 1,
            _ => self.passed_over = 0,
        }
    }

    fn wake_too_late(&self, ready_at: Instant) {
        let waiters = self.interactive.iter().chain(&self.bulk);
        for waiter in waiters.filter(|waiter| waiter.deadline.is_some_and(|at| at < ready_at)) {
            waiter.bell.notify_one();
        }
    }

    fn shares_a_limit(&self, other: &Self) -> bool {
        let mut limits = self.limits.iter();
        limits.any(|limit| other.limits.iter().any(|own| own.id() == limit.id()))
    }
}

//! The faults that are still to come.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use super::{AssistantRef, Effect, Fault, Place};
use crate::lock;
use crate::operation::Operation;
use crate::seeded::Seeded;

/// A fault that has not been played out.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PendingFault {
    /// Its number, to take it back by.
    pub id: u64,
    /// How many calls it has hit.
    pub hits: u32,
    /// What is left of it: what is played counts down its `skip` and `times`.
    #[serde(flatten)]
    pub fault: Fault,
    #[serde(skip)]
    drawn: u64,
}

/// A call, as far as faults ask.
pub(crate) struct Asked<'a> {
    pub(crate) operation: Operation,
    pub(crate) customer: Option<&'a str>,
    pub(crate) token: Option<&'a str>,
    pub(crate) assistant: Option<(i64, &'a str)>,
}

/// The book, for all who look into it.
pub(crate) struct Faults {
    book: Mutex<FaultBook>,
    /// Nothing is in it: every call asks this three times, and no two of them
    /// are to wait for each other where nothing is to go wrong.
    is_empty: AtomicBool,
}

impl Faults {
    pub(crate) fn new(faults: &[Fault], seeded: Seeded) -> Self {
        let book = FaultBook::new(faults, seeded);
        Self {
            is_empty: AtomicBool::new(book.pending.is_empty()),
            book: Mutex::new(book),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.is_empty.load(Ordering::Acquire)
    }

    /// The only way into the book.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut FaultBook) -> T) -> T {
        let mut book = lock(&self.book);
        let result = work(&mut book);
        self.is_empty
            .store(book.pending.is_empty(), Ordering::Release);
        result
    }
}

pub(crate) struct FaultBook {
    pending: Vec<PendingFault>,
    last_id: u64,
    seeded: Seeded,
}

impl FaultBook {
    /// As at the start.
    pub(crate) fn new(faults: &[Fault], seeded: Seeded) -> Self {
        let mut book = Self {
            pending: Vec::new(),
            last_id: 0,
            seeded,
        };
        for fault in faults {
            book.inject(fault.clone());
        }
        book
    }

    pub(crate) fn inject(&mut self, fault: Fault) -> u64 {
        self.last_id += 1;
        self.pending.push(PendingFault {
            id: self.last_id,
            hits: 0,
            fault,
            drawn: 0,
        });
        self.last_id
    }

    pub(crate) fn clear(&mut self) {
        self.pending.clear();
    }

    /// Takes one back; false: there is none of that number.
    pub(crate) fn take_back(&mut self, id: u64) -> bool {
        let before = self.pending.len();
        self.pending.retain(|pending| pending.id != id);
        self.pending.len() < before
    }

    pub(crate) fn pending(&self) -> Vec<PendingFault> {
        self.pending.clone()
    }

    /// What goes wrong with this call at this place, if anything.
    ///
    /// Every matching fault that still lets calls by counts this one, and every
    /// share is drawn for it; of those that are due, the one that was injected
    /// first is played.
    pub(crate) fn due(&mut self, asked: &Asked<'_>, place: Place) -> Option<Effect> {
        let mut due = None;
        for (index, pending) in self.pending.iter_mut().enumerate() {
            let fault = &mut pending.fault;
            if fault.effect.place() != place || fault.times == Some(0) || !fault.is_for(asked) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            if let Some(share) = fault.share {
                pending.drawn += 1;
                let seeded = fault.seed.map_or(self.seeded, Seeded::new);
                let draw = format!("{} {}", fault.effect.name(), pending.drawn);
                if seeded.source(&draw).f64() >= share {
                    continue;
                }
            }
            due = due.or(Some(index));
        }
        let pending = self.pending.get_mut(due?)?;
        pending.hits += 1;
        let effect = pending.fault.effect.clone();
        if let Some(times) = &mut pending.fault.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.pending.remove(due?);
            }
        }
        Some(effect)
    }
}

impl Fault {
    fn is_for(&self, asked: &Asked<'_>) -> bool {
        let of_assistant = |wanted: &AssistantRef| match (wanted, asked.assistant) {
            (AssistantRef::Id(wanted), Some((id, _))) => *wanted == id,
            (AssistantRef::Uuid(wanted), Some((_, uuid))) => wanted.eq_ignore_ascii_case(uuid),
            (_, None) => false,
        };
        let of_token = |token: &str| self.token.as_ref().is_some_and(|mark| mark.is_of(token));
        self.operation.is_none_or(|only| only == asked.operation)
            && (self.customer.is_none() || self.customer.as_deref() == asked.customer)
            && (self.token.is_none() || asked.token.is_some_and(of_token))
            && self.assistant.as_ref().is_none_or(of_assistant)
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, FaultBook, Place};
    use crate::seeded::Seeded;
    use crate::{After, Fault, Operation};

    fn hits(seed: u64, share: f64) -> Vec<bool> {
        let fault = Fault::after(After::Close).share(share).seed(seed);
        let mut book = FaultBook::new(&[fault], Seeded::new(0));
        let asked = Asked {
            operation: Operation::GenerateReply,
            customer: None,
            token: None,
            assistant: None,
        };
        (0..2000)
            .map(|_| book.due(&asked, Place::Exit).is_some())
            .collect()
    }

    #[test]
    fn a_share_hits_about_that_many_calls_and_the_same_ones_for_a_seed() {
        let tenth = hits(7, 0.1);
        let count = tenth.iter().filter(|hit| **hit).count();
        assert!((150..250).contains(&count), "{count} of 2000");
        assert_eq!(tenth, hits(7, 0.1));
        assert_ne!(tenth, hits(8, 0.1));
        assert!(hits(7, 0.0).iter().all(|hit| !hit));
        assert!(hits(7, 1.0).iter().all(|hit| *hit));
    }
}

//! A ledger as bytes, for stores that keep it in a row of a database.

use super::call::Call;
use super::ladder::{Ladder, Rung};
use super::window::Window;
use super::{Ledger, MAX_WINDOWS, Moment};

/// The first byte. A change of the layout, or of what a field means, is another
/// number, and programs that do not know it refuse to guess.
const VERSION: u8 = 1;

const CALL_BYTES: usize = 21;

/// A ledger's bytes that this version of the program cannot read.
///
/// # What to do
///
/// If they were written by a newer version, upgrade this one. Else they are
/// damaged: delete them, and for one window the account may be refused calls.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// A newer version of this program wrote them.
    #[error(
        "the ledger was written by a newer version: its layout is {0}, this one knows {VERSION}"
    )]
    Newer(u8),
    /// They are no ledger's bytes.
    #[error("the ledger is damaged")]
    Damaged,
}

impl Ledger {
    /// Everything this ledger knows, as bytes that any later version can read.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use famulor_quota::ledger::{Ledger, Moment};
    /// # use famulor_quota::Limit;
    /// let now = Moment::from_micros(1_000_000);
    /// let limits = [Limit::new(1, Duration::from_secs(60), "replies")];
    /// let mut ledger = Ledger::new(now);
    /// ledger.acquire(now, &limits, Duration::from_secs(92)).expect("a free slot");
    ///
    /// let copy = Ledger::decode(&ledger.encode())?;
    /// assert_eq!(copy.ready_at(now, &limits, 0), ledger.ready_at(now, &limits, 0));
    /// # Ok::<(), famulor_quota::ledger::DecodeError>(())
    /// ```
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let size = 72 + 28 * self.windows.len() + CALL_BYTES * self.calls.len();
        let mut out = Vec::with_capacity(size);
        let ladder = &self.ladder;
        out.push(VERSION);
        for moment in [
            self.watched_from,
            self.last_granted,
            self.frozen_until,
            self.foreign_seen_until,
            ladder.since,
            ladder.refused_at,
            ladder.stepped_at,
        ] {
            put_moment(&mut out, moment);
        }
        out.push(match ladder.rung {
            Rung::Burst => 0,
            Rung::Spaced => 1,
            Rung::OneAtATime => 2,
        });
        put_u32(&mut out, ladder.busy);
        // Bits of a u32, so there are never more than 32.
        out.push(self.windows.len() as u8);
        for window in &self.windows {
            out.extend(window.id.to_le_bytes());
            out.extend(window.span.to_le_bytes());
            put_u32(&mut out, window.foreign);
            put_moment(&mut out, window.foreign_until);
        }
        put_u32(
            &mut out,
            u32::try_from(self.calls.len()).unwrap_or(u32::MAX),
        );
        for call in &self.calls {
            put_moment(&mut out, call.granted);
            put_moment(&mut out, call.done);
            put_u32(&mut out, call.windows);
            out.push(u8::from(call.in_flight));
        }
        out
    }

    /// The ledger that [`Ledger::encode`] wrote.
    ///
    /// # Errors
    ///
    /// When a newer version wrote it, or when these are no ledger's bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut from = Bytes(bytes);
        match from.u8()? {
            VERSION => {}
            newer if newer > VERSION => return Err(DecodeError::Newer(newer)),
            _ => return Err(DecodeError::Damaged),
        }
        let mut ledger = Self::new(from.moment()?);
        ledger.last_granted = from.moment()?;
        ledger.frozen_until = from.moment()?;
        ledger.foreign_seen_until = from.moment()?;
        ledger.ladder = Ladder {
            since: from.moment()?,
            refused_at: from.moment()?,
            stepped_at: from.moment()?,
            rung: match from.u8()? {
                0 => Rung::Burst,
                1 => Rung::Spaced,
                2 => Rung::OneAtATime,
                _ => return Err(DecodeError::Damaged),
            },
            busy: from.u32()?,
        };
        let windows = usize::from(from.u8()?);
        if windows > MAX_WINDOWS {
            return Err(DecodeError::Damaged);
        }
        for _ in 0..windows {
            ledger.windows.push(Window {
                id: from.u64()?,
                span: from.u64()?,
                foreign: from.u32()?,
                foreign_until: from.moment()?,
            });
        }
        let calls = from.u32()?;
        // Exactly, so that the next call that is granted makes room first, and
        // what is over does not stay; and never on the word of damaged bytes.
        ledger.calls.reserve_exact(from.0.len() / CALL_BYTES);
        for _ in 0..calls {
            ledger.calls.push(Call {
                granted: from.moment()?,
                done: from.moment()?,
                windows: from.u32()?,
                in_flight: from.u8()? != 0,
            });
        }
        // A slot is found by its moment in a sorted list.
        let sorted = ledger
            .calls
            .is_sorted_by(|one, other| one.granted < other.granted);
        if from.0.is_empty() && sorted {
            Ok(ledger)
        } else {
            Err(DecodeError::Damaged)
        }
    }
}

fn put_moment(out: &mut Vec<u8>, moment: Moment) {
    out.extend(moment.as_micros().to_le_bytes());
}

fn put_u32(out: &mut Vec<u8>, number: u32) {
    out.extend(number.to_le_bytes());
}

/// What is left to read.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, rest) = self.0.split_first_chunk().ok_or(DecodeError::Damaged)?;
        self.0 = rest;
        Ok(*head)
    }

    fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(u8::from_le_bytes(self.take()?))
    }

    fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_le_bytes(self.take()?))
    }

    fn u64(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from_le_bytes(self.take()?))
    }

    fn moment(&mut self) -> Result<Moment, DecodeError> {
        Ok(Moment::from_micros(self.u64()?))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::{Completion, Limit, Seen};

    fn used() -> Ledger {
        let at = |seconds: u64| Moment::from_micros(seconds * 1_000_000);
        let limits = [
            Limit::new(5, Duration::from_secs(60), "replies"),
            Limit::new(100, Duration::from_secs(60), "all"),
        ];
        let hold = Duration::from_secs(92);
        let mut ledger = Ledger::new(at(1));
        let first = ledger.acquire(at(100), &limits, hold).unwrap();
        let second = ledger.acquire(at(101), &limits[1..], hold).unwrap();
        let third = ledger.acquire(at(102), &limits, hold).unwrap();
        let seen = Seen {
            limit: limits[0].clone(),
            counted: 4,
        };
        ledger.complete(at(103), first, Completion::Answered(Some(seen)));
        ledger.complete(at(104), second, Completion::Abandoned);
        ledger.reject(at(105), third, Some(Duration::from_secs(7)));
        ledger
    }

    #[test]
    fn a_ledger_comes_back_as_it_was_written() {
        for ledger in [Ledger::new(Moment::default()), used()] {
            let copy = Ledger::decode(&ledger.encode()).unwrap();
            assert_eq!(format!("{copy:?}"), format!("{ledger:?}"));
        }
    }

    #[test]
    fn damaged_bytes_are_no_ledger_and_no_panic() {
        let whole = used().encode();
        for cut in 0..whole.len() {
            assert_eq!(
                Ledger::decode(&whole[..cut]).unwrap_err(),
                DecodeError::Damaged
            );
        }
        for place in 1..whole.len() {
            let mut bytes = whole.clone();
            bytes[place] ^= 0xff;
            let _ = Ledger::decode(&bytes);
        }
        let more = [whole.as_slice(), &[0]].concat();
        assert_eq!(Ledger::decode(&more).unwrap_err(), DecodeError::Damaged);
    }

    #[test]
    fn a_newer_layout_is_refused_and_named() {
        let mut bytes = used().encode();
        bytes[0] = 2;
        let error = Ledger::decode(&bytes).unwrap_err();
        assert_eq!(error, DecodeError::Newer(2));
        assert!(error.to_string().contains("newer version"), "{error}");
    }

    proptest! {
        /// What a store that keeps bytes does, which also forgets sooner what no
        /// longer counts.
        #[test]
        fn a_ledger_that_is_written_after_every_step_says_the_same(
            steps in prop::collection::vec((0..20_000_000_u64, 0..8_u8, 0..4_usize), 1..80)
        ) {
            let limits = [
                Limit::new(3, Duration::from_secs(60), "replies"),
                Limit::new(6, Duration::from_secs(10), "all"),
            ];
            let hold = Duration::from_secs(30);
            let mut now = Moment::from_micros(1);
            let (mut kept, mut written) = (Ledger::new(now), Ledger::new(now));
            let mut slots: Vec<crate::SlotId> = Vec::new();
            for (pause, what, which) in steps {
                now = now.plus_micros(pause);
                let mut both = [&mut kept, &mut written];
                // A call whose slot is free again may be known to one only.
                let open = slots.len().checked_sub(which + 1);
                let open = open.filter(|_| what > 3).map(|index| slots.remove(index));
                match (what, open) {
                    (4, Some(slot)) if now.since(slot.moment()) < limits[1].window() => {
                        let frozen = both.each_mut().map(|one| one.reject(now, slot, None));
                        prop_assert_eq!(frozen[0], frozen[1]);
                    }
                    (5..8, Some(slot)) => {
                        let seen = Seen { limit: limits[which % 2].clone(), counted: u32::from(what) - 4 };
                        for one in both {
                            one.complete(now, slot, Completion::Answered(Some(seen.clone())));
                        }
                    }
                    _ => {
                        let limits = &limits[which % 2..];
                        let granted = both.each_mut().map(|one| one.acquire(now, limits, hold));
                        prop_assert_eq!(granted[0], granted[1]);
                        slots.extend(granted[0]);
                    }
                }
                written = Ledger::decode(&written.encode()).unwrap();
                prop_assert_eq!(kept.usage(now, &limits), written.usage(now, &limits));
            }
        }
    }
}

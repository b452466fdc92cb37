//! What an answer's rate-limit headers prove.

use super::{CLEAN_TIME, Ledger, Moment};
use crate::Seen;

impl Ledger {
    /// The call at `index` was answered, and the server said how many requests
    /// it had counted in the window, as of some moment between that call's
    /// arrival and its answer: some servers remember it on arrival, others look
    /// when they write the answer, and have then counted who came meanwhile.
    ///
    /// Whichever it is, that moment is not before the call was granted. So none
    /// of our calls whose slot was free before then can be among those counted:
    /// they had reached the server more than a window before. The others are
    /// `ours`. If the server has counted as many as `ours`, then each of them
    /// has arrived, and no later than now: the slots of those still in flight
    /// need be held for no longer than that of a call that ends now. If it has
    /// counted more, somebody else is using the token.
    pub(super) fn witness(&mut self, now: Moment, index: usize, seen: &Seen) {
        let answered = &self.calls[index];
        // Its slot has run out, so others may have been forgotten with it.
        if !answered.unfinished(now) {
            return;
        }
        let Some(window) = self.window_index(&seen.limit) else {
            return;
        };
        if !answered.counts_in(window) {
            return;
        }
        let counted = seen.counted as usize;
        let ours = self.released_after(window, answered.granted);
        // What was sent before this ledger's time may have been counted too, and
        // so may a refused call, whose slot is back. One false proof would make
        // room for the next: a slot let go too early is missing from `ours`.
        let span = self.windows[window].span;
        let blind = self
            .watched_from
            .max(self.ladder.refused_at())
            .plus_micros(span);
        let sees_all = answered.granted >= blind;
        if counted > ours {
            let foreign = u32::try_from(counted - ours).unwrap_or(u32::MAX);
            self.windows[window].note_foreign(foreign, now);
            if sees_all {
                self.foreign_seen_until = now.plus(CLEAN_TIME);
            }
        } else if counted == ours && sees_all && !self.foreign_seen(now) {
            let calls = self.calls.iter_mut();
            for call in calls.filter(|call| call.counts_in(window)) {
                call.done = call.done.min(now);
            }
        }
    }
}

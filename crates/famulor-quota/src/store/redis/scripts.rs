//! The scripts, one an operation, and what they are told.

use std::time::Duration;

use redis::{Script, ScriptInvocation};

use crate::ledger::{Moment, span};
use crate::store::known::Guess;
use crate::{AccountKey, Completion, Limit, SlotId};

/// Where news are published.
pub(super) const CHANNEL: &str = "famulor:quota";

/// Scripts count in doubles, exact up to 2⁵³ µs, which is 285 years. Nobody
/// waits for longer than this.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// As in ledger.lua: an account that is new draws no conclusions for a window.
const KEEP_IDLE: Duration = Duration::from_secs(60 * 60);

const LEDGER: &str = include_str!("ledger.lua");

pub(super) struct Scripts {
    acquire: Script,
    complete: Script,
    reject: Script,
    freeze: Script,
    look: Script,
    keep: Script,
    /// What time it is, instead of asking the server, for tests.
    pub(super) clock: Option<u64>,
}

impl Scripts {
    pub(super) fn new() -> Self {
        let operation = |own: &str| Script::new(&[LEDGER, own].concat());
        Self {
            acquire: operation(include_str!("acquire.lua")),
            complete: operation(include_str!("complete.lua")),
            reject: operation(include_str!("reject.lua")),
            freeze: operation(include_str!("freeze.lua")),
            look: Script::new(include_str!("look.lua")),
            keep: Script::new(include_str!("keep.lua")),
            clock: None,
        }
    }

    pub(super) fn acquire(
        &self,
        account: AccountKey,
        limits: &[Limit],
        hold: Duration,
    ) -> ScriptInvocation<'_> {
        let mut call = self.call(&self.acquire, account);
        call.arg(micros(hold));
        for limit in limits {
            call.arg(&limit.id().to_le_bytes())
                .arg(span(limit).min(micros(LONGEST)))
                .arg(limit.requests())
                .arg(micros(limit.window()));
        }
        call
    }

    pub(super) fn complete(
        &self,
        account: AccountKey,
        slot: SlotId,
        how: &Completion,
    ) -> ScriptInvocation<'_> {
        let mut call = self.call(&self.complete, account);
        call.arg(slot.moment().as_micros());
        let (id, counted) = match how {
            Completion::Answered(Some(seen)) => (seen.limit.id(), seen.counted),
            _ => (0, 0),
        };
        call.arg(match how {
            Completion::Answered(Some(_)) => "seen",
            Completion::Answered(None) => "answered",
            Completion::NotSent => "not sent",
            Completion::Abandoned => "abandoned",
        });
        call.arg(&id.to_le_bytes()).arg(counted).arg(CHANNEL);
        call
    }

    pub(super) fn reject(
        &self,
        account: AccountKey,
        slot: SlotId,
        retry_after: Option<Duration>,
    ) -> ScriptInvocation<'_> {
        let mut call = self.call(&self.reject, account);
        call.arg(slot.moment().as_micros());
        match retry_after {
            Some(hint) => call.arg(micros(hint)),
            None => call.arg(""),
        };
        call
    }

    pub(super) fn freeze(&self, account: AccountKey, time: Duration) -> ScriptInvocation<'_> {
        let mut call = self.call(&self.freeze, account);
        call.arg(micros(time));
        call
    }

    pub(super) fn look(&self, account: AccountKey) -> ScriptInvocation<'_> {
        self.call(&self.look, account)
    }

    /// Keeps `state`, which was worked out from `guess`.
    pub(super) fn keep(
        &self,
        account: AccountKey,
        guess: &Guess<Vec<u8>>,
        state: &[u8],
    ) -> ScriptInvocation<'_> {
        let until = guess.ledger.remembered_until(guess.at);
        let keep = until.since(guess.at).saturating_add(KEEP_IDLE);
        let mut call = self.call(&self.keep, account);
        call.arg(&guess.mark)
            .arg(state)
            .arg(guess.clock)
            .arg(guess.latest_clock)
            .arg(micros(keep) / 1000 + 1);
        call
    }

    fn call<'a>(&self, script: &'a Script, account: AccountKey) -> ScriptInvocation<'a> {
        let mut call = script.key(key(account));
        match self.clock {
            Some(clock) => call.arg(clock),
            None => call.arg(""),
        };
        call
    }
}

/// What a script says of a slot: whether it is taken; the moment, or the time to
/// wait; and what was written.
pub(super) type Acquired = (bool, u64, Option<Vec<u8>>, Option<i64>);

/// What a script wrote, and the clock; nothing when there was nothing to write.
pub(super) type Written = Option<(Vec<u8>, i64)>;

/// Where an account is kept. What is in braces decides which node of a cluster
/// has it: one key a script, so any cluster will do.
pub(super) fn key(account: AccountKey) -> String {
    let hex = account.as_bytes().iter().map(|byte| format!("{byte:02x}"));
    format!("famulor:quota:{{{}}}", hex.collect::<String>())
}

/// An account's own time: as it was `then`, and what has passed since, if the
/// clock was not set back.
pub(super) fn time_of(at: u64, then: u64, clock: u64) -> Moment {
    Moment::from_micros(at.saturating_add(clock.saturating_sub(then)))
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.min(LONGEST).as_micros()).unwrap_or(u64::MAX)
}

//! Rows in doubt, and what looking for them shows.

use famulor_core::{AssistantId, CustomerId, Position};

use super::settle::{Outcome, settle};
use super::{Step, Store};
use crate::row::RowError;
use crate::sql::{Failure, Transaction, list, look_at_clock, values};
use crate::{RowId, State};

/// For how long somebody who takes a look has it to himself: longer than a look takes.
const LOOK_WITHIN_MS: i64 = 60_000;

const FIRST_PAUSE_MS: i64 = 250;
const LONGEST_PAUSE_MS: i64 = 30_000;

/// Looks that must show nothing, two apart in time, before "it is not there" can be believed.
const PROOF_LOOKS: i64 = 2;

/// After so many quiet times, and looks, that say neither yes nor no, a person decides.
const OPEN_FOR: i64 = 5;
const OPEN_LOOKS: i64 = 8;

/// A message that is proved not to have arrived is sent again so often. Whatever swallows it will not stop then.
const MOST_ATTEMPTS: i64 = 10;

/// Takes the looks that are due.
pub(crate) struct TakeDoubts {
    pub(crate) account: i64,
    pub(crate) job: Option<i64>,
    pub(crate) most: usize,
}

/// A row that has to be looked for.
pub(crate) struct Doubt {
    pub(crate) id: RowId,
    pub(crate) attempt: i64,
    pub(crate) assistant: AssistantId,
    pub(crate) customer: CustomerId,
    pub(crate) text: String,
    pub(crate) position: Option<Position>,
    pub(crate) since: i64,
    /// The store's time before the look.
    pub(crate) began: i64,
}

impl Step for TakeDoubts {
    type Output = Vec<Doubt>;

    async fn run(&self, tx: &mut Transaction<'_>) -> Result<Vec<Doubt>, Failure> {
        let skip = match tx.sql.is_postgres() {
            true => "FOR UPDATE OF d SKIP LOCKED",
            false => "",
        };
        let job = self.job.map_or("", |_| "AND d.job = $4");
        let find = format!(
            "SELECT d.id, r.attempts, c.assistant, c.customer, r.text, c.position, d.since
            FROM famulor_outbox_doubt d JOIN famulor_outbox_row r ON r.id = d.id
            JOIN famulor_outbox_line l ON l.id = r.line
            JOIN famulor_outbox_customer c ON c.id = l.customer
            WHERE d.account = $1 AND d.next_look <= $2 {job}
            ORDER BY d.next_look LIMIT $3 {skip}"
        );
        let most = i64::try_from(self.most).unwrap_or(i64::MAX);
        let mut values = values![self.account, tx.now, most];
        values.extend(self.job.map(Into::into));
        let mut found = Vec::new();
        for row in tx.sql.rows(find, values).await? {
            let position = row.maybe_text(5)?;
            found.push(Doubt {
                id: RowId(row.int(0)?),
                attempt: row.int(1)?,
                assistant: AssistantId::new(row.int(2)?),
                customer: CustomerId::raw(row.text(3)?)
                    .map_err(|_| Failure::damaged("a row has no customer"))?,
                text: row.text(4)?,
                position: position.and_then(|text| serde_json::from_str(&text).ok()),
                since: row.int(6)?,
                began: tx.now,
            });
        }
        if !found.is_empty() {
            let mut values = values![tx.now + LOOK_WITHIN_MS];
            values.extend(found.iter().map(|doubt| doubt.id.0.into()));
            let take = format!(
                "UPDATE famulor_outbox_doubt SET next_look = $1 WHERE id IN ({})",
                list(2, found.len())
            );
            tx.sql.execute(take, values).await?;
        }
        Ok(found)
    }
}

/// What a look showed.
#[derive(Clone)]
pub(crate) enum Verdict {
    Settled(Outcome),
    Arrived,
    /// `proves`: whether the account's list is known to show what replies are in, or did not have to be relied on.
    NotThere {
        proves: bool,
    },
    /// It said nothing.
    Nothing,
    /// It failed: another one may not.
    Failed,
}

/// Somebody looked for a row.
pub(crate) struct Looked {
    pub(crate) id: RowId,
    pub(crate) attempt: i64,
    pub(crate) began: i64,
    pub(crate) quiet_ms: i64,
    pub(crate) verdict: Verdict,
}

impl Step for Looked {
    type Output = Option<State>;

    async fn run(&self, tx: &mut Transaction<'_>) -> Result<Option<State>, Failure> {
        let lock = if tx.sql.is_postgres() {
            "FOR UPDATE"
        } else {
            ""
        };
        let find = format!(
            "SELECT since, arrived, looks, empty_looks FROM famulor_outbox_doubt WHERE id = $1 {lock}"
        );
        let Some(row) = tx.sql.row(find, values![self.id.0]).await? else {
            return Ok(None);
        };
        let seen = Seen {
            since: row.int(0)?,
            arrived: row.maybe_int(1)?,
            looks: row.int(2)?,
            empty_looks: row.int(3)?,
        };
        match self.conclude(&seen) {
            Conclusion::Settle(outcome) => settle(tx, self.id, Some(self.attempt), &outcome).await,
            Conclusion::Wait(seen) => {
                let sql =
                    "UPDATE famulor_outbox_doubt SET arrived = $2, looks = $3, empty_looks = $4,
                    next_look = $5 WHERE id = $1";
                let next = seen.next_look(tx.now, self.quiet_ms);
                let values = values![self.id.0, seen.arrived, seen.looks, seen.empty_looks, next];
                tx.sql.execute(sql, values).await?;
                Ok(None)
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Seen {
    since: i64,
    /// When it was first seen, without its answer.
    arrived: Option<i64>,
    looks: i64,
    /// Looks in a row that showed nothing.
    empty_looks: i64,
}

enum Conclusion {
    Settle(Outcome),
    Wait(Seen),
}

impl Seen {
    fn next_look(&self, now: i64, quiet: i64) -> i64 {
        let pause = FIRST_PAUSE_MS << self.looks.clamp(0, 10);
        let next = now + pause.min(LONGEST_PAUSE_MS);
        // The first look after the quiet time comes right after it.
        let quiet_until = self.since + quiet;
        if now < quiet_until {
            next.min(quiet_until)
        } else {
            next
        }
    }
}

impl Looked {
    fn conclude(&self, before: &Seen) -> Conclusion {
        let mut seen = before.clone();
        if !matches!(self.verdict, Verdict::Failed) {
            seen.looks += 1;
        }
        let quiet_over = self.began >= seen.since.saturating_add(self.quiet_ms);
        let review = |reason: &str| {
            Conclusion::Settle(Outcome::Review {
                reason: reason.to_owned(),
            })
        };
        match &self.verdict {
            Verdict::Settled(outcome) => return Conclusion::Settle(outcome.clone()),
            Verdict::Arrived => {
                let arrived = *seen.arrived.get_or_insert(self.began);
                if self.began >= arrived.saturating_add(self.quiet_ms) {
                    return review("it arrived, and its answer did not come");
                }
            }
            Verdict::NotThere { proves } => {
                seen.empty_looks += 1;
                // What was once seen, or was answered, is no longer shown: no proof of anything.
                let absent =
                    seen.arrived.is_none() && quiet_over && seen.empty_looks >= PROOF_LOOKS;
                if absent && *proves {
                    return Conclusion::Settle(match self.attempt >= MOST_ATTEMPTS {
                        true => Outcome::Failed(RowError::plain(
                            "server",
                            format!("sent {MOST_ATTEMPTS} times, it never arrived"),
                            "not_sent",
                        )),
                        false => Outcome::Again(None),
                    });
                }
                let waited =
                    self.began >= seen.since.saturating_add(self.quiet_ms.saturating_mul(2));
                if absent && waited {
                    return review(
                        "it is the customer's first message, and the account's list does not show such conversations, so that its absence proves nothing",
                    );
                }
            }
            Verdict::Nothing => seen.empty_looks = 0,
            Verdict::Failed => {}
        }
        let open_until = seen
            .since
            .saturating_add(self.quiet_ms.saturating_mul(OPEN_FOR));
        if seen.looks >= OPEN_LOOKS && self.began >= open_until {
            return review("whether it arrived could not be told from the conversation");
        }
        Conclusion::Wait(seen)
    }
}

impl Store {
    /// How long until the next look is due, in milliseconds; `None` if nothing is in doubt.
    pub(crate) async fn next_look(
        &self,
        account: i64,
        job: Option<i64>,
    ) -> crate::Result<Option<i64>> {
        read!(self, |sql| {
            let of_job = job.map_or("", |_| "AND job = $2");
            let next = format!(
                "SELECT min(next_look) FROM famulor_outbox_doubt WHERE account = $1 {of_job}"
            );
            let mut values = values![account];
            values.extend(job.map(Into::into));
            let Some(next) = sql.number(next, values).await? else {
                return Ok(None);
            };
            Ok(Some((next - look_at_clock(sql).await?).max(0)))
        })
    }
}

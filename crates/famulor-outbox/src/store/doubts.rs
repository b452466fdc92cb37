//! Rows in doubt, and what looking for them shows.

use famulor_core::{AssistantId, CustomerId, Position};

use super::owners::is_registered;
use super::settle::{Outcome, settle};
use super::{Step, Store};
use crate::row::RowError;
use crate::sql::{Failure, Transaction, list, look_at_clock, values};
use crate::{RowId, State};

/// For how long a worker that takes a look has it to itself: longer than a look takes. One that is gone lets it go before
/// ([`OwnerGone`](super::OwnerGone)); this is for one that lives and could not write down what it saw.
const LOOK_WITHIN_MS: i64 = 25_000;

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
    /// The worker that looks.
    pub(crate) looker: i64,
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

/// Looks that are due. `$1` is the account, `$2` now, `$3` how many, `$4` the job.
pub(super) fn due_sql(of_job: bool, postgres: bool) -> String {
    let skip = match postgres {
        true => "FOR UPDATE OF d SKIP LOCKED",
        false => "",
    };
    let job = if of_job { "AND d.job = $4" } else { "" };
    format!(
        "SELECT d.id, r.attempts, c.assistant, c.customer, r.text, c.position, d.since
        FROM famulor_outbox_doubt d JOIN famulor_outbox_row r ON r.id = d.id
        JOIN famulor_outbox_line l ON l.id = r.line
        JOIN famulor_outbox_customer c ON c.id = l.customer
        WHERE d.account = $1 AND d.next_look <= $2 {job}
        ORDER BY d.next_look LIMIT $3 {skip}"
    )
}

impl Step for TakeDoubts {
    type Output = Vec<Doubt>;

    async fn run(&self, tx: &mut Transaction<'_>) -> Result<Vec<Doubt>, Failure> {
        // As with a claim: of a look by somebody who is no longer registered, nobody would know that it is over.
        if !is_registered(tx, self.looker).await? {
            return Ok(Vec::new());
        }
        let find = due_sql(self.job.is_some(), tx.sql.is_postgres());
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
            let mut values = values![tx.now + LOOK_WITHIN_MS, self.looker];
            values.extend(found.iter().map(|doubt| doubt.id.0.into()));
            let take = format!(
                "UPDATE famulor_outbox_doubt SET next_look = $1, looker = $2 WHERE id IN ({})",
                list(3, found.len())
            );
            tx.sql.execute(take, values).await?;
        }
        Ok(found)
    }
}

/// Looks that a worker did not bring to an end. `$1` is the worker, `$2` now.
pub(super) fn unlook_sql(postgres: bool) -> String {
    // What somebody else has is being settled, or looked for anew.
    let skip = match postgres {
        true => "FOR UPDATE SKIP LOCKED",
        false => "",
    };
    format!(
        "UPDATE famulor_outbox_doubt SET looker = NULL, next_look = $2
        WHERE id IN (SELECT id FROM famulor_outbox_doubt WHERE looker = $1 {skip})"
    )
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
            "SELECT since, arrived, looks, empty_looks, looked FROM famulor_outbox_doubt WHERE id = $1 {lock}"
        );
        let Some(row) = tx.sql.row(find, values![self.id.0]).await? else {
            return Ok(None);
        };
        let seen = Seen {
            since: row.int(0)?,
            arrived: row.maybe_int(1)?,
            looks: row.int(2)?,
            empty_looks: row.int(3)?,
            looked: row.maybe_int(4)?,
        };
        match self.conclude(&seen) {
            Conclusion::Settle(outcome) => settle(tx, self.id, Some(self.attempt), &outcome).await,
            Conclusion::Wait(seen) => {
                let sql =
                    "UPDATE famulor_outbox_doubt SET arrived = $2, looks = $3, empty_looks = $4,
                    next_look = $5, looked = $6, looker = NULL WHERE id = $1";
                let next = seen.next_look(tx.now, self.quiet_ms);
                let values = values![
                    self.id.0,
                    seen.arrived,
                    seen.looks,
                    seen.empty_looks,
                    next,
                    tx.now,
                ];
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
    /// When the last one ended.
    looked: Option<i64>,
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
                // Two at the same time are one.
                if seen.looked.is_none_or(|ended| self.began >= ended) {
                    seen.empty_looks += 1;
                }
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

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: i64 = 1000;

    /// What looks at these times come to, each over before the next; the doubt began at 0.
    fn after(looks: &[(i64, Verdict)], attempt: i64) -> (Option<Outcome>, Seen) {
        let mut seen = Seen {
            since: 0,
            arrived: None,
            looks: 0,
            empty_looks: 0,
            looked: None,
        };
        for (began, verdict) in looks {
            let looked = Looked {
                id: RowId(1),
                attempt,
                began: *began,
                quiet_ms: QUIET,
                verdict: verdict.clone(),
            };
            match looked.conclude(&seen) {
                Conclusion::Settle(outcome) => return (Some(outcome), seen),
                Conclusion::Wait(next) => {
                    seen = Seen {
                        looked: Some(began + 10),
                        ..next
                    };
                }
            }
        }
        (None, seen)
    }

    fn absent() -> Verdict {
        Verdict::NotThere { proves: true }
    }

    fn is_sent_again(outcome: Option<Outcome>) -> bool {
        matches!(outcome, Some(Outcome::Again(None)))
    }

    fn reason(outcome: Option<Outcome>) -> String {
        match outcome {
            Some(Outcome::Review { reason }) => reason,
            _ => panic!("not in review"),
        }
    }

    #[test]
    fn absence_is_believed_after_two_looks_the_last_one_after_the_quiet_time() {
        assert!(after(&[(5000, absent())], 1).0.is_none(), "one look");
        let early = [(0, absent()), (500, absent()), (999, absent())];
        assert!(after(&early, 1).0.is_none(), "too early");
        assert!(is_sent_again(
            after(&[(0, absent()), (1000, absent())], 1).0
        ));
    }

    #[test]
    fn two_looks_at_the_same_time_are_one() {
        let together = [(1000, absent()), (1005, absent())];
        assert!(after(&together, 1).0.is_none());
        let apart = [(1000, absent()), (1005, absent()), (1015, absent())];
        assert!(is_sent_again(after(&apart, 1).0));
    }

    #[test]
    fn a_look_that_says_nothing_begins_the_proof_anew() {
        let looks = [(900, absent()), (950, Verdict::Nothing), (1000, absent())];
        let (outcome, seen) = after(&looks, 1);
        assert!(outcome.is_none());
        assert_eq!((seen.looks, seen.empty_looks), (3, 1));
        let failed = [(900, absent()), (950, Verdict::Failed), (1000, absent())];
        assert!(
            is_sent_again(after(&failed, 1).0),
            "a failed look says nothing either way"
        );
    }

    #[test]
    fn what_was_seen_once_is_never_sent_again() {
        let looks = [
            (0, Verdict::Arrived),
            (1100, absent()),
            (1200, absent()),
            (1300, absent()),
        ];
        assert!(after(&looks, 1).0.is_none());
        let (outcome, _) = after(&[(0, Verdict::Arrived), (1000, Verdict::Arrived)], 1);
        assert!(reason(outcome).contains("its answer did not come"));
    }

    #[test]
    fn a_first_message_waits_for_the_list_to_be_believed_and_then_for_a_person() {
        let unproved = || Verdict::NotThere { proves: false };
        let looks = [(1000, unproved()), (1500, unproved())];
        assert!(after(&looks, 1).0.is_none());
        let mut looks = looks.to_vec();
        looks.push((1900, absent()));
        assert!(is_sent_again(after(&looks, 1).0));
        looks.pop();
        looks.push((2000, unproved()));
        assert!(reason(after(&looks, 1).0).contains("list does not show"));
    }

    #[test]
    fn what_cannot_be_told_is_not_looked_for_for_ever() {
        let looks: Vec<_> = (0..8).map(|n| (n * 1000, Verdict::Nothing)).collect();
        assert!(reason(after(&looks, 1).0).contains("could not be told"));
        let failed: Vec<_> = (0..80).map(|n| (n * 1000, Verdict::Failed)).collect();
        assert!(
            after(&failed, 1).0.is_none(),
            "a network that is away is waited for"
        );
    }

    #[test]
    fn what_never_arrives_is_not_sent_for_ever() {
        let looks = [(0, absent()), (1000, absent())];
        let (outcome, _) = after(&looks, MOST_ATTEMPTS);
        let Some(Outcome::Failed(error)) = outcome else {
            panic!("it goes on")
        };
        assert_eq!(error.delivery, "not_sent");
    }

    #[test]
    fn looks_grow_apart_and_one_comes_right_after_the_quiet_time() {
        let seen = |looks| Seen {
            since: 0,
            arrived: None,
            looks,
            empty_looks: 0,
            looked: None,
        };
        assert_eq!(seen(0).next_look(0, 120_000), 250);
        assert_eq!(seen(4).next_look(10_000, 120_000), 14_000);
        assert_eq!(seen(9).next_look(110_000, 120_000), 120_000);
        assert_eq!(seen(40).next_look(130_000, 120_000), 160_000);
    }
}

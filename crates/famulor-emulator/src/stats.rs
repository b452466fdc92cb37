//! Figures over everything since the start or the last reset.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::hash::Hash;

use foldhash::HashMap;
use serde::Serialize;

use crate::caller::Caller;
use crate::money::Amount;
use crate::operation::Operation;

/// Counts since the start or the last reset.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Requests that reached the API, refused ones included.
    pub requests: u64,
    /// Requests by operation.
    pub operations: BTreeMap<String, u64>,
    /// Answers by status; an answer that a fault withheld is in none.
    pub statuses: BTreeMap<u16, u64>,
    /// Calls that one of the limits refused.
    pub rate_limited: u64,
    /// Faults played.
    pub faults: u64,
    /// User messages stored.
    pub messages: u64,
    /// User messages billed.
    pub billed_messages: u64,
    /// What they cost, in US dollars.
    pub billed_amount: f64,
    /// By token (its fingerprint), or by address for calls without one.
    pub tokens: BTreeMap<String, TokenStats>,
    /// By customer identifier; for conversations that have none, by conversation id.
    pub customers: BTreeMap<String, CustomerStats>,
}

/// One token's part.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TokenStats {
    /// Requests with this token that were let in.
    pub requests: u64,
    /// User messages billed to it.
    pub billed_messages: u64,
    /// What they cost, in US dollars.
    pub billed_amount: f64,
    /// What is left, in US dollars.
    pub balance: f64,
}

/// One customer's part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CustomerStats {
    /// User messages stored.
    pub messages: u64,
    /// User messages stored whose text this customer had sent before: what a
    /// client that sends twice leaves behind.
    pub repeated_messages: u64,
    /// User messages billed.
    pub billed_messages: u64,
}

/// The running sums behind [`Stats`].
#[derive(Default)]
pub(crate) struct Tally {
    requests: u64,
    operations: [u64; Operation::ALL.len()],
    statuses: BTreeMap<u16, u64>,
    rate_limited: u64,
    faults: u64,
    tokens: HashMap<Caller, (u64, u64, Amount)>,
    customers: HashMap<String, CustomerStats>,
}

impl Tally {
    pub(crate) fn arrived(&mut self, operation: Option<Operation>) {
        self.requests += 1;
        if let Some(operation) = operation {
            self.operations[operation as usize] += 1;
        }
    }

    pub(crate) fn let_in(&mut self, caller: &Caller) {
        change(&mut self.tokens, caller, Caller::clone, |row| row.0 += 1);
    }

    pub(crate) fn answered(&mut self, status: u16) {
        *self.statuses.entry(status).or_default() += 1;
    }

    pub(crate) fn rate_limited(&mut self) {
        self.rate_limited += 1;
    }

    pub(crate) fn fault(&mut self) {
        self.faults += 1;
    }

    /// A user message was stored.
    pub(crate) fn message(
        &mut self,
        caller: &Caller,
        customer: &str,
        repeated: bool,
        billed: Option<Amount>,
    ) {
        change(&mut self.customers, customer, str::to_owned, |row| {
            row.messages += 1;
            row.repeated_messages += u64::from(repeated);
            row.billed_messages += u64::from(billed.is_some());
        });
        if let Some(price) = billed {
            change(&mut self.tokens, caller, Caller::clone, |row| {
                row.1 += 1;
                row.2 += price;
            });
        }
    }

    pub(crate) fn stats(&self, balance: impl Fn(&Caller) -> Amount) -> Stats {
        let tokens = self
            .tokens
            .iter()
            .map(|(caller, (requests, billed_messages, billed))| {
                let stats = TokenStats {
                    requests: *requests,
                    billed_messages: *billed_messages,
                    billed_amount: billed.as_dollars(),
                    balance: balance(caller).as_dollars(),
                };
                (caller.mark().to_string(), stats)
            })
            .collect();
        Stats {
            requests: self.requests,
            operations: Operation::ALL
                .iter()
                .map(|operation| (operation.to_string(), self.operations[*operation as usize]))
                .filter(|(_, count)| *count > 0)
                .collect(),
            statuses: self.statuses.clone(),
            rate_limited: self.rate_limited,
            faults: self.faults,
            messages: self.customers.values().map(|stats| stats.messages).sum(),
            billed_messages: self.tokens.values().map(|(_, billed, _)| billed).sum(),
            billed_amount: self
                .tokens
                .values()
                .map(|(_, _, amount)| *amount)
                .sum::<Amount>()
                .as_dollars(),
            tokens,
            customers: self.customers.clone().into_iter().collect(),
        }
    }
}

/// Changes the row of `key`, with a key of its own only where the row is new.
fn change<Q, K, V>(
    rows: &mut HashMap<K, V>,
    key: &Q,
    own: impl FnOnce(&Q) -> K,
    change: impl FnOnce(&mut V),
) where
    Q: Hash + Eq + ?Sized,
    K: Hash + Eq + Borrow<Q>,
    V: Default,
{
    match rows.get_mut(key) {
        Some(row) => change(row),
        None => change(rows.entry(own(key)).or_default()),
    }
}

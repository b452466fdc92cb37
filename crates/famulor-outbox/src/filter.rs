//! Which rows are meant.

use std::fmt;
use std::time::Duration;

use crate::{Row, RowId, State};

/// Which rows are meant: those that meet all of it.
///
/// ```
/// use famulor_outbox::{Filter, State};
///
/// let open = Filter::all().with_job("appointments").with_states([State::InDoubt, State::NeedsReview]);
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Filter {
    pub(crate) job: Option<String>,
    pub(crate) states: Option<Vec<State>>,
    pub(crate) customer: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) row: Option<RowId>,
}

impl Filter {
    /// Every row.
    pub fn all() -> Self {
        Self::default()
    }

    /// Rows of this job.
    pub fn with_job(mut self, name: &str) -> Self {
        self.job = Some(name.to_owned());
        self
    }

    /// Rows in one of these states.
    pub fn with_states(mut self, states: impl IntoIterator<Item = State>) -> Self {
        self.states = Some(states.into_iter().collect());
        self
    }

    /// Rows of this customer, of any assistant.
    pub fn with_customer(mut self, identifier: &str) -> Self {
        self.customer = Some(identifier.to_owned());
        self
    }

    /// Rows of this account.
    pub fn with_account(mut self, name: &str) -> Self {
        self.account = Some(name.to_owned());
        self
    }

    /// This row.
    pub fn with_row(mut self, id: RowId) -> Self {
        self.row = Some(id);
        self
    }

    pub(crate) fn names(&self, state: State) -> bool {
        let states = self.states.as_ref();
        states.is_some_and(|states| states.contains(&state))
    }

    pub(crate) fn matches(&self, row: &Row) -> bool {
        self.job.as_ref().is_none_or(|job| *job == row.job)
            && self
                .states
                .as_ref()
                .is_none_or(|states| states.contains(&row.state))
            && self
                .customer
                .as_ref()
                .is_none_or(|customer| *customer == row.customer)
            && self
                .account
                .as_ref()
                .is_none_or(|account| *account == row.account)
            && self.row.is_none_or(|id| id == row.id)
    }
}

/// Shows no customer.
impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter")
            .field("job", &self.job)
            .field("states", &self.states)
            .field("account", &self.account)
            .field("row", &self.row)
            .finish_non_exhaustive()
    }
}

/// How an outbox, or a part of it, stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Rows waiting for their turn.
    pub queued: u64,
    /// Rows that a worker has.
    pub sending: u64,
    /// Rows sent without a trustworthy answer.
    pub in_doubt: u64,
    /// Rows answered.
    pub done: u64,
    /// Rows refused for good.
    pub failed: u64,
    /// Rows that a person decides.
    pub needs_review: u64,
    /// Rows taken back.
    pub cancelled: u64,
    /// Attempts made at all of them.
    pub attempts: u64,
    /// For how long the oldest queued row has been in the store.
    pub oldest_waiting: Option<Duration>,
}

impl Status {
    /// How many rows are in `state`.
    #[must_use]
    pub fn count(&self, state: State) -> u64 {
        match state {
            State::Queued => self.queued,
            State::Sending => self.sending,
            State::InDoubt => self.in_doubt,
            State::Done => self.done,
            State::Failed => self.failed,
            State::NeedsReview => self.needs_review,
            State::Cancelled => self.cancelled,
        }
    }

    pub(crate) fn count_mut(&mut self, state: State) -> &mut u64 {
        match state {
            State::Queued => &mut self.queued,
            State::Sending => &mut self.sending,
            State::InDoubt => &mut self.in_doubt,
            State::Done => &mut self.done,
            State::Failed => &mut self.failed,
            State::NeedsReview => &mut self.needs_review,
            State::Cancelled => &mut self.cancelled,
        }
    }

    /// All rows.
    #[must_use]
    pub fn total(&self) -> u64 {
        State::ALL.into_iter().map(|state| self.count(state)).sum()
    }
}

//! Money, exact to the eighth decimal, which is what a documented balance shows.

use std::iter::Sum;
use std::ops::{Add, AddAssign, SubAssign};

/// US dollars in units of 10⁻⁸: the documented balance is 100.67447094 (facts,
/// getMe), and sums of cents in `f64` would drift.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Amount(i64);

const UNITS: f64 = 1e8;

impl Amount {
    pub(crate) fn dollars(amount: f64) -> Self {
        Self((amount * UNITS).round() as i64)
    }

    pub(crate) fn as_dollars(self) -> f64 {
        self.0 as f64 / UNITS
    }
}

impl Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Amount {
    fn sub_assign(&mut self, other: Self) {
        self.0 = self.0.saturating_sub(other.0);
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), Add::add)
    }
}

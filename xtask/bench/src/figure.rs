//! What a bench hands over: figures, each beside its peer, and pictures of how they grow.

use std::fmt;

/// Something measured, beside what the same costs elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) what: String,
    /// What it is counted in.
    pub(crate) unit: &'static str,
    pub(crate) own: f64,
    pub(crate) peer: Option<Peer>,
    pub(crate) promise: Option<Promise>,
}

/// What stands beside a figure, from the same run.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) name: String,
    pub(crate) value: f64,
    /// Ours divided by the peer's; `None` where a quotient says nothing, as of two counts of which one is zero.
    pub(crate) ratio: Option<f64>,
}

/// What a figure has to hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Promise {
    of: Of,
    bound: Bound,
    value: f64,
}

#[derive(Clone, Copy, Debug)]
enum Of {
    Own,
    Ratio,
}

#[derive(Clone, Copy, Debug)]
enum Bound {
    AtMost,
    AtLeast,
}

impl Figure {
    pub(crate) fn new(what: impl Into<String>, unit: &'static str, own: f64) -> Self {
        Self {
            what: what.into(),
            unit,
            own,
            peer: None,
            promise: None,
        }
    }

    /// The ratio is that of the two values.
    pub(crate) fn beside(self, name: impl Into<String>, value: f64) -> Self {
        let ratio = self.own / value;
        self.beside_with(name, value, Some(ratio).filter(|ratio| ratio.is_finite()))
    }

    /// The ratio is the median of each turn's own, or there is none.
    pub(crate) fn beside_with(
        mut self,
        name: impl Into<String>,
        value: f64,
        ratio: Option<f64>,
    ) -> Self {
        self.peer = Some(Peer {
            name: name.into(),
            value,
            ratio,
        });
        self
    }

    pub(crate) fn ratio_at_most(self, value: f64) -> Self {
        self.promised(Of::Ratio, Bound::AtMost, value)
    }

    pub(crate) fn ratio_at_least(self, value: f64) -> Self {
        self.promised(Of::Ratio, Bound::AtLeast, value)
    }

    pub(crate) fn at_most(self, value: f64) -> Self {
        self.promised(Of::Own, Bound::AtMost, value)
    }

    pub(crate) fn at_least(self, value: f64) -> Self {
        self.promised(Of::Own, Bound::AtLeast, value)
    }

    fn promised(mut self, of: Of, bound: Bound, value: f64) -> Self {
        self.promise = Some(Promise { of, bound, value });
        self
    }

    pub(crate) fn ratio(&self) -> Option<f64> {
        self.peer.as_ref()?.ratio
    }

    /// Whether the promise is kept; `None` if there is none. What could not be told keeps no promise.
    pub(crate) fn holds(&self) -> Option<bool> {
        let promise = self.promise?;
        let value = match promise.of {
            Of::Own => Some(self.own),
            Of::Ratio => self.ratio(),
        };
        Some(value.is_some_and(|value| match promise.bound {
            Bound::AtMost => value <= promise.value,
            Bound::AtLeast => value >= promise.value,
        }))
    }

    /// The promise in words, as "ratio at most 1.15".
    pub(crate) fn promise_in_words(&self) -> Option<String> {
        let promise = self.promise?;
        let bound = match promise.bound {
            Bound::AtMost => "at most",
            Bound::AtLeast => "at least",
        };
        Some(match promise.of {
            Of::Ratio => format!("ratio {bound} {}", promise.value),
            Of::Own => format!("{bound} {}", with_unit(promise.value, self.unit)),
        })
    }

    /// The value with its unit.
    pub(crate) fn own_in_words(&self) -> String {
        with_unit(self.own, self.unit)
    }
}

/// As it is said on the terminal.
impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.holds() {
            Some(true) => "ok  ",
            Some(false) => "MISS",
            None => "    ",
        };
        write!(f, "{mark} {}: {}", self.what, self.own_in_words())?;
        if let Some(peer) = &self.peer {
            write!(f, "; {}: {}", peer.name, with_unit(peer.value, self.unit))?;
            if let Some(ratio) = peer.ratio {
                write!(f, "; ratio {}", number(ratio))?;
            }
        }
        match self.promise_in_words() {
            Some(promise) => write!(f, "; promised: {promise}"),
            None => Ok(()),
        }
    }
}

/// A value and its unit, as a person writes them.
pub(crate) fn with_unit(value: f64, unit: &str) -> String {
    match unit {
        "" => number(value),
        _ => format!("{} {unit}", number(value)),
    }
}

/// Three digits that mean something, and all of those before the point.
pub(crate) fn number(value: f64) -> String {
    let magnitude = value.abs();
    if !value.is_finite() {
        return "–".to_owned();
    }
    if magnitude >= 1000.0 {
        return grouped(value.round());
    }
    let digits = match magnitude {
        _ if value.fract() == 0.0 => 0,
        100.0.. => 0,
        10.0.. => 1,
        0.1.. => 2,
        0.01.. => 3,
        _ => 4,
    };
    format!("{value:.digits$}")
}

fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if value < 0.0 {
        out.insert(0, '-');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Figure, number};

    #[test]
    fn numbers_are_written_with_as_many_digits_as_mean_something() {
        let written = [
            0.0,
            0.0312,
            0.127,
            1.0,
            9.876,
            98.76,
            987.6,
            1234.5,
            1_234_567.0,
        ]
        .map(number);
        assert_eq!(
            written,
            [
                "0",
                "0.031",
                "0.13",
                "1",
                "9.88",
                "98.8",
                "988",
                "1,235",
                "1,234,567"
            ]
        );
    }

    #[test]
    fn a_promise_is_kept_at_its_bound_and_missed_beyond_it() {
        let figure = || Figure::new("a call", "ms", 2.0).beside("another", 1.0);
        assert_eq!(figure().holds(), None);
        assert_eq!(figure().ratio_at_most(2.0).holds(), Some(true));
        assert_eq!(figure().ratio_at_most(1.99).holds(), Some(false));
        assert_eq!(figure().ratio_at_least(2.01).holds(), Some(false));
        assert_eq!(figure().at_least(2.0).holds(), Some(true));
        assert_eq!(figure().at_most(1.0).holds(), Some(false));
    }

    #[test]
    fn what_could_not_be_told_keeps_no_promise() {
        let unknown = Figure::new("a call", "ms", f64::NAN).beside("another", 1.0);
        assert_eq!(unknown.clone().ratio_at_most(1.0).holds(), Some(false));
        assert_eq!(unknown.at_most(1.0).holds(), Some(false));
        let of_nothing = Figure::new("lost", "", 0.0).beside("another", 0.0);
        assert_eq!(of_nothing.ratio(), None);
    }

    #[test]
    fn a_line_says_figure_peer_ratio_and_promise() {
        let figure = Figure::new("one reply", "µs", 74.2)
            .beside("bare reqwest", 70.0)
            .ratio_at_most(1.15);
        assert_eq!(
            figure.to_string(),
            "ok   one reply: 74.2 µs; bare reqwest: 70 µs; ratio 1.06; promised: ratio at most 1.15"
        );
    }
}

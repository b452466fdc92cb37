//! Two things measured by turns, so that a machine that is busy with something else slows both down alike.

/// What one costs beside the other, each the median of all turns.
#[derive(Clone, Copy)]
pub(crate) struct Compared {
    pub(crate) ours: f64,
    pub(crate) yardstick: f64,
    /// The median of each turn's own ratio, not the ratio of the medians.
    pub(crate) ratio: f64,
}

/// The two costs of one turn.
pub(crate) struct Turn {
    pub(crate) ours: f64,
    pub(crate) yardstick: f64,
}

impl Compared {
    pub(crate) fn of(turns: &[Turn]) -> Self {
        Self {
            ours: median(turns.iter().map(|turn| turn.ours)),
            yardstick: median(turns.iter().map(|turn| turn.yardstick)),
            ratio: median(turns.iter().map(|turn| turn.ours / turn.yardstick)),
        }
    }
}

/// Whose turn it is to be first: neither is always the one that finds the caches warm.
pub(crate) fn ours_first(turn: usize) -> bool {
    turn.is_multiple_of(2)
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        odd if !odd.is_multiple_of(2) => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

//! How long the emulated server takes to answer.

use std::time::Duration;

use crate::seeded::Seeded;

/// How long an answer takes, in emulated time.
///
/// The vendor gives no figure (facts, "Latency/timeouts"), so the default is no
/// latency at all.
///
/// A spread is drawn from the emulator's seed, one value a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Latency {
    /// Every answer takes this long.
    Fixed(Duration),
    /// Log-normal, as answers of a language model are: half of them take less
    /// than `median`, one in a hundred more than `p99`.
    Spread {
        /// The 50th percentile.
        median: Duration,
        /// The 99th percentile. Not above `median`: every answer takes `median`.
        p99: Duration,
    },
}

/// The 99th percentile of a standard normal distribution.
const Z99: f64 = 2.326_347_874;

impl Default for Latency {
    fn default() -> Self {
        Self::Fixed(Duration::ZERO)
    }
}

impl From<Duration> for Latency {
    fn from(every: Duration) -> Self {
        Self::Fixed(every)
    }
}

impl Latency {
    pub(crate) fn of_request(self, sequence: u64, seeded: Seeded) -> Duration {
        match self {
            Self::Fixed(every) => every,
            Self::Spread { median, p99 } if median.is_zero() || p99 <= median => median,
            Self::Spread { median, p99 } => {
                let mut source = seeded.source(&format!("latency {sequence}"));
                // Box and Muller's transform; 1 − [0, 1) keeps the logarithm finite.
                let radius = (-2.0 * (1.0 - source.f64()).ln()).sqrt();
                let normal = radius * (std::f64::consts::TAU * source.f64()).cos();
                let sigma = (p99.as_secs_f64() / median.as_secs_f64()).ln() / Z99;
                Duration::try_from_secs_f64(median.as_secs_f64() * (sigma * normal).exp())
                    .unwrap_or(p99)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Latency, Seeded};

    const SPREAD: Latency = Latency::Spread {
        median: Duration::from_secs(2),
        p99: Duration::from_secs(8),
    };

    fn drawn(seed: u64) -> Vec<Duration> {
        let draw = |sequence| SPREAD.of_request(sequence, Seeded::new(seed));
        (0..20_000).map(draw).collect()
    }

    #[test]
    fn a_spread_has_its_median_and_its_99th_percentile() {
        let mut drawn = drawn(1);
        drawn.sort();
        let at = |share: usize| drawn[drawn.len() * share / 100].as_secs_f64();
        assert!((at(50) - 2.0).abs() < 0.1, "{}", at(50));
        assert!((at(99) - 8.0).abs() < 0.8, "{}", at(99));
    }

    #[test]
    fn a_spread_is_the_same_for_a_seed_and_another_for_another() {
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
    }

    #[test]
    fn a_spread_without_width_is_its_median() {
        let narrow = Latency::Spread {
            median: Duration::from_secs(2),
            p99: Duration::from_secs(1),
        };
        assert_eq!(narrow.of_request(1, Seeded::new(1)), Duration::from_secs(2));
    }
}

//! How fast it goes, and how long it will take.

use std::time::Duration;

use famulor_core::Limit;
use jiff::{SignedDuration, Zoned};
use tokio::time::Instant;

use crate::settings::{RateLimit, Settings};

/// The documented limit of replies. Source: seed 002.
const DOCUMENTED: (u32, Duration) = (5, Duration::from_secs(60));

/// How many may go in which time; `None`: no limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace(Option<(u32, Duration)>);

impl Pace {
    pub(super) fn of(settings: &Settings) -> Self {
        let limit = settings.rate_limit.as_ref().map(|limit| &limit.value);
        Self(match limit {
            Some(RateLimit::Off) => None,
            Some(RateLimit::Limit(limit)) => Some(of_limit(limit)),
            None => Some(DOCUMENTED),
        })
    }

    /// When the last of so many can go, if nothing else uses the limit.
    pub(super) fn time_for(self, messages: u64) -> Option<Duration> {
        let (requests, window) = self.0?;
        let windows = messages.div_ceil(u64::from(requests)).saturating_sub(1);
        Some(window.saturating_mul(u32::try_from(windows).unwrap_or(u32::MAX)))
    }

    /// How many can be under way at once without waiting for a slot.
    pub(super) fn at_once(self) -> usize {
        /// Without a limit the server's own speed is one.
        const UNLIMITED: usize = 32;
        match self.0 {
            Some((requests, _)) => (requests as usize).clamp(1, 256),
            None => UNLIMITED,
        }
    }

    /// `5 in 60s`, for people.
    pub(super) fn describe(self) -> Option<String> {
        self.0.map(|(requests, window)| {
            format!("{requests} in {}", humantime::format_duration(window))
        })
    }
}

fn of_limit(limit: &Limit) -> (u32, Duration) {
    (limit.requests(), limit.window())
}

/// What was settled since the start of this run, by anybody.
pub(super) struct Forecast {
    pace: Pace,
    began: Instant,
    settled_before: u64,
}

impl Forecast {
    pub(super) fn new(pace: Pace, settled_before: u64) -> Self {
        Self {
            pace,
            began: Instant::now(),
            settled_before,
        }
    }

    /// Messages a minute; `None` while nothing is known of it.
    pub(super) fn a_minute(&self, settled: u64) -> Option<f64> {
        /// Before that, one message more or less is all the difference.
        const TOO_SOON: Duration = Duration::from_secs(2);
        let elapsed = self.began.elapsed();
        let count = settled.saturating_sub(self.settled_before);
        if count == 0 || elapsed < TOO_SOON {
            return None;
        }
        Some(count as f64 * 60.0 / elapsed.as_secs_f64())
    }

    /// How long the rest takes: as the limit has it at first, as it really goes once that is known.
    pub(super) fn left(&self, waiting: u64, settled: u64) -> Option<Duration> {
        let by_limit = self.pace.time_for(waiting);
        let known_after = self.pace.0.map_or(Duration::ZERO, |(_, window)| window * 2);
        let measured = self
            .a_minute(settled)
            .filter(|_| self.began.elapsed() >= known_after)
            .and_then(|rate| Duration::try_from_secs_f64(waiting as f64 * 60.0 / rate).ok());
        match (by_limit, measured) {
            // Faster than the limit it cannot go for long.
            (Some(by_limit), Some(measured)) => Some(by_limit.max(measured)),
            (by_limit, measured) => measured.or(by_limit),
        }
    }
}

/// `15:42 (11m)`: a time for people who plan their day by it.
pub(super) fn until(left: Duration) -> String {
    let left = Duration::from_secs(left.as_secs_f64().round() as u64);
    // Over ten minutes nobody counts seconds.
    let exact = match left.as_secs() {
        seconds if seconds > 600 => Duration::from_secs(seconds / 60 * 60),
        seconds => Duration::from_secs(seconds),
    };
    let shown = humantime::format_duration(exact);
    let now = Zoned::now();
    let end = SignedDuration::try_from(left)
        .ok()
        .and_then(|left| now.checked_add(left).ok());
    match end {
        Some(end) if end.date() == now.date() => format!("{} ({shown})", end.strftime("%H:%M")),
        Some(end) => format!("{} ({shown})", end.strftime("%a %H:%M")),
        None => shown.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn five_a_minute() -> Pace {
        Pace(Some(DOCUMENTED))
    }

    #[test]
    fn a_thousand_messages_take_three_hours_and_nineteen_minutes() {
        let time = five_a_minute().time_for(1000);
        assert_eq!(time, Some(Duration::from_secs(199 * 60)));
        assert_eq!(five_a_minute().time_for(5), Some(Duration::ZERO));
        assert_eq!(five_a_minute().time_for(6), Some(Duration::from_secs(60)));
        assert_eq!(five_a_minute().time_for(0), Some(Duration::ZERO));
        assert_eq!(Pace(None).time_for(1000), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_forecast_goes_by_the_limit_until_the_real_speed_is_known() {
        let forecast = Forecast::new(five_a_minute(), 10);
        assert_eq!(forecast.left(100, 10), Some(Duration::from_secs(19 * 60)));
        assert_eq!(forecast.a_minute(10), None);
        tokio::time::advance(Duration::from_secs(120)).await;
        // Half as fast as the limit allows: four in two minutes.
        assert_eq!(forecast.a_minute(14), Some(2.0));
        assert_eq!(forecast.left(100, 14), Some(Duration::from_secs(50 * 60)));
        // A burst does not promise what the limit forbids.
        assert_eq!(forecast.left(100, 1010), Some(Duration::from_secs(19 * 60)));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_only_the_real_speed_counts() {
        let forecast = Forecast::new(Pace(None), 0);
        assert_eq!(forecast.left(100, 0), None);
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(forecast.left(100, 50), Some(Duration::from_secs(20)));
    }

    #[test]
    fn a_finishing_time_is_a_time_of_day_and_how_long_that_is() {
        let shown = until(Duration::from_secs(199 * 60 + 20));
        assert!(shown.ends_with("(3h 19m)"), "{shown}");
        assert!(shown.contains(':'), "{shown}");
    }
}

//! CPU time of child processes.

use std::process::Command;
use std::time::Duration;

use crate::figure::Figure;
use crate::process::run as one;
use crate::turns::median;

/// A name, and what makes the command of a turn.
pub(super) type Contender<'a> = (&'static str, &'a dyn Fn(u32) -> Command);

/// What each contender has used; the first is the yardstick.
pub(super) struct Meter(Vec<Figures>);

struct Figures {
    name: &'static str,
    cpu: Vec<Duration>,
    time: Vec<Duration>,
}

impl Meter {
    /// Runs them by turns, each to its end.
    pub(super) fn by_turns(turns: u32, contenders: &[Contender<'_>]) -> Result<Self, String> {
        let mut meter = Self(Vec::new());
        for (name, command) in contenders {
            // Once before, so that the files are in memory.
            one(name, &mut command(turns))?;
            meter.0.push(Figures {
                name,
                cpu: Vec::new(),
                time: Vec::new(),
            });
        }
        for turn in 0..turns {
            for (index, (name, command)) in contenders.iter().enumerate() {
                let cost = one(name, &mut command(turn))?;
                meter.0[index].cpu.push(cost.cpu);
                meter.0[index].time.push(cost.wall);
            }
        }
        Ok(meter)
    }

    /// CPU of a contender beside that of the first.
    pub(super) fn cpu(&self, index: usize) -> Figure {
        self.cpu_beside(index, 0)
    }

    pub(super) fn cpu_beside(&self, index: usize, other: usize) -> Figure {
        self.figure("CPU", index, other, |figures| &figures.cpu)
    }

    /// Time from start to end of a contender beside that of the first.
    pub(super) fn time(&self, index: usize) -> Figure {
        self.time_beside(index, 0)
    }

    pub(super) fn time_beside(&self, index: usize, other: usize) -> Figure {
        self.figure("time", index, other, |figures| &figures.time)
    }

    /// The median: another process on the machine spoils a mean.
    fn figure(
        &self,
        what: &str,
        index: usize,
        other: usize,
        of: fn(&Figures) -> &Vec<Duration>,
    ) -> Figure {
        let millis = |times: &[Duration]| median(times.iter().map(|time| time.as_secs_f64() * 1e3));
        let (own, other) = (&self.0[index], &self.0[other]);
        let what = format!("`{}`, {what}", own.name);
        Figure::new(what, "ms", millis(of(own))).beside(other.name, millis(of(other)))
    }
}

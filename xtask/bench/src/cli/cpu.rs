//! CPU time of child processes.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

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
            one(name, command(turns))?;
            meter.0.push(Figures {
                name,
                cpu: Vec::new(),
                time: Vec::new(),
            });
        }
        for turn in 0..turns {
            for (index, (name, command)) in contenders.iter().enumerate() {
                let (cpu, time) = one(name, command(turn))?;
                meter.0[index].cpu.push(cpu);
                meter.0[index].time.push(time);
            }
        }
        Ok(meter)
    }

    pub(super) fn print(&self) {
        for figures in &self.0 {
            println!(
                "| {} | {:.2} | {:.2} | {:.2} |",
                figures.name,
                median(&figures.cpu).as_secs_f64() * 1e3,
                median(&figures.time).as_secs_f64() * 1e3,
                self.ratio(figures)
            );
        }
    }

    /// Fails if a contender uses more than so many times the yardstick's CPU.
    pub(super) fn at_most(&self, index: usize, most: f64) -> Result<(), String> {
        let figures = &self.0[index];
        let ratio = self.ratio(figures);
        if ratio <= most {
            return Ok(());
        }
        Err(format!(
            "{} uses {ratio:.2} times the CPU of {}, at most {most} are promised",
            figures.name, self.0[0].name
        ))
    }

    fn ratio(&self, figures: &Figures) -> f64 {
        median(&figures.cpu).as_secs_f64() / median(&self.0[0].cpu).as_secs_f64()
    }
}

/// The median: another process on the machine spoils a mean.
fn median(figures: &[Duration]) -> Duration {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

fn one(name: &str, mut command: Command) -> Result<(Duration, Duration), String> {
    command.stdin(Stdio::null());
    let before = children()?;
    let start = Instant::now();
    let output = command
        .output()
        .map_err(|e| format!("{name} cannot be run: {e}"))?;
    let time = start.elapsed();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{name} failed: {said}"));
    }
    Ok((children()?.saturating_sub(before), time))
}

/// The CPU time of all children that have ended.
fn children() -> Result<Duration, String> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|e| e.to_string())?;
    let micros = |time: nix::sys::time::TimeVal| {
        let micros = time.tv_sec() * 1_000_000 + time.tv_usec();
        Duration::from_micros(micros.try_into().unwrap_or_default())
    };
    Ok(micros(usage.user_time()) + micros(usage.system_time()))
}

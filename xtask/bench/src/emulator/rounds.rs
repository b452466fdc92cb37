//! Several servers driven in turn, a short while each: what else the machine does then slows all of them alike.

use std::time::Duration;

use super::load::{self, Request};
use super::process::Process;
use crate::size::Size;

/// How long each server is driven in a round.
const TURN: Duration = Duration::from_millis(400);

pub(super) struct Rounds {
    servers: Vec<Server>,
}

struct Server {
    name: String,
    process: Process,
    request: Request,
    /// Requests a second, round by round.
    rates: Vec<f64>,
    requests: u64,
    cpu: Duration,
}

impl Rounds {
    pub(super) fn of(servers: &[&str], body: &str) -> Result<Self, String> {
        let mut rounds = Self {
            servers: Vec::new(),
        };
        for server in servers {
            rounds.join(server, body)?;
        }
        Ok(rounds)
    }

    /// Starts one more server and warms it up.
    pub(super) fn join(&mut self, name: &str, body: &str) -> Result<(), String> {
        let process = Process::start(name, body)?;
        let request = match name {
            "prism" => Request::at("/ai/generate-reply"),
            _ => Request::reply(),
        };
        load::during(process.address, &request, TURN)?;
        self.servers.push(Server {
            name: name.to_owned(),
            process,
            request,
            rates: Vec::new(),
            requests: 0,
            cpu: Duration::ZERO,
        });
        Ok(())
    }

    pub(super) fn run(&mut self, size: Size) -> Result<(), String> {
        for _ in 0..size.pick(15, 11, 1) {
            for server in &mut self.servers {
                server.turn()?;
            }
            // The next round goes the other way: nobody always follows the same one.
            self.servers.reverse();
        }
        Ok(())
    }

    /// Requests a second, and microseconds of processor time a request.
    pub(super) fn figures(&self, name: &str) -> (f64, f64) {
        let server = self.servers.iter().find(|server| server.name == name);
        server.map_or((f64::NAN, f64::NAN), |server| {
            (median(server.rates.clone()), server.cpu_of_one() * 1e6)
        })
    }

    /// How many times a yardstick's throughput: by the clock, the median over the rounds, and by the processor time
    /// that the servers themselves took, which leaves out the client's share of the machine.
    pub(super) fn over(&self, name: &str, yardstick: &str) -> (f64, f64) {
        let of = |name: &str| self.servers.iter().find(|server| server.name == name);
        let (Some(own), Some(other)) = (of(name), of(yardstick)) else {
            return (f64::NAN, f64::NAN);
        };
        let ratios = own.rates.iter().zip(&other.rates);
        let ratios = ratios.map(|(own, other)| own / other).collect();
        (median(ratios), other.cpu_of_one() / own.cpu_of_one())
    }
}

impl Server {
    fn turn(&mut self) -> Result<(), String> {
        let before = self.process.cpu()?;
        let (done, took) = load::during(self.process.address, &self.request, TURN)?;
        self.cpu += self.process.cpu()?.saturating_sub(before);
        self.requests += done;
        self.rates.push(done as f64 / took.as_secs_f64());
        Ok(())
    }

    fn cpu_of_one(&self) -> f64 {
        self.cpu.as_secs_f64() / self.requests as f64
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

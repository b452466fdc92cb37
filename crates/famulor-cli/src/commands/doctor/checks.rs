//! What the doctor looks at, in the order in which one thing needs another.

use std::time::{Duration, SystemTime};

use famulor_core::{ApiAnswer, Client, ErrorKind};
use serde_json::Value;

use super::environment;
use super::{Check, State};
use crate::connection::Connection;
use crate::duration::rough;
use crate::failure::Failure;
use crate::local::Local;
use crate::run::Run;
use crate::settings::{self, ConfigFile, Found, KeyOrigin, Place, Places};

/// Who asks a doctor does not want to wait for two minutes.
const PATIENCE: Duration = Duration::from_secs(15);

/// A certificate is refused by a clock that is wrong by a day; an HTTP date is no finer than a second.
const CLOCK_WARNS: Duration = Duration::from_secs(30);
const CLOCK_FAILS: Duration = Duration::from_secs(300);

pub(super) async fn all(local: Local) -> Vec<Check> {
    let mut checks = vec![config(&local)];
    let mut run = match Run::new(local.global, local.environment) {
        Ok(run) => run,
        Err(failure) => {
            // A broken file breaks the settings: once is enough to say so.
            if checks.iter().all(|check| check.state == State::Ok) {
                checks.push(Check::failed("settings", failure));
            }
            let rest = ["key", "proxy", "API", "clock", "state", "quota"];
            checks.extend(rest.map(|name| {
                let why = "not looked at: the settings come first";
                Check::new(name, State::Skipped, why)
            }));
            return checks;
        }
    };
    checks.push(Check::ok(
        "settings",
        format!(
            "profile {}, {}",
            run.settings.profile.value,
            run.settings.effective_base_url()
        ),
    ));
    let found = key(&mut run, &mut checks).await;
    checks.push(environment::proxy(&run));
    let state = environment::state_directory(&run);
    match Connection::open_with(&run, found).await {
        Ok(connection) => {
            api(&connection.client, &mut checks).await;
            checks.push(state);
            checks.push(quota(&connection.client).await);
        }
        Err(failure) => {
            let why = "not looked at: no client can be made";
            checks.push(Check::new("API", State::Skipped, why));
            checks.push(Check::new("clock", State::Skipped, why));
            checks.push(state);
            // Making one opens the ledger; whatever else is wrong is told by the same error.
            checks.push(Check::failed("quota", failure));
        }
    }
    checks
}

fn config(local: &Local) -> Check {
    let read = Places::of(&local.environment).and_then(|places| {
        let there = places.config_toml().is_some_and(|path| path.exists());
        ConfigFile::read(&places).map(|config| (there, config))
    });
    match read {
        Ok((true, config)) => Check::ok("config", config.path().display().to_string()),
        Ok((false, config)) => Check::ok(
            "config",
            format!("none at {}: the defaults hold", config.path().display()),
        ),
        Err(failure) => Check::failed("config", failure),
    }
}

/// The key, for the calls that follow.
async fn key(run: &mut Run, checks: &mut Vec<Check>) -> Found {
    if run.global.emulator {
        checks.push(Check::ok("key", "none is needed with --emulator"));
        return Found::None;
    }
    let found = settings::key(&run.global, &run.environment, &run.settings, &mut run.stdin);
    let found = found.await;
    checks.push(match &found {
        Ok(Found::Key { origin, .. }) => {
            let place = match origin {
                KeyOrigin::Stored(Place::File(path)) => {
                    format!("{}, which only you can read", path.display())
                }
                origin => origin.to_string(),
            };
            Check::ok("key", format!("from {place}"))
        }
        Ok(Found::Elsewhere { bound_to }) => Check::failed(
            "key",
            Failure::key_elsewhere(bound_to, run.settings.effective_base_url()),
        ),
        Ok(Found::None) => Check::failed("key", Failure::no_key()),
        Err(_) => Check::new("key", State::Failed, ""),
    });
    found.unwrap_or_else(|failure| {
        checks.pop();
        checks.push(Check::failed("key", failure));
        Found::None
    })
}

/// Asks whom the key belongs to, and reads the server's clock from its answer.
async fn api(client: &Client, checks: &mut Vec<Check>) {
    if !client.has_key() {
        let why = "not asked: there is no key to ask with";
        checks.push(Check::new("API", State::Skipped, why));
        checks.push(Check::new("clock", State::Skipped, why));
        return;
    }
    let start = std::time::Instant::now();
    let asked = match client.request("GET", "/user/me") {
        Ok(call) => call.with_deadline(PATIENCE).send().await,
        Err(error) => Err(error),
    };
    match asked {
        Ok(answer) => {
            let took = start.elapsed().as_millis();
            let who = answer
                .json()
                .and_then(|me| me.get("email").or(me.get("name")))
                .and_then(Value::as_str)
                .map_or_else(String::new, |who| format!(", as {who}"));
            checks.push(Check::ok("API", format!("answered in {took} ms{who}")));
            checks.push(clock(&answer));
        }
        Err(error) => {
            let kind = error.kind();
            let failed = Check::failed("API", Failure::from(error));
            checks.push(match kind {
                // It was reached all the same.
                ErrorKind::RateLimited => Check {
                    state: State::Warning,
                    ..failed
                },
                _ => failed,
            });
            let why = "not looked at: no answer to read it from";
            checks.push(Check::new("clock", State::Skipped, why));
        }
    }
}

fn clock(answer: &ApiAnswer) -> Check {
    let theirs = answer
        .header("date")
        .and_then(|date| httpdate::parse_http_date(date).ok());
    let Some(theirs) = theirs else {
        return Check::new("clock", State::Skipped, "the server's answer has no date");
    };
    let ours = SystemTime::now();
    let (apart, word) = match ours.duration_since(theirs) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    };
    if apart < CLOCK_WARNS {
        return Check::ok("clock", "agrees with the server's");
    }
    let state = if apart < CLOCK_FAILS {
        State::Warning
    } else {
        State::Failed
    };
    let message = format!("{} {word} the server's", rough(apart));
    Check::new("clock", state, message).next("set this machine's clock, as with NTP")
}

async fn quota(client: &Client) -> Check {
    match client.quota().await {
        Ok(status) => {
            let wait = status.next_reply_in();
            let next = if wait.is_zero() {
                "the next reply can go now".to_owned()
            } else {
                format!("the next reply can go in {}", rough(wait))
            };
            // The first is the narrowest, and the one that people ask about.
            let reply = status.limits().first().map(ToString::to_string);
            let lines: Vec<String> = std::iter::once(next).chain(reply).collect();
            Check::ok("quota", lines.join("; "))
        }
        Err(error) => Check::failed("quota", Failure::from(error)),
    }
}

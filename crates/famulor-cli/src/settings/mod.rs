//! What this run is to do its work with: flag > environment > profile > default.

mod bound_url;
mod credentials;
mod document;
mod environment;
mod files;
mod keyring;
mod layers;
mod report;

use std::time::Duration;

use famulor_core::{AssistantId, AssistantUuid, Limit};

pub(crate) use self::credentials::{Found, KeyOrigin, Place, StoredKeys, key, typed_key};
pub(crate) use self::document::Document;
pub(crate) use self::environment::Environment;
pub(crate) use self::files::{ConfigFile, Places};
pub(crate) use self::layers::{Layers, Origin, Setting};
pub(crate) use self::report::without_password;

use crate::args::Global;
use crate::duration;
use crate::failure::Failure;
use crate::output::Format;

/// Where the API lives, and generate-reply below it: the library's own defaults, for those who ask what they are.
pub(crate) const DEFAULT_BASE_URL: &str = "https://app.famulor.de/api";
pub(crate) const DEFAULT_REPLY_PATH: &str = "/ai/generate-reply";

/// A thing that can be set, and the names it has on its three ways in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// What it is called in `config list`, and in a profile if it can be there.
    pub(crate) key: &'static str,
    /// In a profile. `None`: not there.
    pub(crate) profile: Option<&'static str>,
    pub(crate) flag: &'static str,
    pub(crate) environment: Option<&'static str>,
}

const fn name(
    key: &'static str,
    profile: Option<&'static str>,
    flag: &'static str,
    environment: Option<&'static str>,
) -> Name {
    Name {
        key,
        profile,
        flag,
        environment,
    }
}

/// The names of everything that a profile may set come first in each row.
pub(crate) mod names {
    use super::{Name, name};

    pub(crate) const BASE_URL: Name = name(
        "base_url",
        Some("base_url"),
        "--base-url",
        Some("FAMULOR_BASE_URL"),
    );
    pub(crate) const OUTPUT: Name =
        name("output", Some("output"), "--output", Some("FAMULOR_OUTPUT"));
    pub(crate) const ASSISTANT_ID: Name = name(
        "assistant_id",
        Some("assistant_id"),
        "--assistant-id",
        Some("FAMULOR_ASSISTANT_ID"),
    );
    pub(crate) const ASSISTANT_UUID: Name = name(
        "assistant_uuid",
        Some("assistant_uuid"),
        "--assistant-uuid",
        Some("FAMULOR_ASSISTANT_UUID"),
    );
    pub(crate) const RATE_LIMIT: Name = name(
        "rate_limit",
        Some("rate_limit"),
        "--rate-limit",
        Some("FAMULOR_RATE_LIMIT"),
    );
    pub(crate) const TIMEOUT: Name = name(
        "timeout",
        Some("timeout"),
        "--timeout",
        Some("FAMULOR_TIMEOUT"),
    );
    pub(crate) const DEADLINE: Name = name(
        "deadline",
        Some("deadline"),
        "--deadline",
        Some("FAMULOR_DEADLINE"),
    );
    pub(crate) const MAX_WAIT: Name = name(
        "max_wait",
        Some("max_wait"),
        "--max-wait",
        Some("FAMULOR_MAX_WAIT"),
    );
    pub(crate) const QUOTA_STORE: Name = name(
        "quota_store",
        Some("quota_store"),
        "--quota-store",
        Some("FAMULOR_QUOTA_STORE"),
    );
    pub(crate) const REPLY_PATH: Name = name(
        "reply_path",
        Some("reply_path"),
        "--reply-path",
        Some("FAMULOR_REPLY_PATH"),
    );
    pub(crate) const DOUBT_WAIT: Name = name(
        "doubt_wait",
        None,
        "--doubt-wait",
        Some("FAMULOR_DOUBT_WAIT"),
    );
    pub(crate) const MAX_RETRIES: Name = name(
        "max_retries",
        None,
        "--max-retries",
        Some("FAMULOR_MAX_RETRIES"),
    );
    pub(crate) const NO_INPUT: Name =
        name("no_input", None, "--no-input", Some("FAMULOR_NO_INPUT"));

    /// What `config.toml` may say in a profile.
    pub(crate) const IN_A_PROFILE: [Name; 10] = [
        BASE_URL,
        OUTPUT,
        ASSISTANT_ID,
        ASSISTANT_UUID,
        RATE_LIMIT,
        TIMEOUT,
        DEADLINE,
        MAX_WAIT,
        QUOTA_STORE,
        REPLY_PATH,
    ];
}

/// The account's limit of replies, as it was given.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RateLimit {
    Limit(Limit),
    /// No limit on this side at all.
    Off,
}

impl std::fmt::Display for RateLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Limit(limit) => limit.fmt(f),
            Self::Off => f.write_str("off"),
        }
    }
}

impl RateLimit {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text.trim() {
            "off" => Ok(Self::Off),
            limit => limit
                .parse()
                .map(Self::Limit)
                .map_err(|error| error.to_string()),
        }
    }
}

/// The settings of this run. `None` leaves it to the library's own default.
pub(crate) struct Settings {
    pub(crate) profile: Setting<String>,
    /// The address of the profile alone, whatever flag and environment say: where a key without one belongs.
    pub(crate) base_url_of_profile: Option<String>,
    pub(crate) base_url: Option<Setting<String>>,
    pub(crate) reply_path: Option<Setting<String>>,
    pub(crate) output: Setting<Format>,
    pub(crate) assistant_id: Option<Setting<AssistantId>>,
    pub(crate) assistant_uuid: Option<Setting<AssistantUuid>>,
    pub(crate) rate_limit: Option<Setting<RateLimit>>,
    pub(crate) timeout: Option<Setting<Duration>>,
    pub(crate) deadline: Option<Setting<Duration>>,
    pub(crate) max_wait: Option<Setting<Duration>>,
    pub(crate) doubt_wait: Option<Setting<Duration>>,
    pub(crate) max_retries: Option<Setting<u32>>,
    pub(crate) quota_store: Option<Setting<String>>,
    pub(crate) no_input: bool,
    pub(crate) places: Places,
}

impl Settings {
    pub(crate) fn resolve(global: &Global, environment: &Environment) -> Result<Self, Failure> {
        let places = Places::of(environment)?;
        let config = ConfigFile::read(&places)?;
        let profile = profile(global, environment, &config)?;
        let layers = Layers {
            environment,
            config: &config,
            profile: &profile.value,
        };
        let text = |text: &str| Ok(text.to_owned());

        let flag = if global.json {
            Some(Format::Json)
        } else {
            global.output
        };
        let output = layers.pick(&names::OUTPUT, flag, str::parse)?;
        let base_url_of_profile = config.value(&profile.value, "base_url").map(str::to_owned);
        Ok(Self {
            base_url_of_profile,
            base_url: layers.pick(&names::BASE_URL, global.base_url.clone(), text)?,
            reply_path: layers.pick(&names::REPLY_PATH, None, text)?,
            output: output.unwrap_or(Setting {
                value: Format::Text,
                origin: Origin::Default,
            }),
            assistant_id: layers.pick(&names::ASSISTANT_ID, None, parse_assistant_id)?,
            assistant_uuid: layers.pick(&names::ASSISTANT_UUID, None, parse_assistant_uuid)?,
            rate_limit: layers.pick(
                &names::RATE_LIMIT,
                global.rate_limit.clone(),
                RateLimit::parse,
            )?,
            timeout: layers.pick(&names::TIMEOUT, global.timeout, duration::parse_positive)?,
            deadline: layers.pick(&names::DEADLINE, global.deadline, duration::parse_positive)?,
            max_wait: layers.pick(&names::MAX_WAIT, global.max_wait, duration::parse)?,
            doubt_wait: layers.pick(&names::DOUBT_WAIT, global.doubt_wait, duration::parse)?,
            max_retries: layers.pick(&names::MAX_RETRIES, global.max_retries, |text| {
                text.parse()
                    .map_err(|_| "not a number of retries".to_owned())
            })?,
            quota_store: layers.pick(&names::QUOTA_STORE, global.quota_store.clone(), text)?,
            no_input: layers
                .pick(
                    &names::NO_INPUT,
                    global.no_input.then_some(true),
                    parse_switch,
                )?
                .is_some_and(|switch| switch.value),
            profile,
            places,
        })
    }
}

impl Settings {
    /// How to print, as far as that can be told without a sound configuration.
    pub(crate) fn format(global: &Global, environment: &Environment) -> Option<Format> {
        if global.json {
            return Some(Format::Json);
        }
        if let Some(format) = global.output {
            return Some(format);
        }
        if let Some(format) = environment.text("FAMULOR_OUTPUT").ok().flatten() {
            return format.parse().ok();
        }
        let config = ConfigFile::read(&Places::of(environment).ok()?).ok()?;
        let profile = profile(global, environment, &config).ok()?;
        config.value(&profile.value, "output")?.parse().ok()
    }

    /// Where requests go.
    pub(crate) fn effective_base_url(&self) -> &str {
        self.base_url
            .as_ref()
            .map_or(DEFAULT_BASE_URL, |setting| &setting.value)
    }

    /// Says what is wrong with a value of `config.toml`, before it is written there.
    pub(crate) fn check(key: &str, value: &str) -> Result<(), String> {
        match key {
            "base_url" => check_base_url(value),
            "output" => value.parse::<Format>().map(drop),
            "assistant_id" => parse_assistant_id(value).map(drop),
            "assistant_uuid" => parse_assistant_uuid(value).map(drop),
            "rate_limit" => RateLimit::parse(value).map(drop),
            "timeout" | "deadline" => duration::parse_positive(value).map(drop),
            "max_wait" => duration::parse(value).map(drop),
            "quota_store" if value.trim().is_empty() => Err("empty".to_owned()),
            "reply_path" if !value.starts_with('/') => {
                Err(format!("not a path, such as {DEFAULT_REPLY_PATH}"))
            }
            _ => Ok(()),
        }
    }
}

/// The rest is checked, as always, before something is sent.
pub(crate) fn check_base_url(url: &str) -> Result<(), String> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .unwrap_or_default();
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() || host.contains('@') || url.contains(char::is_whitespace) {
        return Err(format!("not an address, such as {DEFAULT_BASE_URL}"));
    }
    Ok(())
}

/// `--profile`, FAMULOR_PROFILE, the file's `profile = "…"`, or `default`.
pub(crate) fn profile(
    global: &Global,
    environment: &Environment,
    config: &ConfigFile,
) -> Result<Setting<String>, Failure> {
    let named = if let Some(value) = global.profile.clone() {
        Setting {
            value,
            origin: Origin::Flag("--profile"),
        }
    } else if let Some(value) = environment.text("FAMULOR_PROFILE")? {
        Setting {
            value,
            origin: Origin::Environment("FAMULOR_PROFILE"),
        }
    } else if let Some(value) = config.active_profile() {
        Setting {
            value: value.to_owned(),
            origin: Origin::File(config.path().to_owned()),
        }
    } else {
        return Ok(Setting {
            value: "default".to_owned(),
            origin: Origin::Default,
        });
    };
    if config.has_profile(&named.value) || named.value == "default" {
        return Ok(named);
    }
    Err(Failure::config(format!(
        "there is no profile \"{}\" (from {}) in {}",
        named.value,
        named.origin,
        config.path().display()
    ))
    .next("see famulor profile list, or make it: famulor profile create NAME"))
}

pub(crate) fn parse_assistant_id(text: &str) -> Result<AssistantId, String> {
    text.trim().parse().map_err(|_| {
        "not an assistant's number, such as 123; UUIDs are for conversations".to_owned()
    })
}

pub(crate) fn parse_assistant_uuid(text: &str) -> Result<AssistantUuid, String> {
    AssistantUuid::parse(text.trim()).map_err(|_| {
        "not an assistant's UUID, such as 550e8400-e29b-41d4-a716-446655440000; numbers are for \
         replies"
            .to_owned()
    })
}

fn parse_switch(text: &str) -> Result<bool, String> {
    match text {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("neither 1 nor 0".to_owned()),
    }
}

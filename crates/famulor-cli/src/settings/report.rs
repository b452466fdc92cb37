//! Every setting with its value and where it came from, for `config list`.

use std::fmt::Display;
use std::time::Duration;

use serde::Serialize;

use super::layers::{Origin, Setting};
use super::{DEFAULT_BASE_URL, DEFAULT_REPLY_PATH, Name, Settings, names};

/// A setting as `config list` shows it.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) key: &'static str,
    /// `None`: not set, and there is no default.
    pub(crate) value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<String>,
}

impl Settings {
    /// The profile, the keys of `config.toml` in their order, and what has a flag and a variable only.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let quota_store = self.places.quota_sqlite();
        let quota_store =
            quota_store.map_or("memory".to_owned(), |path| path.display().to_string());
        let duration = |value: &Duration| humantime::format_duration(*value).to_string();
        let profile = Row {
            key: "profile",
            value: Some(self.profile.value.clone()),
            origin: Some(self.profile.origin.to_string()),
        };
        vec![
            profile,
            row(&names::BASE_URL, &self.base_url, text, DEFAULT_BASE_URL),
            Row {
                key: "output",
                value: Some(self.output.value.to_string()),
                origin: Some(self.output.origin.to_string()),
            },
            row(&names::ASSISTANT_ID, &self.assistant_id, text, None::<&str>),
            row(
                &names::ASSISTANT_UUID,
                &self.assistant_uuid,
                text,
                None::<&str>,
            ),
            row(&names::RATE_LIMIT, &self.rate_limit, text, "5/60s"),
            row(&names::TIMEOUT, &self.timeout, duration, "1m"),
            row(&names::DEADLINE, &self.deadline, duration, "2m"),
            row(&names::MAX_WAIT, &self.max_wait, duration, "the deadline"),
            row(
                &names::QUOTA_STORE,
                &self.quota_store,
                |url| without_password(url),
                &*quota_store,
            ),
            row(
                &names::REPLY_PATH,
                &self.reply_path,
                text,
                DEFAULT_REPLY_PATH,
            ),
            row(&names::DOUBT_WAIT, &self.doubt_wait, duration, "2m"),
            row(&names::MAX_RETRIES, &self.max_retries, text, "3"),
        ]
    }
}

fn text(value: &impl Display) -> String {
    value.to_string()
}

fn row<'a, T>(
    name: &Name,
    setting: &Option<Setting<T>>,
    show: impl Fn(&T) -> String,
    default: impl Into<Option<&'a str>>,
) -> Row {
    let default = default.into();
    let (value, origin) = match setting {
        Some(setting) => (Some(show(&setting.value)), &setting.origin),
        None => (default.map(str::to_owned), &Origin::Default),
    };
    Row {
        key: name.key,
        origin: value.is_some().then(|| origin.to_string()),
        value,
    }
}

/// `postgres://me:***@host/db`: a password is for the server it opens.
pub(crate) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let Some((who, host)) = authority.rsplit_once('@') else {
        return url.to_owned();
    };
    let user = who.split_once(':').map_or(who, |(user, _)| user);
    let password = if who.contains(':') { ":***" } else { "" };
    format!("{scheme}://{user}{password}@{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn a_password_is_not_shown() {
        for (url, shown) in [
            ("memory", "memory"),
            ("/var/lib/quota.sqlite", "/var/lib/quota.sqlite"),
            (
                "postgres://me:s:e@c@host/db?x=1",
                "postgres://me:***@host/db?x=1",
            ),
            ("redis://:secret@host", "redis://:***@host"),
            ("postgres://me@host/db", "postgres://me@host/db"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}

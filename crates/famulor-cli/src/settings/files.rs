//! `config.toml`: profiles, and nothing secret.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use serde::Deserialize;
use toml::Value;

use super::environment::Environment;
use super::names;
use crate::failure::Failure;

/// Where this tool's files are.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// `None` on a machine without a home: then there are no files to read.
    config: Option<PathBuf>,
    state: Option<PathBuf>,
}

impl Places {
    /// FAMULOR_CONFIG_DIR and FAMULOR_STATE_DIR, else `famulor` in the XDG directories.
    pub(crate) fn of(environment: &Environment) -> Result<Self, Failure> {
        let base = etcetera::choose_base_strategy().ok();
        let given = |name| -> Result<_, Failure> { Ok(environment.text(name)?.map(PathBuf::from)) };
        let config = base.as_ref().map(|base| base.config_dir().join("famulor"));
        let state = base.and_then(|base| Some(base.state_dir()?.join("famulor")));
        Ok(Self {
            config: given("FAMULOR_CONFIG_DIR")?.or(config),
            state: given("FAMULOR_STATE_DIR")?.or(state),
        })
    }

    /// The use of the limits, shared by all commands of this user.
    pub(crate) fn quota_sqlite(&self) -> Option<PathBuf> {
        Some(self.state.as_ref()?.join("quota.sqlite"))
    }

    /// The messages of batches.
    pub(crate) fn outbox_sqlite(&self) -> Option<PathBuf> {
        Some(self.state.as_ref()?.join("outbox.sqlite"))
    }

    pub(crate) fn config_toml(&self) -> Option<PathBuf> {
        Some(self.config.as_ref()?.join("config.toml"))
    }

    pub(crate) fn state_directory(&self) -> Option<&Path> {
        self.state.as_deref()
    }

    pub(crate) fn credentials_toml(&self) -> Option<PathBuf> {
        Some(self.config.as_ref()?.join("credentials.toml"))
    }
}

/// ```toml
/// profile = "work"            # the profile to use when none is named
///
/// [profiles.work]
/// base_url = "https://app.famulor.de/api"
/// assistant_id = 123
/// ```
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    profile: Option<String>,
    #[serde(default)]
    profiles: BTreeMap<String, BTreeMap<String, Value>>,
}

/// The configuration file as read; all values as text.
pub(crate) struct ConfigFile {
    path: PathBuf,
    active: Option<String>,
    profiles: BTreeMap<String, BTreeMap<String, String>>,
}

impl ConfigFile {
    /// An absent file is an empty one.
    pub(crate) fn read(places: &Places) -> Result<Self, Failure> {
        let path = places
            .config_toml()
            .unwrap_or_else(|| PathBuf::from("config.toml"));
        let text = match places.config_toml().map(std::fs::read_to_string) {
            None => String::new(),
            Some(Ok(text)) => text,
            Some(Err(error)) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Some(Err(error)) => {
                return Err(Failure::config(format!(
                    "cannot read {}: {error}",
                    path.display()
                )));
            }
        };
        Self::parse(path, &text)
    }

    fn parse(path: PathBuf, text: &str) -> Result<Self, Failure> {
        let wrong = |what: String| Failure::config(format!("{}: {what}", path.display()));
        let contents: Contents =
            toml::from_str(text).map_err(|error| wrong(one_line(text, &error)))?;
        let mut profiles = BTreeMap::new();
        for (profile, values) in contents.profiles {
            let mut texts = BTreeMap::new();
            for (key, value) in values {
                // Passing over a misspelt key would send messages to the wrong place.
                if !names::IN_A_PROFILE
                    .iter()
                    .any(|name| name.profile == Some(&key))
                {
                    let known: Vec<_> = names::IN_A_PROFILE
                        .iter()
                        .filter_map(|name| name.profile)
                        .collect();
                    return Err(wrong(format!(
                        "profile {profile} has an unknown key \"{key}\"; known are {}",
                        known.join(", ")
                    )));
                }
                let text = match value {
                    Value::String(text) => text,
                    Value::Integer(number) => number.to_string(),
                    _ => {
                        return Err(wrong(format!(
                            "{key} of profile {profile} must be a text in quotes"
                        )));
                    }
                };
                texts.insert(key, text);
            }
            profiles.insert(profile, texts);
        }
        Ok(Self {
            path,
            active: contents.profile,
            profiles,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn active_profile(&self) -> Option<&str> {
        self.active.as_deref()
    }

    pub(crate) fn profiles(&self) -> impl Iterator<Item = &str> {
        self.profiles.keys().map(String::as_str)
    }

    pub(crate) fn has_profile(&self, name: &str) -> bool {
        self.profiles.contains_key(name)
    }

    pub(crate) fn value(&self, profile: &str, key: &str) -> Option<&str> {
        Some(self.profiles.get(profile)?.get(key)?.as_str())
    }
}

/// The parser's complaint without the excerpt that it draws: in the file of
/// keys, the excerpt would be a key.
pub(super) fn one_line(text: &str, error: &toml::de::Error) -> String {
    format!("{}{}", line_of(text, error.span()), error.message())
}

/// `line 4: `, or nothing if the place is not known.
pub(super) fn line_of(text: &str, span: Option<std::ops::Range<usize>>) -> String {
    let Some(span) = span else {
        return String::new();
    };
    let before = text.as_bytes().iter().take(span.start);
    format!(
        "line {}: ",
        1 + before.filter(|byte| **byte == b'\n').count()
    )
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::ConfigFile;

    fn parse(text: &str) -> Result<ConfigFile, crate::failure::Failure> {
        ConfigFile::parse(PathBuf::from("config.toml"), text)
    }

    fn complaint(text: &str) -> String {
        match parse(text) {
            Err(crate::failure::Failure::Report(report)) => report.message,
            _ => String::new(),
        }
    }

    #[test]
    fn profiles_are_read() {
        let config = parse(
            "profile = \"work\"\n[profiles.work]\nassistant_id = 123\ntimeout = \"5s\"\n\
             [profiles.empty]\n",
        )
        .unwrap_or_else(|_| panic!("this is a configuration"));
        assert_eq!(config.active_profile(), Some("work"));
        assert_eq!(config.value("work", "assistant_id"), Some("123"));
        assert_eq!(config.value("work", "timeout"), Some("5s"));
        assert_eq!(config.value("other", "timeout"), None);
        assert!(config.has_profile("empty"));
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_profile() {
        let complaint = complaint("[profiles.work]\nbase_ulr = \"x\"\n");
        assert!(
            complaint.contains("profile work has an unknown key \"base_ulr\""),
            "{complaint}"
        );
    }

    #[test]
    fn a_syntax_error_names_the_line_and_shows_no_excerpt() {
        let complaint = complaint("\n\n[profiles.work]\ntimeout = 1|secret\n");
        assert!(complaint.starts_with("config.toml: line 4"), "{complaint}");
        assert!(!complaint.contains("secret"), "{complaint}");
    }
}

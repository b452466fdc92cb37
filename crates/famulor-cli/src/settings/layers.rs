//! Which layer a value comes from.

use std::fmt;
use std::path::PathBuf;

use super::Name;
use super::environment::Environment;
use super::files::ConfigFile;
use crate::failure::Failure;

/// A value, and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag(&'static str),
    Environment(&'static str),
    Profile {
        key: &'static str,
        profile: String,
        file: PathBuf,
    },
    File(PathBuf),
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(flag),
            Self::Environment(variable) => f.write_str(variable),
            Self::Profile { key, profile, file } => {
                write!(f, "{key} of profile {profile} in {}", file.display())
            }
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Default => f.write_str("the default"),
        }
    }
}

/// The layers below the flags.
pub(crate) struct Layers<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) config: &'a ConfigFile,
    pub(crate) profile: &'a str,
}

impl Layers<'_> {
    /// The first layer that has it. A bad value is an error even so: it says
    /// where it stands instead of being passed over.
    pub(crate) fn pick<T>(
        &self,
        name: &Name,
        flag: Option<T>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<Setting<T>>, Failure> {
        if let Some(value) = flag {
            return Ok(Some(Setting {
                value,
                origin: Origin::Flag(name.flag),
            }));
        }
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        match parse(&text.value) {
            Ok(value) => Ok(Some(Setting {
                value,
                origin: text.origin,
            })),
            Err(problem) => Err(Failure::config(format!(
                "{} is \"{}\": {problem}",
                text.origin, text.value
            ))),
        }
    }

    /// The value as it stands in the environment or the profile.
    pub(crate) fn text(&self, name: &Name) -> Result<Option<Setting<String>>, Failure> {
        if let Some(variable) = name.environment
            && let Some(value) = self.environment.text(variable)?
        {
            return Ok(Some(Setting {
                value,
                origin: Origin::Environment(variable),
            }));
        }
        let Some(key) = name.profile else {
            return Ok(None);
        };
        Ok(self.config.value(self.profile, key).map(|value| Setting {
            value: value.to_owned(),
            origin: Origin::Profile {
                key,
                profile: self.profile.to_owned(),
                file: self.config.path().to_owned(),
            },
        }))
    }
}

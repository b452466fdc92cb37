//! The API key: from a file that was named, the environment, or where `auth login` has put it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::bound_url::normal;
use super::document::Document;
use super::environment::Environment;
use super::files::{Places, one_line};
use super::{DEFAULT_BASE_URL, Settings, keyring};
use crate::args::Global;
use crate::failure::Failure;
use crate::stdin::Stdin;

const VARIABLE: &str = "FAMULOR_API_KEY";

/// Nobody's key is longer; a file that is, is the wrong file.
const LONGEST_KEY_FILE: u64 = 64 * 1024;

/// What the search for a key came to. No `Debug`: it holds the key.
pub(crate) enum Found {
    Key {
        key: String,
        origin: KeyOrigin,
    },
    /// There is one, for another address: it is not sent to this one.
    Elsewhere {
        bound_to: String,
    },
    None,
}

/// Where a key came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyOrigin {
    File,
    Environment,
    Stored(Place),
}

impl std::fmt::Display for KeyOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File => f.write_str("--api-key-file"),
            Self::Environment => f.write_str(VARIABLE),
            Self::Stored(place) => place.fmt(f),
        }
    }
}

/// Where `auth login` puts a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    File(PathBuf),
    Keyring,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Keyring => f.write_str("the system's keyring"),
        }
    }
}

/// The key, if there is one. No message shows it, nor the name of a file that
/// was not found: that may be a key given to the wrong flag.
pub(crate) async fn key(
    global: &Global,
    environment: &Environment,
    settings: &Settings,
    stdin: &mut Stdin,
) -> Result<Found, Failure> {
    if let Some(file) = &global.api_key_file {
        let key = from_file(file, stdin).await?;
        let origin = KeyOrigin::File;
        return Ok(Found::Key { key, origin });
    }
    match environment.raw(VARIABLE) {
        Some(value) if value.is_empty() => {
            return Err(Failure::config(format!("{VARIABLE} is set, and empty"))
                .next(format!("set it to the key, or unset {VARIABLE}")));
        }
        Some(_) => {
            let key = environment.text(VARIABLE)?.unwrap_or_default();
            let key = valid(key, VARIABLE)?;
            let origin = KeyOrigin::Environment;
            return Ok(Found::Key { key, origin });
        }
        None => {}
    }
    let Some(stored) = StoredKeys::read(&settings.places)? else {
        return Ok(Found::None);
    };
    stored.find(settings)
}

/// A key that was typed or piped in, checked.
pub(crate) fn typed_key(line: String) -> Result<String, Failure> {
    valid(line.trim().to_owned(), "standard input")
}

async fn from_file(file: &str, stdin: &mut Stdin) -> Result<String, Failure> {
    let text = if file == "-" {
        stdin.take("--api-key-file")?;
        Stdin::contents("--api-key-file").await?
    } else {
        let unreadable = |error: io::Error| {
            Failure::config(format!(
                "cannot read the file given with --api-key-file: {error}"
            ))
        };
        let mut text = String::new();
        File::open(file)
            .and_then(|file| file.take(LONGEST_KEY_FILE).read_to_string(&mut text))
            .map_err(unreadable)?;
        text
    };
    // Files end with a line break; one further on is a second line, which no key has.
    let key = text.trim_end_matches(['\r', '\n']);
    valid(key.to_owned(), "the file given with --api-key-file")
}

/// What an HTTP header can carry, checked here so that the message names the place.
fn valid(key: String, place: &str) -> Result<String, Failure> {
    if key.trim().is_empty() {
        return Err(Failure::config(format!("the key in {place} is empty")));
    }
    if key.chars().any(|c| c.is_control()) {
        return Err(Failure::config(format!(
            "the key in {place} has a line break or another control character in it"
        )));
    }
    if !key.is_ascii() || key.contains(' ') {
        return Err(Failure::config(format!(
            "the key in {place} has a character that no key has: a space, or a letter that is \
             not plain ASCII"
        )));
    }
    Ok(key)
}

/// ```toml
/// [profiles.work]
/// base_url = "https://app.famulor.de/api"   # the only address that the key is sent to
/// api_key = "…"                             # or keyring = true
/// ```
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    #[serde(default)]
    profiles: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    api_key: Option<String>,
    base_url: Option<String>,
    #[serde(default)]
    keyring: bool,
}

/// `credentials.toml`.
pub(crate) struct StoredKeys {
    path: PathBuf,
    profiles: BTreeMap<String, Entry>,
}

impl StoredKeys {
    /// `None` if there is no such file.
    pub(crate) fn read(places: &Places) -> Result<Option<Self>, Failure> {
        let Some(path) = places.credentials_toml() else {
            return Ok(None);
        };
        let unreadable =
            |error: io::Error| Failure::config(format!("cannot read {}: {error}", path.display()));
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        refuse_if_others_can_read(&file, &path)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(unreadable)?;
        let contents: Contents = toml::from_str(&text).map_err(|error| {
            Failure::config(format!("{}: {}", path.display(), one_line(&text, &error)))
        })?;
        let profiles = contents.profiles;
        Ok(Some(Self { path, profiles }))
    }

    fn find(self, settings: &Settings) -> Result<Found, Failure> {
        let profile = &settings.profile.value;
        let Some(entry) = self.profiles.get(profile) else {
            return Ok(Found::None);
        };
        if entry.api_key.is_none() && !entry.keyring {
            return Ok(Found::None);
        }
        let of_profile = settings.base_url_of_profile.as_deref();
        // A key that was written into the file by hand belongs where its profile does.
        let bound_to = entry.base_url.as_deref().or(of_profile);
        let bound_to = bound_to.unwrap_or(DEFAULT_BASE_URL);
        if normal(bound_to) != normal(settings.effective_base_url()) {
            return Ok(Found::Elsewhere {
                bound_to: bound_to.to_owned(),
            });
        }
        let place = match &entry.api_key {
            Some(_) => Place::File(self.path.clone()),
            None => Place::Keyring,
        };
        let key = match &entry.api_key {
            Some(key) => Some(key.clone()),
            None => keyring::read(profile)?,
        };
        let Some(key) = key else {
            return Ok(Found::None);
        };
        let key = valid(key, &place.to_string())?;
        let origin = KeyOrigin::Stored(place);
        Ok(Found::Key { key, origin })
    }

    /// Stores the key of a profile, for one address alone.
    pub(crate) fn store(
        settings: &Settings,
        key: &str,
        in_keyring: bool,
    ) -> Result<Place, Failure> {
        let path = path(&settings.places)?;
        let profile = &settings.profile.value;
        // Not written into a file that others can read, nor over one that is broken.
        let before = Self::read(&settings.places)?;
        let was_in_keyring = before.is_some_and(|stored| stored.has_in_keyring(profile));
        let mut file = Document::read(&path)?;
        file.set(profile, "base_url", settings.effective_base_url())?;
        let place = if in_keyring {
            keyring::write(profile, key)?;
            file.unset(profile, "api_key");
            file.set(profile, "keyring", true)?;
            Place::Keyring
        } else {
            if was_in_keyring {
                // Left there, nobody would find it again. A keyring that cannot be used may be why a file is wanted.
                let _ = keyring::delete(profile);
            }
            file.unset(profile, "keyring");
            file.set(profile, "api_key", key)?;
            Place::File(path)
        };
        file.write()?;
        Ok(place)
    }

    fn has_in_keyring(&self, profile: &str) -> bool {
        let entry = self.profiles.get(profile);
        entry.is_some_and(|entry| entry.keyring)
    }

    /// Forgets the key of a profile; says whether there was one.
    pub(crate) fn forget(places: &Places, profile: &str) -> Result<bool, Failure> {
        let Some(stored) = Self::read(places)? else {
            return Ok(false);
        };
        if stored.has_in_keyring(profile) {
            keyring::delete(profile)?;
        }
        let mut file = Document::read(&stored.path)?;
        let was_there = file.remove_profile(profile);
        if was_there {
            file.write()?;
        }
        Ok(was_there)
    }
}

fn path(places: &Places) -> Result<PathBuf, Failure> {
    places.credentials_toml().ok_or_else(|| {
        Failure::config("this machine has no home directory to keep a key in")
            .next("name a directory with FAMULOR_CONFIG_DIR, or set FAMULOR_API_KEY")
    })
}

#[cfg(unix)]
fn refuse_if_others_can_read(file: &File, path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;

    let metadata = file
        .metadata()
        .map_err(|error| Failure::config(format!("cannot look at {}: {error}", path.display())))?;
    if metadata.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(
        Failure::config(format!("others can read the keys in {}", path.display()))
            .next(format!("run: chmod 600 {}", quoted(path))),
    )
}

#[cfg(not(unix))]
fn refuse_if_others_can_read(_: &File, _: &Path) -> Result<(), Failure> {
    Ok(())
}

/// The path as a shell takes it.
#[cfg(unix)]
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@:,".contains(c);
    if text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

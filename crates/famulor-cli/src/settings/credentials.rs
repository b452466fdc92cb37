//! The API key: from a file that was named, the environment, or `credentials.toml`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::Deserialize;

use super::Settings;
use super::environment::Environment;
use super::files::one_line;
use crate::args::Global;
use crate::failure::Failure;
use crate::stdin::Stdin;

const VARIABLE: &str = "FAMULOR_API_KEY";

/// Nobody's key is longer; a file that is, is the wrong file.
const LONGEST_KEY_FILE: u64 = 64 * 1024;

/// The key, if there is one. No message shows it, nor the name of a file that
/// was not found: that may be a key given to the wrong flag.
pub(crate) async fn key(
    global: &Global,
    environment: &Environment,
    settings: &Settings,
    stdin: &mut Stdin,
) -> Result<Option<String>, Failure> {
    if let Some(file) = &global.api_key_file {
        return from_file(file, stdin).await.map(Some);
    }
    match environment.raw(VARIABLE) {
        Some(value) if value.is_empty() => {
            return Err(Failure::config(format!("{VARIABLE} is set, and empty"))
                .next(format!("set it to the key, or unset {VARIABLE}")));
        }
        Some(_) => {
            let key = environment.text(VARIABLE)?.unwrap_or_default();
            return valid(key, VARIABLE).map(Some);
        }
        None => {}
    }
    match settings.places.credentials_toml() {
        Some(path) => from_credentials(&path, &settings.profile.value),
        None => Ok(None),
    }
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
/// api_key = "…"
/// ```
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    #[serde(default)]
    profiles: BTreeMap<String, Keys>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    api_key: Option<String>,
}

fn from_credentials(path: &Path, profile: &str) -> Result<Option<String>, Failure> {
    let shown = path.display();
    let unreadable =
        |error: io::Error| Failure::config(format!("cannot read {}: {error}", path.display()));
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    refuse_if_others_can_read(&file, path)?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(unreadable)?;
    let contents: Contents = toml::from_str(&text)
        .map_err(|error| Failure::config(format!("{shown}: {}", one_line(&text, &error))))?;
    match contents
        .profiles
        .into_iter()
        .find(|(name, _)| name == profile)
    {
        Some((_, Keys { api_key: Some(key) })) => valid(key, &shown.to_string()).map(Some),
        _ => Ok(None),
    }
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

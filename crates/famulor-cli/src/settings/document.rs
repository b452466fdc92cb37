//! Changing `config.toml` and `credentials.toml`: comments and order stay as people wrote them.

use std::io;
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use super::files::line_of;
use crate::failure::Failure;
use crate::private_file;

/// A file as it was read, to be changed and written back.
pub(crate) struct Document {
    path: PathBuf,
    contents: DocumentMut,
}

impl Document {
    /// An absent file is an empty one.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(Failure::config(format!(
                    "cannot read {}: {error}",
                    path.display()
                )));
            }
        };
        let contents = text.parse::<DocumentMut>().map_err(|error| {
            // Without the excerpt that the parser draws: it may be a key.
            let line = line_of(&text, error.span());
            Failure::config(format!("{}: {line}{}", path.display(), error.message()))
        })?;
        Ok(Self {
            path: path.to_owned(),
            contents,
        })
    }

    /// Makes an empty profile, if there is none of that name.
    pub(crate) fn create_profile(&mut self, name: &str) -> Result<(), Failure> {
        self.profile_or_new(name).map(drop)
    }

    /// Sets a value, over the one that is there.
    pub(crate) fn set(
        &mut self,
        profile: &str,
        key: &str,
        value: impl Into<Value>,
    ) -> Result<(), Failure> {
        let table = self.profile_or_new(profile)?;
        put(table, key, value.into());
        Ok(())
    }

    /// Takes a value out; says whether it was there.
    pub(crate) fn unset(&mut self, profile: &str, key: &str) -> bool {
        self.profile(profile)
            .is_some_and(|table| table.remove(key).is_some())
    }

    /// Takes a whole profile out; says whether it was there.
    pub(crate) fn remove_profile(&mut self, name: &str) -> bool {
        self.profiles()
            .is_some_and(|profiles| profiles.remove(name).is_some())
    }

    /// The profile to use when none is named; `None` takes the choice back.
    pub(crate) fn choose_profile(&mut self, name: Option<&str>) {
        match name {
            Some(name) => put(self.contents.as_table_mut(), "profile", name.into()),
            None => {
                self.contents.remove("profile");
            }
        }
    }

    /// The profile that the file names, or `default`.
    pub(crate) fn chosen_profile(&self) -> Option<String> {
        match self.contents.get("profile") {
            None => Some("default".to_owned()),
            Some(name) => name.as_str().map(str::to_owned),
        }
    }

    /// Writes the file back, readable by its owner alone.
    pub(crate) fn write(&self) -> Result<(), Failure> {
        private_file::write(&self.path, &self.contents.to_string()).map_err(|error| {
            Failure::config(format!("cannot write {}: {error}", self.path.display()))
        })
    }

    fn profiles(&mut self) -> Option<&mut dyn TableLike> {
        self.contents.get_mut("profiles")?.as_table_like_mut()
    }

    fn profile(&mut self, name: &str) -> Option<&mut dyn TableLike> {
        self.profiles()?.get_mut(name)?.as_table_like_mut()
    }

    fn profile_or_new(&mut self, name: &str) -> Result<&mut dyn TableLike, Failure> {
        let wrong = |path: &Path| {
            Failure::config(format!(
                "{}: profiles must be tables, as in [profiles.{name}]",
                path.display()
            ))
        };
        if !self.contents.contains_key("profiles") {
            let mut table = Table::new();
            // `[profiles.work]` alone, without a `[profiles]` above it.
            table.set_implicit(true);
            self.contents.insert("profiles", Item::Table(table));
        }
        let path = self.path.clone();
        let profiles = self.profiles().ok_or_else(|| wrong(&path))?;
        if !profiles.contains_key(name) {
            profiles.insert(name, Item::Table(Table::new()));
        }
        profiles
            .get_mut(name)
            .and_then(Item::as_table_like_mut)
            .ok_or_else(|| wrong(&path))
    }
}

/// Puts a value in, in the place and with the comments of the one that is there.
fn put(table: &mut dyn TableLike, key: &str, mut value: Value) {
    match table.get_mut(key) {
        Some(item) => {
            if let Some(before) = item.as_value() {
                *value.decor_mut() = before.decor().clone();
            }
            *item = Item::Value(value);
        }
        None => {
            table.insert(key, Item::Value(value));
        }
    }
}

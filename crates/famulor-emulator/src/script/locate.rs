//! Where in a YAML text a key or an item stands.
//!
//! The parser tells positions with errors only. So this reads the text once
//! more, walks to the place, and fails there.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A step down into a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Item(usize),
}

/// A way through a document, as it is shown: `assistants[0].name`.
#[derive(Clone, Debug, Default)]
pub(super) struct Way(pub(super) Vec<Step>);

impl Way {
    pub(super) fn key(&self, key: &str) -> Self {
        let mut way = self.clone();
        way.0.push(Step::Key(key.to_owned()));
        way
    }

    pub(super) fn item(&self, index: usize) -> Self {
        let mut way = self.clone();
        way.0.push(Step::Item(index));
        way
    }

    /// Line and column of the last step that is there.
    pub(super) fn position(&self, text: &str) -> (usize, usize) {
        (0..=self.0.len())
            .rev()
            .find_map(|length| {
                let walk = Walk(&self.0[..length]);
                let error = walk
                    .deserialize(serde_yaml_ng::Deserializer::from_str(text))
                    .err()?;
                let position = error.location()?;
                Some((position.line(), position.column()))
            })
            .unwrap_or((1, 1))
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if index == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Item(item) => write!(f, "[{item}]")?,
            }
        }
        Ok(())
    }
}

/// Fails at the end of the way, succeeds where there is no such place.
struct Walk<'a>(&'a [Step]);

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

fn here<T, E: Error>() -> Result<T, E> {
    Err(E::custom("here"))
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((Step::Key(wanted), rest)) = self.0.split_first() else {
            if self.0.is_empty() {
                return here();
            }
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(());
        };
        let key = Key {
            wanted,
            is_last: rest.is_empty(),
        };
        while let Some(found) = map.next_key_seed(Key { ..key })? {
            if found {
                map.next_value_seed(Walk(rest))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let (wanted, rest) = match self.0.split_first() {
            None => return here(),
            Some((Step::Item(wanted), rest)) => (Some(*wanted), rest),
            Some(_) => (None, self.0),
        };
        let mut index = 0;
        loop {
            let more = if wanted == Some(index) {
                items.next_element_seed(Walk(rest))?.is_some()
            } else {
                items.next_element::<IgnoredAny>()?.is_some()
            };
            if !more {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.scalar()
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.scalar()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.scalar()
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.scalar()
    }
}

impl Walk<'_> {
    fn scalar<E: Error>(self) -> Result<(), E> {
        if self.0.is_empty() { here() } else { Ok(()) }
    }
}

/// Whether this key is the wanted one; fails there if the way ends with it.
#[derive(Clone, Copy)]
struct Key<'a> {
    wanted: &'a str,
    is_last: bool,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<bool, E> {
        if key == self.wanted && self.is_last {
            return here();
        }
        Ok(key == self.wanted)
    }
}

//! The command that goes on where this one was stopped.

use std::ffi::OsStr;

/// The command line of this process, as a shell takes it.
pub(super) fn command_line() -> String {
    of(std::env::args_os().skip(1))
}

fn of<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> String {
    std::iter::once("famulor".to_owned())
        .chain(arguments.into_iter().map(|argument| {
            let argument = argument.as_ref().to_string_lossy();
            quoted(&without_password(&argument))
        }))
        .collect::<Vec<_>>()
        .join(" ")
}

/// The famulor commands that are named to a person: with the flags that name the store.
pub(super) fn batch(verb: &str, job: &str, store: Option<&str>) -> String {
    let mut words = vec!["batch", verb, "--job", job];
    if let Some(store) = store {
        words.extend(["--store", store]);
    }
    of(words)
}

/// As one word of a POSIX shell.
fn quoted(argument: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', r"'\''"))
}

/// A database's URL may hold one, and what is printed ends up in logs.
pub(super) fn without_password(argument: &str) -> String {
    let hidden = || {
        let (scheme, rest) = argument.split_once("://")?;
        let authority = rest.split(['/', '?']).next()?;
        let (user, host) = authority.rsplit_once('@')?;
        let (name, _) = user.split_once(':')?;
        let behind = &rest[authority.len()..];
        Some(format!("{scheme}://{name}:…@{host}{behind}"))
    };
    hidden().unwrap_or_else(|| argument.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{batch, of, without_password};

    #[test]
    fn a_command_can_be_pasted_into_a_shell() {
        assert_eq!(
            of(["batch", "run", "my file.csv", "--job", "it's", "", "a=b"]),
            r"famulor batch run 'my file.csv' --job 'it'\''s' '' a=b"
        );
        assert_eq!(
            batch("export", "spring", Some("s.sqlite")),
            "famulor batch export --job spring --store s.sqlite"
        );
    }

    #[test]
    fn no_password_is_printed() {
        for (given, shown) in [
            ("postgres://me:secret@db/x?y=z", "postgres://me:…@db/x?y=z"),
            ("postgres://me:se@cret@db", "postgres://me:…@db"),
            ("postgres://me@db/x", "postgres://me@db/x"),
            ("postgres://db/x@y:z", "postgres://db/x@y:z"),
            ("a:b@c", "a:b@c"),
        ] {
            assert_eq!(without_password(given), shown);
        }
    }
}

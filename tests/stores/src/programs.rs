//! Finding what the machine has.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;
use std::{env, fs};

/// Where `name` is: in PATH, or in one of `folders`, which may end in a `*/bin`
/// of which the last counts.
pub(crate) fn find(name: &str, folders: &[&str]) -> Option<PathBuf> {
    let mut places = Vec::new();
    for folder in folders {
        match folder.split_once("/*/") {
            None => places.push(PathBuf::from(folder)),
            Some((above, below)) => {
                let versions = fs::read_dir(above).into_iter().flatten().flatten();
                let mut versions: Vec<_> = versions.map(|version| version.path()).collect();
                versions.sort();
                places.extend(versions.iter().rev().map(|version| version.join(below)));
            }
        }
    }
    places.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    places
        .iter()
        .map(|place| place.join(name))
        .find(|path| path.is_file())
}

/// Says once what is not tested, or fails if all must be.
pub(crate) fn missing(what: &str, package: &str) {
    static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let line = format!(
        "skipped: the tests on {what}, which is not here (Debian: apt-get install {package})"
    );
    if env::var_os("FAMULOR_REQUIRE_STORES").is_some_and(|value| value == "1") {
        panic!("FAMULOR_REQUIRE_STORES=1, and {line}");
    }
    let mut said = SAID
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if !said.contains(&line) {
        // Past the test runner, which shows nothing of a test that passes.
        let _ = writeln!(std::io::stderr(), "{line}");
        said.push(line);
    }
}

//! Whole outputs, as they were looked at and found right. `SNAPSHOTS=overwrite cargo test` writes them anew: look at
//! what git then shows.

use std::path::Path;

use snapbox::{Assert, Data, Redactions};

use crate::fixture::{Fixture, Ran};

#[track_caller]
pub(crate) fn compare(ran: &Ran, world: &Fixture, name: &str) {
    let mut redactions = Redactions::new();
    let home = world.path("").display().to_string();
    let base_url = world.emulator.base_url();
    for (placeholder, value) in [
        ("[EMULATOR]", base_url.clone()),
        ("[HOME]", home.trim_end_matches('/').to_owned()),
        ("[VERSION]", env!("CARGO_PKG_VERSION").to_owned()),
    ] {
        redactions
            .insert(placeholder, value)
            .expect("a placeholder");
    }
    let text = format!(
        "exit {}\n── standard output\n{}── standard error\n{}",
        ran.code, ran.stdout, ran.stderr
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cli/golden")
        .join(format!("{name}.txt"));
    Assert::new()
        .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
        .normalize_paths(false)
        .redact_with(redactions)
        .eq(text, Data::read_from(&path, None));
}

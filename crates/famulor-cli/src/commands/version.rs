//! `famulor version`

use serde::Serialize;

use crate::failure::Failure;
use crate::local::Local;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const TARGET: &str = env!("FAMULOR_TARGET");

#[derive(Serialize)]
struct Version {
    name: &'static str,
    version: &'static str,
    target: &'static str,
}

pub(crate) fn run(local: &Local) -> Result<(), Failure> {
    local.refuse_dry_run("version")?;
    let version = Version {
        name: "famulor",
        version: VERSION,
        target: TARGET,
    };
    local.output.object(&version, |out| {
        writeln!(out, "famulor {VERSION} ({TARGET})")
    })
}

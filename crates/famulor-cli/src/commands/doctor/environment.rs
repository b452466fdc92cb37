//! What the machine brings: proxies and the state directory.

use super::{Check, State};
use crate::private_file;
use crate::run::Run;
use crate::settings::without_password;

/// In the order in which they are asked for an https address.
const PROXIES: [&str; 6] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
];

pub(super) fn proxy(run: &Run) -> Check {
    let https = run.settings.effective_base_url().starts_with("https");
    let text = |name: &str| run.environment.text(name).ok().flatten();
    let set = PROXIES
        .iter()
        .filter(|name| https || !name.eq_ignore_ascii_case("HTTPS_PROXY"))
        .filter(|name| !https || !name.eq_ignore_ascii_case("HTTP_PROXY"))
        .find_map(|name| text(name).map(|url| (name, url)));
    let Some((name, url)) = set else {
        return Check::ok("proxy", "none");
    };
    let except = text("NO_PROXY")
        .or_else(|| text("no_proxy"))
        .map_or_else(String::new, |hosts| format!(", except to {hosts}"));
    Check::ok(
        "proxy",
        format!("{} (from {name}){except}", without_password(&url)),
    )
}

/// Whether the ledger, and what else is remembered, can be written.
pub(super) fn state_directory(run: &Run) -> Check {
    let Some(directory) = run.settings.places.state_directory() else {
        return Check::new(
            "state",
            State::Warning,
            "this machine has no home directory: separate commands share no limit",
        )
        .next("name a directory with FAMULOR_STATE_DIR");
    };
    let probe = directory.join("doctor");
    let written = private_file::write(&probe, "").and_then(|()| std::fs::remove_file(&probe));
    match written {
        Ok(()) => Check::ok("state", directory.display().to_string()),
        Err(error) => Check::new(
            "state",
            State::Failed,
            format!("cannot write in {}: {error}", directory.display()),
        )
        .next("name another directory with FAMULOR_STATE_DIR"),
    }
}

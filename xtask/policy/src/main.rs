//! The public API of a crate, from rustdoc's JSON: whose types it names, and what has changed since it was written down.
//!
//! `cargo xtask policy api` calls it; `--bless` writes the API down as it is now.

mod foreign;
mod listing;
mod signature;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use serde_json::Value;

/// The crates that promise to name no type of an HTTP client, a database or a generator, and whose types they may name.
const CRATES: &[(&str, &[&str])] = &[
    // The instant of a clock that tests can stop.
    ("famulor_quota", &["tokio"]),
    (
        "famulor_core",
        &[
            "famulor_gen",
            "famulor_quota",
            "futures_core",
            // Only with the feature of that name, which is for those who depend on it.
            "schemars",
            "serde_core",
            "serde_json",
        ],
    ),
    (
        "famulor_outbox",
        &[
            "famulor_core",
            "famulor_gen",
            "serde_core",
            "serde_json",
            "tokio_util",
        ],
    ),
];

fn main() -> ExitCode {
    let mut folder = None;
    let mut is_blessing = false;
    for word in env::args().skip(1) {
        match word.as_str() {
            "--bless" => is_blessing = true,
            _ => folder = Some(PathBuf::from(word)),
        }
    }
    let Some(folder) = folder else {
        eprintln!("policy FOLDER [--bless]: FOLDER has rustdoc's JSON");
        return ExitCode::FAILURE;
    };
    let mut problems = Vec::new();
    for (name, allowed) in CRATES {
        if let Err(cause) = check(&folder, name, allowed, is_blessing, &mut problems) {
            problems.push(format!("{name}: {cause}"));
        }
    }
    for problem in &problems {
        eprintln!("{problem}");
    }
    match problems.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn check(
    folder: &Path,
    name: &str,
    allowed: &[&str],
    is_blessing: bool,
    problems: &mut Vec<String>,
) -> Result<(), Box<dyn std::error::Error>> {
    let json = folder.join(format!("{name}.json"));
    let api: Value = serde_json::from_slice(&fs::read(json)?)?;
    for (item, foreign) in foreign::found(&api, allowed) {
        problems.push(format!(
            "{name}: {item} shows {foreign}, which users would have to depend on"
        ));
    }
    let now = listing::of(&api);
    let baseline = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("baseline/{name}.txt"));
    if is_blessing {
        fs::write(&baseline, now.join("\n") + "\n")?;
        println!("{name}: {} lines written down", now.len());
        return Ok(());
    }
    let before = fs::read_to_string(&baseline)?;
    let before: Vec<&str> = before.lines().collect();
    for line in gone(&before, &now) {
        problems.push(format!("{name}: gone or changed: {line}"));
    }
    let is_new = |line: &&String| before.binary_search(&line.as_str()).is_err();
    for line in now.iter().filter(is_new) {
        println!("{name}: new: {line}");
    }
    println!(
        "{name}: {} lines of API, {} of them as written down",
        now.len(),
        before.len()
    );
    Ok(())
}

/// What users could name before and cannot now. Both are sorted.
fn gone<'a>(before: &[&'a str], now: &[String]) -> Vec<&'a str> {
    let is_gone = |line: &&&str| now.binary_search_by(|it| it.as_str().cmp(line)).is_err();
    before.iter().filter(is_gone).copied().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{gone, listing};

    /// A crate with a struct, its method and a trait that it implements; the method takes this type.
    fn api(taken: &str) -> Value {
        let signature = json!({ "inputs": [["text", { "primitive": taken }]], "output": null });
        let implements = json!({ "path": "Clone", "id": 9, "args": null });
        json!({
            "root": 0,
            "index": {
                "0": { "crate_id": 0, "name": "ours", "inner": { "module": { "items": [1] } } },
                "1": { "crate_id": 0, "name": "Client", "inner": { "struct": { "kind": "unit", "impls": [2, 4] } } },
                "2": { "crate_id": 0, "name": null, "inner": { "impl": { "trait": null, "items": [3], "is_synthetic": false, "blanket_impl": null } } },
                "3": { "crate_id": 0, "name": "send", "inner": { "function": { "sig": signature, "header": {}, "generics": {} } } },
                "4": { "crate_id": 0, "name": null, "inner": { "impl": { "trait": implements, "items": [], "is_synthetic": false, "blanket_impl": null } } },
            },
        })
    }

    fn without(mut api: Value, id: &str) -> Value {
        api["index"].as_object_mut().expect("an index").remove(id);
        api
    }

    #[test]
    fn what_users_can_no_longer_name_or_call_as_before_is_told() {
        let lines = listing::of(&api("str"));
        let before: Vec<&str> = lines.iter().map(String::as_str).collect();
        assert_eq!(
            before,
            [
                "fn ours::Client::send(text: str)",
                "impl Clone for ours::Client",
                "struct ours::Client"
            ]
        );
        assert!(gone(&before, &lines).is_empty());
        for (now, missing) in [
            (without(api("str"), "3"), before[0]),
            (api("u8"), before[0]),
            (without(api("str"), "4"), before[1]),
        ] {
            assert_eq!(gone(&before, &listing::of(&now)), [missing]);
        }
        assert_eq!(
            gone(&before, &listing::of(&without(api("str"), "1"))),
            before
        );
    }
}

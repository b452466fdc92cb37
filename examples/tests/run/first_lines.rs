//! What an example's first lines promise.

use crate::program::{example, finish, folder};

/// Every example, and where its first lines are.
fn examples() -> Vec<(String, String)> {
    let manifest = std::fs::read_to_string(folder().join("Cargo.toml")).expect("a manifest");
    let entries = manifest.split("[[example]]").skip(1);
    let value = |entry: &str, key: &str| {
        let line = entry.lines().find_map(|line| line.strip_prefix(key));
        line.expect("a name and a path")
            .trim_matches([' ', '=', '"'])
            .to_owned()
    };
    let examples = entries.map(|entry| {
        let path = folder().join(value(entry, "path"));
        let source = std::fs::read_to_string(path).expect("a source");
        (value(entry, "name"), source)
    });
    examples.collect()
}

#[test]
fn each_example_gives_its_command_in_its_first_lines_and_stands_in_the_table() {
    let table = std::fs::read_to_string(folder().join("src/lib.rs")).expect("a library");
    let examples = examples();
    assert!(examples.len() >= 6, "{}", examples.len());
    for (name, source) in examples {
        let head: Vec<&str> = source
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .collect();
        let run = format!("cargo run -p famulor-examples --example {name} -- --emulator");
        assert!(
            head.join("\n").contains(&run),
            "{name}: its first lines lack `{run}`"
        );
        assert!(
            table.contains(&format!("| `{name}` |")),
            "{name} is not in src/lib.rs"
        );
    }
}

#[tokio::test]
async fn without_a_key_and_without_being_told_to_use_the_emulator_an_example_sends_nothing() {
    for (name, _) in examples() {
        // Its tests are what it shows: built as tests, it is no program to run here.
        if name == "mocking" {
            continue;
        }
        let finished = finish(&mut example(&name)).await;
        assert_eq!(finished.code, Some(1), "{name}: {finished:?}");
        for word in ["FAMULOR_API_KEY", "nothing was sent", "--emulator"] {
            assert!(
                finished.err.contains(word),
                "{name}: {word} is not in {finished:?}"
            );
        }
        assert_eq!(finished.out, "", "{name}");
    }
}

#[tokio::test]
async fn the_environments_key_does_not_show() {
    let mut command = example("minimal");
    command
        .env("FAMULOR_API_KEY", "1|very-secret")
        .env("FAMULOR_ASSISTANT_ID", "123")
        .env("FAMULOR_BASE_URL", "http://127.0.0.1:1/api")
        .env("FAMULOR_MAX_RETRIES", "0");
    let finished = finish(&mut command).await;
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(
        !format!("{finished:?}").contains("very-secret"),
        "{finished:?}"
    );
    assert!(finished.err.starts_with("error: "), "{finished:?}");
}

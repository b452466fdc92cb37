//! Help, version and completions.

use crate::fixture::Fixture;

const COMMANDS: &[&[&str]] = &[
    &[],
    &["demo"],
    &["reply"],
    &["chat"],
    &["conversation"],
    &["conversation", "create"],
    &["conversation", "get"],
    &["conversation", "send"],
    &["conversation", "list"],
    &["conversation", "ai"],
    &["assistant", "list"],
    &["whoami"],
    &["api"],
    &["emulator"],
    &["emulator", "serve"],
    &["emulator", "check"],
    &["schema"],
    &["completions"],
];

#[test]
fn every_help_shows_examples_before_anything_else_but_its_purpose() {
    let world = Fixture::new();
    for command in COMMANDS {
        for flag in ["-h", "--help"] {
            let ran = world.bare(*command).arg(flag).run().exits(0);
            let second = ran.stdout.lines().find(|line| line.ends_with(':'));
            assert_eq!(second, Some("Examples:"), "{ran:?}");
            assert!(ran.stdout.contains("Usage: famulor"), "{ran:?}");
            assert!(
                ran.stdout.lines().all(|line| line.chars().count() <= 100),
                "{ran:?}"
            );
        }
    }
}

#[test]
fn no_flag_takes_a_key() {
    let world = Fixture::new();
    let help = world.bare(["reply", "--help"]).run().exits(0).stdout;
    assert!(
        !help.contains("--api-key ") && !help.contains("--token"),
        "{help}"
    );
}

#[test]
fn the_version_names_the_target() {
    let world = Fixture::new();
    let version = world.bare(["version", "--json"]).run().exits(0).json();
    assert_eq!(version["name"], "famulor");
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert!(
        version["target"]
            .as_str()
            .is_some_and(|target| target.contains('-'))
    );
    let text = world.bare(["version"]).run().exits(0).stdout;
    assert!(text.starts_with("famulor "), "{text}");
    assert!(
        world
            .bare(["--version"])
            .run()
            .exits(0)
            .stdout
            .starts_with("famulor ")
    );
}

#[test]
fn five_shells_have_completions() {
    let world = Fixture::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = world.bare(["completions", shell]).run().exits(0).stdout;
        assert!(
            script.contains("famulor") && script.contains("conversation"),
            "{shell}"
        );
    }
    world.bare(["completions", "tcsh"]).run().exits(2);
}

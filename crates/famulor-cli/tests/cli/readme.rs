//! The README's shell example does what it says.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::fixture::{Fixture, Ran};

#[cfg(unix)]
#[test]
fn the_shell_of_the_readme_works() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    // The packaged crate has no README of the repository.
    let Ok(readme) = std::fs::read_to_string(readme) else {
        return;
    };
    let (_, rest) = readme.split_once("```sh\n").expect("the README has shell");
    let (lines, _) = rest.split_once("```").expect("it ends");
    // A fixed port may be taken; job control is for terminals.
    let script = lines
        .replace("emulator serve", "emulator serve --listen 127.0.0.1:0")
        .replace("kill %1", "kill $!; wait $! || [ $? = 143 ]");
    // Whatever line fails, no emulator outlives the test.
    let script = format!("trap 'kill $! 2>/dev/null || :' EXIT\n{script}");
    let world = Fixture::new();
    let program = Path::new(env!("CARGO_BIN_EXE_famulor"));
    let folder = program.parent().expect("it lies in a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-euc", &script])
        .env_clear()
        .env("PATH", format!("{}:{path}", folder.display()))
        .env("HOME", world.path(""))
        .envs([world.witness.variable()])
        .current_dir(world.path(""))
        .stdin(Stdio::null())
        .output()
        .expect("sh runs");
    let ran = Ran::of(output).exits(0);
    for words in [
        "example@example.com",
        "I've booked Friday at 10 AM",
        "[redacted]",
        "+49155551234",
    ] {
        assert!(ran.stdout.contains(words), "no {words} in {ran:?}");
    }
}

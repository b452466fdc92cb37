//! The GitHub workflow of `docs/emulator.md`, run as it stands.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::fixture::{Fixture, Ran, read, wait_until};

/// A step's `run`.
struct Step {
    name: String,
    commands: String,
}

/// The steps of the one job that have commands, in their order.
fn steps(docs: &str) -> Vec<Step> {
    let (_, workflow) = docs
        .split_once("<!-- test: actions -->\n```yaml\n")
        .expect("the workflow");
    let (workflow, _) = workflow.split_once("\n```").expect("its end");
    let workflow: serde_yaml_ng::Value = serde_yaml_ng::from_str(workflow).expect("YAML");
    let steps = workflow["jobs"]["test"]["steps"].as_sequence();
    let steps = steps.expect("steps").iter().filter_map(|step| {
        let commands = step["run"].as_str()?.to_owned();
        let name = step["name"].as_str().unwrap_or(&commands).to_owned();
        Some(Step { name, commands })
    });
    steps.collect()
}

/// A runner: one path and one environment from step to step.
struct Runner<'a> {
    world: &'a Fixture,
}

impl Runner<'_> {
    /// As GitHub's runners call it.
    fn run(&self, step: &Step) -> Output {
        let set = read(&self.world.path("environment"));
        let known = set.lines().filter_map(|line| line.split_once('='));
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c"])
            .arg(&step.commands)
            .env_clear()
            .env("HOME", self.world.path(""))
            .envs([self.world.witness.variable()])
            .env(
                "PATH",
                format!("{}:{path}", self.world.path("bin").display()),
            )
            .env("GITHUB_ENV", self.world.path("environment"))
            .envs(known)
            .current_dir(self.world.path(""))
            .stdin(Stdio::null())
            .output()
            .expect("bash runs");
        assert!(output.status.success(), "{}: {output:?}", step.name);
        output
    }
}

/// Ends what the workflow leaves running, as a runner does with its machine; whatever fails.
struct Background<'a>(&'a Fixture);

impl Drop for Background<'_> {
    fn drop(&mut self) {
        let pid = read(&self.0.path("pid"));
        if !pid.is_empty() {
            let _ = Command::new("kill").arg(pid.trim()).status();
        }
    }
}

fn program(path: &Path, text: &str) {
    std::fs::write(path, text).expect("written");
    let runs = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(path, runs).expect("it can be run");
}

#[test]
fn the_workflow_of_the_documentation_runs_step_by_step() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/emulator.md");
    // The packaged crate has no documentation of the repository.
    let Ok(docs) = std::fs::read_to_string(docs) else {
        return;
    };
    let world = Fixture::new();
    let bin = world.path("bin");
    std::fs::create_dir(&bin).expect("a folder");
    // What `cargo install` ends with: this build on the path, where nothing was before. It leaves its number behind, so
    // that it can be ended.
    let famulor = format!(
        "#!/bin/sh\necho $$ > \"$HOME/pid\"\nexec '{}' \"$@\"\n",
        env!("CARGO_BIN_EXE_famulor")
    );
    program(&world.path("built"), &famulor);
    let cargo = "#!/bin/sh\n[ \"$*\" = 'install famulor-cli' ] || exit 2\n\
                 mv \"$HOME/built\" \"$HOME/bin/famulor\"\n";
    program(&bin.join("cargo"), cargo);

    let steps = steps(&docs);
    let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(
        names,
        ["cargo install famulor-cli", "Start the emulator", "Test"]
    );
    let runner = Runner { world: &world };
    let _background = Background(&world);
    runner.run(&steps[0]);
    runner.run(&steps[1]);
    let answer = runner.run(&steps[2]);
    let me: serde_json::Value = serde_json::from_slice(&answer.stdout).expect("JSON");
    assert_eq!(me["email"], "example@example.com");

    // The log that a workflow keeps shows the request.
    let log = || read(&world.path("emulator.log"));
    wait_until("it is in the log", || {
        log().contains("200 GET  /api/user/me")
    });
    assert!(log().contains("A local Famulor listens on http://127.0.0.1:"));
    Ran::of(answer).exits(0);
}

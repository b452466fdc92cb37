//! `profile list`, `use`, `create` and `delete`.

use crate::fixture::{Fixture, KEY, read};

const CONFIG: &str = "config/famulor/config.toml";

#[test]
fn a_profile_is_made_used_listed_and_deleted() {
    let world = Fixture::with(|emulator| emulator.token(KEY));
    let url = world.emulator.base_url();
    let run = |arguments: &[&str]| world.bare(arguments).run();
    run(&["profile", "create", "local", "--base-url", &url])
        .matches_golden(&world, "profile-create")
        .exits(0);
    world
        .bare(["auth", "login", "--profile", "local"])
        .input(format!("{KEY}\n"))
        .run()
        .exits(0);
    run(&["whoami"]).exits(4);
    run(&["whoami", "--profile", "local"]).exits(0);
    run(&["profile", "use", "local"]).exits(0);
    run(&["whoami"]).exits(0);
    run(&["profile", "list"])
        .matches_golden(&world, "profile-list")
        .exits(0);
    let rows = run(&["profile", "list", "--json"]).exits(0).json();
    assert_eq!(rows[1]["name"], "local");
    assert_eq!(rows[1]["active"], true);
    run(&["profile", "delete", "local"])
        .exits(0)
        .says("with its stored key");
    assert!(!read(&world.path("config/famulor/credentials.toml")).contains(KEY));
    assert_eq!(read(&world.path(CONFIG)), "");
    run(&["whoami"]).exits(4);
}

#[test]
fn the_default_profile_is_always_there() {
    let world = Fixture::new();
    let run = |arguments: &[&str]| world.bare(arguments).run();
    run(&["profile", "create", "work"]).exits(0);
    run(&["profile", "use", "work"]).exits(0);
    run(&["profile", "use", "default"]).exits(0);
    let rows = run(&["profile", "list", "--json"]).exits(0).json();
    assert_eq!(rows[0]["name"], "default");
    assert_eq!(rows[0]["active"], true);
    assert_eq!(rows[1]["active"], false);
}

#[test]
fn what_is_no_profile_is_named() {
    let world = Fixture::new();
    let run = |arguments: &[&str]| world.bare(arguments).run();
    run(&["profile", "create", "work"]).exits(0);
    run(&["profile", "create", "work"])
        .exits(2)
        .says("there is a profile \"work\" already");
    for name in ["", "a b", "../x", "a.b", "ü"] {
        run(&["profile", "create", name])
            .exits(2)
            .says("no profile can be called");
    }
    for verb in ["use", "delete"] {
        let ran = run(&["profile", verb, "nobody"]).exits(2);
        ran.says("there is no profile \"nobody\"")
            .says("there are default, work");
    }
    run(&["profile", "create", "x", "--base-url", "example.com"])
        .exits(2)
        .says("--base-url");
}

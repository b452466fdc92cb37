//! `config list`, `get`, `set`, `unset` and `path`.

use crate::fixture::{Fixture, read};

const CONFIG: &str = "config/famulor/config.toml";

#[test]
fn list_says_where_each_value_came_from() {
    let world = Fixture::new();
    world.file(
        CONFIG,
        "[profiles.default]\ntimeout = \"30s\"\nassistant_id = 123\n\
         quota_store = \"postgres://me:qV7secret@db/quota\"\n",
    );
    let list = |arguments: &[&str]| {
        world
            .bare(["config", "list"])
            .args(arguments)
            .env("FAMULOR_DEADLINE", "90s")
            .env("FAMULOR_BASE_URL", "https://example.com/api")
            .run()
            .exits(0)
    };
    list(&["--show-origin", "--max-wait", "10s"]).matches_golden(&world, "config-list-show-origin");
    list(&[]).matches_golden(&world, "config-list");
    let rows = list(&["--show-origin", "--json"]).json();
    let row = |key: &str| {
        let rows = rows.as_array().expect("an array");
        rows.iter()
            .find(|row| row["key"] == key)
            .expect(key)
            .clone()
    };
    assert_eq!(row("timeout")["value"], "30s");
    assert_eq!(row("deadline")["origin"], "FAMULOR_DEADLINE");
    assert_eq!(row("reply_path")["origin"], "the default");
    assert!(row("assistant_uuid")["value"].is_null());
}

#[test]
fn a_value_that_is_set_is_used_read_and_taken_back() {
    let world = Fixture::new();
    for (key, value) in [
        ("base_url", "https://example.com/api"),
        ("assistant_id", "123"),
        ("assistant_uuid", "550e8400-e29b-41d4-a716-446655440000"),
        ("rate_limit", "off"),
        ("timeout", "5s"),
        ("deadline", "10s"),
        ("max_wait", "0s"),
        ("quota_store", "memory"),
        ("reply_path", "/user/ai/generate-reply"),
    ] {
        world.bare(["config", "set", key, value]).run().exits(0);
        let ran = world
            .bare(["config", "get", key, "-o", "text"])
            .run()
            .exits(0);
        assert_eq!(ran.stdout, format!("{value}\n"), "{key}");
    }
    world
        .bare(["config", "set", "output", "jsonl"])
        .run()
        .exits(0);
    let ran = world.bare(["config", "get", "output"]).run().exits(0);
    assert_eq!(ran.json()["value"], "jsonl");
    let shown = world
        .bare(["reply", "--customer", "c", "Hi", "--dry-run", "--json"])
        .run()
        .exits(0)
        .json();
    let url = "https://example.com/api/user/ai/generate-reply";
    assert_eq!(shown["url"], url);
    assert_eq!(shown["body"]["assistant_id"], 123);
    world.bare(["config", "unset", "base_url"]).run().exits(0);
    world
        .bare(["config", "unset", "base_url"])
        .run()
        .exits(0)
        .says("was not set");
    world
        .bare(["config", "unset", "assistant_uuid"])
        .run()
        .exits(0);
    world
        .bare(["config", "get", "assistant_uuid"])
        .run()
        .exits(2)
        .says("assistant_uuid is not set");
}

#[test]
fn comments_and_order_stay_as_they_were_written() {
    let world = Fixture::new();
    let before = "# of the whole file\nprofile = \"work\" # chosen\n\n[profiles.work]\n\
                  # why so long\ntimeout = \"90s\"   # the slow one\nassistant_id = 1\n";
    let path = world.file(CONFIG, before);
    world
        .bare(["config", "set", "timeout", "30s"])
        .run()
        .exits(0);
    assert_eq!(read(&path), before.replace("90s", "30s"));
    world
        .bare(["config", "set", "deadline", "60s"])
        .run()
        .exits(0);
    world.bare(["config", "unset", "deadline"]).run().exits(0);
    assert_eq!(read(&path), before.replace("90s", "30s"));
}

#[test]
fn a_value_goes_into_the_profile_that_is_in_use() {
    let world = Fixture::new();
    world.file(CONFIG, "[profiles.work]\n");
    let set = ["config", "set", "timeout", "5s"];
    world.bare(set).args(&["--profile", "work"]).run().exits(0);
    world
        .bare(set)
        .env("FAMULOR_PROFILE", "nobody")
        .run()
        .exits(2);
    assert_eq!(
        read(&world.path(CONFIG)),
        "[profiles.work]\ntimeout = \"5s\"\n"
    );
}

#[test]
fn nonsense_is_not_written() {
    let world = Fixture::new();
    for (key, value) in [
        ("base_url", "example.com"),
        ("base_url", "https://user:word@example.com"),
        ("output", "xml"),
        ("assistant_id", "550e8400-e29b-41d4-a716-446655440000"),
        ("assistant_uuid", "123"),
        ("rate_limit", "many"),
        ("timeout", "soon"),
        ("deadline", "0s"),
        ("max_wait", "never"),
        ("quota_store", ""),
        ("reply_path", "ai/generate-reply"),
        ("base_ulr", "https://example.com"),
        ("doubt_wait", "5s"),
    ] {
        let ran = world.bare(["config", "set", key, value]).run().exits(2);
        ran.says(key);
    }
    assert!(!world.path(CONFIG).exists());
    world
        .bare(["config", "set", "base_ulr", "x"])
        .run()
        .matches_golden(&world, "config-set-unknown-key");
    world.bare(["config", "get", "base_ulr"]).run().exits(2);
}

#[test]
fn a_broken_file_can_be_mended() {
    let world = Fixture::new();
    let path = world.file(
        CONFIG,
        "[profiles.default]\ntimeout = \"soon\"\nbase_ulr = \"x\"\n",
    );
    world.bare(["config", "list"]).run().exits(2);
    world.bare(["config", "unset", "base_ulr"]).run().exits(0);
    world.bare(["config", "list"]).run().exits(2).says("soon");
    world
        .bare(["config", "set", "timeout", "5s"])
        .run()
        .exits(0);
    world.bare(["config", "list"]).run().exits(0);
    assert_eq!(read(&path), "[profiles.default]\ntimeout = \"5s\"\n");
}

#[test]
fn path_says_where_the_file_is() {
    let world = Fixture::new();
    let path = |world: &Fixture| world.bare(["config", "path"]).run().exits(0).stdout;
    let expected = world.path(CONFIG).display().to_string();
    assert_eq!(path(&world), format!("{expected}\n"));
    let ran = world.bare(["config", "path", "--json"]);
    assert_eq!(ran.run().json()["path"], expected);
    let elsewhere = world.path("elsewhere");
    let ran = world
        .bare(["config", "path"])
        .env("FAMULOR_CONFIG_DIR", &elsewhere)
        .run();
    let expected = format!("{}\n", elsewhere.join("config.toml").display());
    assert_eq!(ran.stdout, expected);
}

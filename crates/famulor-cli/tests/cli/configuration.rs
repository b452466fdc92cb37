//! Flag, environment, profile, default: in this order.

use crate::fixture::{Fixture, KEY};

const CONFIG: &str = "config/famulor/config.toml";
const CREDENTIALS: &str = "config/famulor/credentials.toml";

#[cfg(unix)]
fn permit(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("permissions");
}

/// The URL that `whoami` would ask.
fn url(world: &Fixture, arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let mut invocation = world
        .bare(["whoami", "--dry-run", "--json"])
        .args(arguments);
    for (name, value) in environment {
        invocation = invocation.env(name, value);
    }
    let shown = invocation.run().exits(0).json();
    shown["url"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn the_stronger_layer_wins() {
    let world = Fixture::new();
    assert_eq!(url(&world, &[], &[]), "https://app.famulor.de/api/user/me");
    world.file(
        CONFIG,
        "[profiles.default]\nbase_url = \"https://profile.example/api\"\n",
    );
    assert_eq!(url(&world, &[], &[]), "https://profile.example/api/user/me");
    let environment = [("FAMULOR_BASE_URL", "https://environment.example/api")];
    assert_eq!(
        url(&world, &[], &environment),
        "https://environment.example/api/user/me"
    );
    let flag = ["--base-url", "https://flag.example/api"];
    assert_eq!(
        url(&world, &flag, &environment),
        "https://flag.example/api/user/me"
    );
    // Set to nothing is not set.
    let empty = [("FAMULOR_BASE_URL", "")];
    assert_eq!(
        url(&world, &[], &empty),
        "https://profile.example/api/user/me"
    );
}

#[test]
fn a_profile_is_chosen_by_flag_environment_and_file() {
    let world = Fixture::new();
    world.file(
        CONFIG,
        "profile = \"b\"\n[profiles.a]\nbase_url = \"https://a.example\"\n\
         [profiles.b]\nbase_url = \"https://b.example\"\n\
         [profiles.c]\nbase_url = \"https://c.example\"\n",
    );
    let environment = [("FAMULOR_PROFILE", "c")];
    assert_eq!(url(&world, &[], &[]), "https://b.example/user/me");
    assert_eq!(url(&world, &[], &environment), "https://c.example/user/me");
    assert_eq!(
        url(&world, &["--profile", "a"], &environment),
        "https://a.example/user/me"
    );
    let ran = world.bare(["whoami", "--profile", "nobody"]).run().exits(2);
    ran.says("there is no profile \"nobody\"").says("--profile");
    world
        .bare(["whoami"])
        .env("FAMULOR_PROFILE", "x")
        .run()
        .exits(2)
        .says("FAMULOR_PROFILE");
}

#[test]
fn another_directory_can_be_named() {
    let world = Fixture::new();
    world.file(
        "elsewhere/config.toml",
        "[profiles.default]\nbase_url = \"https://e.example\"\n",
    );
    let directory = world.path("elsewhere").display().to_string();
    let environment = [("FAMULOR_CONFIG_DIR", directory.as_str())];
    assert_eq!(url(&world, &[], &environment), "https://e.example/user/me");
}

#[test]
fn every_setting_of_a_profile_is_used() {
    let world = Fixture::new();
    world.file(
        CONFIG,
        &format!(
            "[profiles.default]\nbase_url = \"{}\"\noutput = \"json\"\nassistant_id = 123\n\
             assistant_uuid = \"550e8400-e29b-41d4-a716-446655440000\"\nrate_limit = \"5/60s\"\n\
             timeout = \"30s\"\ndeadline = \"60s\"\nmax_wait = \"10s\"\nquota_store = \"memory\"\n\
             reply_path = \"/user/ai/generate-reply\"\n",
            world.emulator.base_url()
        ),
    );
    let run = |arguments: &[&str]| world.bare(arguments).env("FAMULOR_API_KEY", KEY).run();
    let answer = run(&["reply", "--customer", "c", "Hello"]).exits(0).json();
    assert_eq!(answer["reply"], "Hello! How can I help you today?");
    assert_eq!(world.posts(), ["/api/user/ai/generate-reply"]);
    run(&["conversation", "create", "--type", "test"])
        .exits(0)
        .json();
    // A flag is stronger than the profile's output.
    let ran = run(&["reply", "--customer", "c", "-o", "text", "Thank you"]).exits(0);
    assert!(ran.stdout.starts_with("You're very welcome"), "{ran:?}");
}

#[test]
fn a_configuration_that_is_wrong_is_named_with_its_place() {
    let world = Fixture::new();
    for (contents, words) in [
        (
            "[profiles.default]\nbase_ulr = \"x\"\n",
            "unknown key \"base_ulr\"",
        ),
        (
            "[profiles.default]\ntimeout = \"soon\"\n",
            "timeout of profile default",
        ),
        (
            "[profiles.default]\ntimeout = true\n",
            "timeout of profile default",
        ),
        ("[profiles.default\n", "line 1"),
        ("colour = \"red\"\n", "colour"),
    ] {
        world.file(CONFIG, contents);
        let ran = world
            .bare(["whoami"])
            .env("FAMULOR_API_KEY", KEY)
            .run()
            .exits(2);
        ran.says(words).says("config.toml");
    }
    world.assert_untouched();
}

#[cfg(unix)]
#[test]
fn the_key_of_the_profile_is_read_from_a_file_that_only_its_owner_can_read() {
    let world = Fixture::with(|emulator| emulator.token(KEY).token("2|other"));
    let url = world.emulator.base_url();
    world.file(CONFIG, "[profiles.other]\n");
    let credentials = world.file(
        CREDENTIALS,
        &format!(
            "[profiles.default]\nbase_url = \"{url}\"\napi_key = \"{KEY}\"\n\
             [profiles.other]\nbase_url = \"{url}\"\napi_key = \"wrong\"\n"
        ),
    );
    let run = |arguments: &[&str]| world.bare(arguments).env("FAMULOR_BASE_URL", &url).run();

    permit(&credentials, 0o600);
    run(&["whoami"]).exits(0);
    run(&["whoami", "--profile", "other"]).exits(4);
    // The environment is stronger.
    let other = world.bare(["whoami"]).env("FAMULOR_BASE_URL", &url);
    other.env("FAMULOR_API_KEY", "3|unknown").run().exits(4);

    let before = world.paths().len();
    for mode in [0o644, 0o640, 0o604, 0o660] {
        permit(&credentials, mode);
        let ran = run(&["whoami"]).exits(2);
        ran.says("others can read")
            .says(&format!("chmod 600 {}", credentials.display()));
    }
    assert_eq!(world.paths().len(), before);

    world.file(
        CREDENTIALS,
        "[profiles.default]\napi_key = 1|qV7secretKeyOfNobody\n",
    );
    permit(&credentials, 0o600);
    run(&["whoami"]).exits(2).says("line 2");
}

//! `auth login --keyring`: with the cargo feature `keyring` against a secret service of the test's own, without it the
//! way out.
//!
//!     cargo test -p famulor-cli --features keyring --test cli keyring

use crate::fixture::{Fixture, KEY, read};

const CREDENTIALS: &str = "config/famulor/credentials.toml";

#[cfg(not(feature = "keyring"))]
#[test]
fn a_build_without_the_keyring_says_so_and_names_the_file() {
    let world = Fixture::new();
    let login = world.bare(["auth", "login", "--keyring"]);
    let ran = login.input(format!("{KEY}\n")).run().exits(2);
    ran.says("built without the system's keyring")
        .says("famulor auth login")
        .says("--features keyring");
    assert_eq!(read(&world.path(CREDENTIALS)), "");
}

#[cfg(all(feature = "keyring", unix))]
mod with_a_service {
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Command, Stdio};

    use super::*;
    use crate::fixture::{Invocation, Running, wait_until};

    /// A bus and a secret service on it, that nobody else knows of. They end with the test.
    struct Service {
        address: String,
        _daemon: Running,
        _bus: Running,
    }

    /// `None`, having said so, where the programs are not installed.
    fn service(world: &Fixture) -> Option<Service> {
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--session", "--nofork", "--print-address=1"]);
        let bus = bus.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut daemon = Command::new("gnome-keyring-daemon");
        let (Ok(mut bus), Ok(_)) = (bus, daemon.arg("--version").output()) else {
            let required = std::env::var_os("FAMULOR_REQUIRE_TOOLS").is_some_and(|it| it == "1");
            assert!(!required, "dbus-daemon or gnome-keyring-daemon is missing");
            eprintln!("skipped: dbus-daemon or gnome-keyring-daemon is missing");
            return None;
        };
        let mut address = String::new();
        let out = bus.stdout.take().expect("its output");
        BufReader::new(out)
            .read_line(&mut address)
            .expect("it says its address");
        let address = address.trim().to_owned();
        let bus = Running::of(bus);
        let daemon = Command::new("gnome-keyring-daemon")
            .args([
                "--foreground",
                "--components=secrets",
                "--unlock",
                "--control-directory",
            ])
            .arg(world.path("control"))
            .env("DBUS_SESSION_BUS_ADDRESS", &address)
            .env("HOME", world.path(""))
            .env("XDG_DATA_HOME", world.path("data"))
            .env("XDG_RUNTIME_DIR", world.path("runtime"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut daemon = daemon.expect("it starts");
        // The password of the keyring that it makes.
        let mut password = daemon.stdin.take().expect("its input");
        password.write_all(b"open sesame").expect("it is read");
        drop(password);
        wait_until("the keyring is there", || {
            world.path("data/keyrings/login.keyring").exists()
        });
        Some(Service {
            address,
            _daemon: Running::of(daemon),
            _bus: bus,
        })
    }

    /// Without a key of its own, and with the test's bus.
    fn call(world: &Fixture, service: &Service, arguments: &[&str]) -> Invocation {
        world
            .bare(arguments)
            .env("FAMULOR_BASE_URL", world.emulator.base_url())
            .env("DBUS_SESSION_BUS_ADDRESS", &service.address)
    }

    fn login(world: &Fixture, service: &Service, more: &[&str]) {
        let login = call(world, service, &["auth", "login"]).args(more);
        login.input(format!("{KEY}\n")).run().exits(0);
    }

    /// What is left of a key that was moved or forgotten: nothing that this would find.
    fn point_at_the_keyring(world: &Fixture) {
        let url = world.emulator.base_url();
        let text = format!("[profiles.default]\nbase_url = \"{url}\"\nkeyring = true\n");
        let path = world.file(CREDENTIALS, &text);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(path, mode).expect("it is ours");
    }

    #[test]
    fn a_key_in_the_keyring_is_used_bound_moved_and_forgotten() {
        let world = Fixture::with(|emulator| emulator.token(KEY));
        let Some(service) = service(&world) else {
            return;
        };
        let run = |arguments: &[&str]| call(&world, &service, arguments).run();

        run(&["whoami"]).exits(4);
        login(&world, &service, &["--keyring"]);
        let credentials = read(&world.path(CREDENTIALS));
        assert!(credentials.contains("keyring = true"), "{credentials}");
        assert!(!credentials.contains(KEY), "{credentials}");
        run(&["whoami"]).exits(0);
        let status = run(&["auth", "status"]).exits(0);
        assert!(status.stdout.contains("the system's keyring"), "{status:?}");

        // Bound to its address.
        let elsewhere = Fixture::new();
        let other = elsewhere.emulator.base_url();
        let ran = call(&world, &service, &["whoami"])
            .env("FAMULOR_BASE_URL", &other)
            .run();
        ran.exits(4).says("is not sent to");
        elsewhere.assert_untouched();

        // A profile of another name has another entry.
        run(&["profile", "create", "work"]).exits(0);
        run(&["whoami", "--profile", "work"]).exits(4);

        // Moved into the file: nothing stays behind.
        login(&world, &service, &[]);
        assert!(read(&world.path(CREDENTIALS)).contains(KEY));
        run(&["whoami"]).exits(0);
        point_at_the_keyring(&world);
        run(&["whoami"]).exits(4);

        login(&world, &service, &["--keyring"]);
        run(&["whoami"]).exits(0);
        run(&["auth", "logout"]).exits(0).says("is forgotten");
        point_at_the_keyring(&world);
        run(&["whoami"]).exits(4);
    }

    #[test]
    fn without_a_service_the_error_names_the_file_and_stores_nothing() {
        let world = Fixture::new();
        for bus in ["unix:path=/nobody/is/here", ""] {
            let login = world.bare(["auth", "login", "--keyring"]);
            let login = login.env("DBUS_SESSION_BUS_ADDRESS", bus);
            let ran = login.input(format!("{KEY}\n")).run().exits(2);
            ran.says("the system's keyring cannot be used")
                .says("famulor auth login");
            assert_eq!(read(&world.path(CREDENTIALS)), "");
        }
        point_at_the_keyring(&world);
        let whoami = world.bare(["whoami", "--json"]);
        let whoami = whoami.env("FAMULOR_BASE_URL", world.emulator.base_url());
        let error = whoami.run().exits(2).error();
        assert_eq!(
            (&error["kind"], &error["delivery"]),
            (&"config".into(), &"not_sent".into())
        );
        world.assert_untouched();
    }
}

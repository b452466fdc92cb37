//! Each variable of the environment does what it is for.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use famulor_emulator::{Before, CannedAnswer, Fault, Operation, RateLimit};
use serde_json::json;

use crate::fixture::{Fixture, KEY, UUID, reply};

/// What a dry run of a command shows.
fn shown(world: &Fixture, arguments: &[&str], variable: &str, value: &str) -> serde_json::Value {
    let ran = world
        .bare(arguments)
        .args(&["--dry-run", "--json"])
        .env(variable, value);
    ran.run().exits(0).json()
}

#[test]
fn api_key_is_sent_as_the_bearer() {
    let world = Fixture::with(|emulator| emulator.token(KEY));
    let run = |key: &str| world.famulor(["whoami"]).env("FAMULOR_API_KEY", key).run();
    run(KEY).exits(0);
    run("another").exits(4);
    run("").exits(2).says("FAMULOR_API_KEY is set, and empty");
}

#[test]
fn base_url_is_where_requests_go() {
    let world = Fixture::new();
    let url = "https://example.com/api";
    let shown = shown(&world, &["whoami"], "FAMULOR_BASE_URL", url);
    assert_eq!(shown["url"], "https://example.com/api/user/me");
    // And the default.
    let default = world.bare(["whoami", "--dry-run", "--json"]).run().json();
    assert_eq!(default["url"], "https://app.famulor.de/api/user/me");
}

#[test]
fn profile_names_the_profile() {
    let world = Fixture::new();
    let config = "[profiles.work]\nbase_url = \"https://work.example\"\n";
    world.file("config/famulor/config.toml", config);
    let shown = shown(&world, &["whoami"], "FAMULOR_PROFILE", "work");
    assert_eq!(shown["url"], "https://work.example/user/me");
}

#[test]
fn config_dir_and_the_xdg_directory_hold_the_configuration() {
    let world = Fixture::new();
    let config = |url: &str| format!("[profiles.default]\nbase_url = \"{url}\"\n");
    world.file("named/config.toml", &config("https://named.example"));
    world.file("xdg/famulor/config.toml", &config("https://xdg.example"));
    world.file(
        ".config/famulor/config.toml",
        &config("https://home.example"),
    );
    let url = |variable: &str, folder: &str| {
        let path = world.path(folder).display().to_string();
        shown(&world, &["whoami"], variable, &path)["url"].clone()
    };
    assert_eq!(
        url("FAMULOR_CONFIG_DIR", "named"),
        "https://named.example/user/me"
    );
    assert_eq!(url("XDG_CONFIG_HOME", "xdg"), "https://xdg.example/user/me");
    let home = world
        .bare(["whoami", "--dry-run", "--json"])
        .without("XDG_CONFIG_HOME")
        .run();
    assert_eq!(home.json()["url"], "https://home.example/user/me");
}

#[test]
fn state_dir_and_the_xdg_directory_hold_the_ledger() {
    let world = Fixture::new();
    let run = |variable: &str, folder: &str| {
        let call = world.famulor(["whoami"]).env(variable, world.path(folder));
        call.run().exits(0);
    };
    run("FAMULOR_STATE_DIR", "named");
    assert!(world.path("named/quota.sqlite").exists());
    run("XDG_STATE_HOME", "xdg");
    assert!(world.path("xdg/famulor/quota.sqlite").exists());
    world
        .famulor(["whoami"])
        .without("XDG_STATE_HOME")
        .run()
        .exits(0);
    assert!(world.path(".local/state/famulor/quota.sqlite").exists());
}

#[test]
fn assistant_id_and_uuid_stand_in_for_their_flags() {
    let world = Fixture::new();
    let reply = ["reply", "--customer", "c", "Hi"];
    assert_eq!(
        shown(&world, &reply, "FAMULOR_ASSISTANT_ID", "7")["body"]["assistant_id"],
        7
    );
    let create = ["conversation", "create", "--type", "test"];
    assert_eq!(
        shown(&world, &create, "FAMULOR_ASSISTANT_UUID", UUID)["body"]["assistant_id"],
        UUID
    );
}

#[test]
fn output_is_the_format() {
    let world = Fixture::new();
    let run = |format: &str| {
        let call = world.famulor(["whoami"]).env("FAMULOR_OUTPUT", format);
        call.run()
    };
    assert!(run("json").exits(0).json()["email"].is_string());
    assert_eq!(run("jsonl").exits(0).stdout.lines().count(), 1);
    assert!(run("table").exits(0).stdout.contains('│'));
    assert!(run("text").exits(0).stdout.starts_with("name "));
    run("xml").exits(2).says("FAMULOR_OUTPUT");
}

#[test]
fn log_says_what_is_done_and_nobodys_words() {
    let world = Fixture::new();
    let run = |level: &str| {
        let call = world.famulor(reply(&["-q", "My secret is out"]));
        call.env("FAMULOR_LOG", level).run().exits(0)
    };
    assert_eq!(run("").stderr, "");
    let ran = run("debug").says("http.request.method");
    assert!(!ran.stderr.contains("My secret"), "{ran:?}");
    let wrong = world.famulor(["whoami"]).env("FAMULOR_LOG", "famulor=loud");
    wrong.run().exits(2).says("FAMULOR_LOG");
}

#[test]
fn no_input_is_a_switch() {
    let world = Fixture::new();
    let run = |value: &str| {
        let call = world.famulor(["whoami"]).env("FAMULOR_NO_INPUT", value);
        call.run()
    };
    run("1").exits(0);
    run("0").exits(0);
    run("perhaps").exits(2).says("FAMULOR_NO_INPUT");
}

/// Answers that take half a minute.
fn slow() -> Fixture {
    let world = Fixture::new();
    let slow = Fault::before(Before::Delay(Duration::from_secs(30)));
    world.emulator.inject(slow.on(Operation::GetMe).forever());
    world
}

#[test]
fn timeout_bounds_one_attempt_and_deadline_all_of_them() {
    let world = slow();
    let start = Instant::now();
    let ran = world
        .famulor(["whoami", "--max-retries", "0", "--json"])
        .env("FAMULOR_TIMEOUT", "200ms")
        .run()
        .exits(8);
    assert_eq!(ran.error()["attempts"], 1);
    let ran = world
        .famulor(["whoami", "--max-retries", "100"])
        .env("FAMULOR_DEADLINE", "300ms")
        .run()
        .exits(8);
    assert!(start.elapsed() < Duration::from_secs(15), "{ran:?}");
}

#[test]
fn max_retries_bounds_the_attempts() {
    let world = Fixture::new();
    let broken = Fault::before(Before::Answer(CannedAnswer::text(503, "")));
    world.emulator.inject(broken.on(Operation::GetMe).forever());
    let ran = world
        .famulor(["whoami", "--json"])
        .env("FAMULOR_MAX_RETRIES", "1")
        .run()
        .exits(8);
    assert_eq!(ran.error()["attempts"], 2);
    assert_eq!(world.paths().len(), 2);
}

#[test]
fn max_wait_bounds_the_wait_and_rate_limit_is_the_accounts() {
    let world = Fixture::with(|emulator| {
        emulator.rate_limit(RateLimit::parse("100/60s").expect("a limit"))
    });
    let run = |variable: &str, value: &str| {
        let call = world.famulor(reply(&["--json", "Hi"]));
        call.env("FAMULOR_MAX_WAIT", "0s")
            .env(variable, value)
            .run()
    };
    run("FAMULOR_RATE_LIMIT", "1/60s").exits(0);
    let error = run("FAMULOR_RATE_LIMIT", "1/60s").exits(7).error();
    assert_eq!(error["delivery"], "not_sent");
    run("FAMULOR_RATE_LIMIT", "off").exits(0);
    // Another place for the ledger knows nothing of the slot that is taken.
    let call = world.famulor(reply(&["Hi", "--rate-limit", "1/60s", "--max-wait", "0s"]));
    call.env("FAMULOR_QUOTA_STORE", "memory").run().exits(0);
}

#[test]
fn doubt_wait_is_the_quiet_time_before_a_message_is_taken_for_lost() {
    let world = Fixture::new();
    let run = |wait: &str| {
        let lost = Fault::before(Before::Close).on(Operation::GenerateReply);
        world.emulator.inject(lost);
        let call = world.famulor(reply(&["Hi", "--deadline", "8s"]));
        call.env("FAMULOR_DOUBT_WAIT", wait).run()
    };
    // A quiet time that fits into the deadline ends in sending again, one that does not in doubt.
    run("100ms").exits(0);
    run("60s").exits(9);
}

#[test]
fn reply_path_is_where_replies_are() {
    let world = Fixture::new();
    let reply = ["reply", "--customer", "c", "--assistant-id", "123", "Hi"];
    let path = "/user/ai/generate-reply";
    let shown = shown(&world, &reply, "FAMULOR_REPLY_PATH", path);
    assert_eq!(shown["url"], format!("https://app.famulor.de/api{path}"));
}

#[test]
fn no_color_and_clicolor_force_are_respected() {
    let world = Fixture::new();
    let run = |variables: &[(&str, &str)]| {
        let mut call = world.famulor(["whoami"]).without("FAMULOR_API_KEY");
        for (name, value) in variables {
            call = call.env(name, value);
        }
        call.run().exits(4).stderr.contains("\u{1b}[")
    };
    assert!(!run(&[]), "a pipe has no colour");
    assert!(run(&[("CLICOLOR_FORCE", "1")]));
    assert!(!run(&[("NO_COLOR", "1")]));
    let never = world
        .famulor(["whoami", "--color", "never"])
        .without("FAMULOR_API_KEY")
        .env("CLICOLOR_FORCE", "1");
    assert!(!never.run().stderr.contains("\u{1b}["));
}

#[cfg(unix)]
#[test]
fn a_terminal_has_colour_unless_no_color_is_set() {
    use crate::terminal::Terminal;

    let world = Fixture::new();
    let bytes = |variables: &[(&str, &str)]| {
        let terminal = Terminal::with(&world, (24, 80), &["whoami", "--timeout", "x"], variables);
        terminal.shows("error:");
        String::from_utf8_lossy(&terminal.bytes()).contains("\u{1b}[1m")
    };
    assert!(bytes(&[]));
    assert!(!bytes(&[("NO_COLOR", "1")]));
}

/// A proxy that writes down what it is asked first, and does nothing.
fn proxy() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (tell, asked) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            if tell.send(first_line(stream)).is_err() {
                return;
            }
        }
    });
    (url, asked)
}

fn first_line(mut stream: TcpStream) -> String {
    let mut buffer = [0; 1024];
    let count = stream.read(&mut buffer).unwrap_or_default();
    let _ = stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
    text.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn https_proxy_is_gone_through_and_no_proxy_is_not() {
    let world = Fixture::new();
    let (url, asked) = proxy();
    let run = |variables: &[(&str, &str)]| {
        let call = ["whoami", "--max-retries", "0", "--timeout", "5s"];
        let mut call = world
            .famulor(call)
            .env("FAMULOR_BASE_URL", "https://famulor.invalid/api")
            .env("HTTPS_PROXY", &url);
        for (name, value) in variables {
            call = call.env(name, value);
        }
        call.run().exits(8);
        asked.try_recv().ok()
    };
    assert_eq!(
        run(&[]).as_deref(),
        Some("CONNECT famulor.invalid:443 HTTP/1.1")
    );
    assert_eq!(run(&[("NO_PROXY", "famulor.invalid")]), None);
    // An emulator of one's own is on this machine, whatever proxy there is.
    let own = world.bare(["whoami", "--emulator"]).env("HTTP_PROXY", &url);
    own.run().exits(0);
    assert!(asked.try_recv().is_err());
}

#[test]
fn ssl_cert_file_and_ca_cert_say_whom_to_trust() {
    let world = Fixture::new();
    let server = crate::tls::Server::start(&json!({"name": "Jane", "email": "jane@example.com"}));
    let certificate = world.file("ca.pem", server.certificate());
    let whoami = || {
        let call = [
            "whoami",
            "--max-retries",
            "0",
            "--base-url",
            server.base_url(),
        ];
        world.famulor(call)
    };
    whoami()
        .run()
        .exits(8)
        .says("the server's certificate is not trusted");
    whoami().env("SSL_CERT_FILE", &certificate).run().exits(0);
    whoami().arg("--ca-cert").arg(&certificate).run().exits(0);
}

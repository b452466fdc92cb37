//! The documentation's own examples, run as they stand by the programs that they are written for.
//!
//! Only the host is replaced. `seeds/` holds the three pages, whole.

use std::process::{Command, Stdio};

use famulor_emulator::{Emulator, Operation};
use famulor_test_judge::emulator;
use serde_json::{Value, json};

const CREATE: &str = include_str!("../seeds/create-conversation.txt");
const GET: &str = include_str!("../seeds/get-conversation.txt");
const REPLY: &str = include_str!("../seeds/generate-reply.txt");

#[test]
fn the_curl_example_creates_the_documented_conversation() {
    created_by("curl", between(CREATE, "\ncURL\n", "\nJavaScript\n"));
}

#[test]
fn the_javascript_example_creates_the_documented_conversation() {
    let example = between(CREATE, "\nJavaScript\n", "\nPython\n");
    created_by(
        "node",
        &format!("{example}\nconsole.log(JSON.stringify(data));"),
    );
}

#[test]
fn the_python_example_creates_the_documented_conversation() {
    let example = between(CREATE, "\nPython\n", "\nResponse Fields\n");
    created_by(
        "python",
        &format!("{example}\nimport json\nprint(json.dumps(response.json()))"),
    );
}

#[test]
fn the_curl_example_reads_the_documented_history() {
    let world = World::new();
    let example = GET.lines().find(|line| line.starts_with("curl "));
    let Some(answer) = world.run("curl", example.expect("the page has one")) else {
        return;
    };
    assert_eq!(answer, documented(GET));
    world.took_one(Operation::GetConversation);
}

#[test]
fn the_curl_example_generates_a_reply() {
    let world = World::new();
    let example = reply_example();
    let Some(answer) = world.run("curl", &example) else {
        return;
    };
    assert_eq!(answer["success"], true);
    assert_eq!(answer["customer_identifier"], "<string>");
    assert_eq!(shape(&answer), shape(&documented(REPLY)));
    world.took_one(Operation::GenerateReply);
}

#[test]
fn the_curl_example_with_its_blanks_filled_in_generates_the_documented_reply() {
    let world = World::new();
    // What the page's answer is an answer to; the message is the documented request's.
    let example = reply_example()
        .replace(
            "\"customer_identifier\": \"<string>\"",
            "\"customer_identifier\": \"+49155551234\"",
        )
        .replace(
            "\"message\": \"<string>\"",
            "\"message\": \"Hi, I would like to schedule an appointment\"",
        )
        .replace(
            "\"customer_name\": \"<string>\"",
            "\"customer_name\": \"John Smith\"",
        );
    let Some(mut answer) = world.run("curl", &example) else {
        return;
    };
    let mut expected = documented(REPLY);
    // The page's id is no UUID; the server gives every conversation its own.
    for reply in [&mut answer, &mut expected] {
        let id = reply["conversation_id"].take();
        assert!(id.is_string());
    }
    assert_eq!(answer, expected);
}

fn created_by(program: &str, example: &str) {
    let world = World::new();
    let Some(mut answer) = world.run(program, example) else {
        return;
    };
    let id = answer["conversation_id"].take();
    let id = id.as_str().expect("it has an id");
    let mut expected = documented(CREATE);
    expected["conversation_id"] = Value::Null;
    assert_eq!(answer, expected);
    let stored = world.emulator.conversation(id).expect("it is stored");
    let variables =
        json!({"customer_name": "John Smith", "company": "Acme Corp", "source": "pricing_page"});
    assert_eq!(
        serde_json::to_value(&stored.variables).expect("variables"),
        variables
    );
    world.took_one(Operation::CreateConversation);
}

/// The example of the page, from `curl` to the quote that ends its body.
fn reply_example() -> String {
    let from = REPLY.find("curl --request").expect("the page has one");
    let example = &REPLY[from..];
    let end = example.find("\n'\n").expect("its body ends");
    format!("{}\n'", &example[..end])
}

/// The page's own answer: the first JSON that stands on lines of its own.
fn documented(page: &str) -> Value {
    page.match_indices("\n{\n")
        .find_map(|(at, _)| {
            serde_json::Deserializer::from_str(&page[at..])
                .into_iter::<Value>()
                .next()?
                .ok()
                .filter(|value| value.get("status").or(value.get("success")).is_some())
        })
        .expect("the page has one")
}

fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = page.split_once(from).expect("the example begins");
    let (example, _) = rest.split_once(to).expect("the example ends");
    example
}

fn shape(answer: &Value) -> Vec<(&String, std::mem::Discriminant<Value>)> {
    let fields = answer.as_object().expect("an object");
    fields
        .iter()
        .map(|(name, value)| (name, std::mem::discriminant(value)))
        .collect()
}

struct World {
    emulator: Emulator,
    /// The emulator lives on it.
    _runtime: tokio::runtime::Runtime,
}

impl World {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let emulator = runtime.block_on(emulator().start());
        Self {
            emulator: emulator.expect("an emulator"),
            _runtime: runtime,
        }
    }

    /// Runs an example and reads its last line as JSON. `None`: the program is not here.
    fn run(&self, program: &str, example: &str) -> Option<Value> {
        let (host, _) = self
            .emulator
            .base_url()
            .rsplit_once("/api")
            .map(|(host, rest)| (host.to_owned(), rest.to_owned()))
            .expect("a base URL ends with /api");
        assert!(example.contains("https://app.famulor.de/api"), "{example}");
        let example = example.replace("https://app.famulor.de", &host);
        let python = std::env::var("FAMULOR_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let (mut run, mut probe) = match program {
            "curl" => (
                command("sh", &["-c", &example]),
                command("curl", &["--version"]),
            ),
            "node" => (
                command("node", &["--input-type=module", "-e", &example]),
                // `fetch` came with Node.js 18.
                command(
                    "node",
                    &["-e", "if (typeof fetch !== 'function') process.exit(1)"],
                ),
            ),
            _ => (
                command(&python, &["-c", &example]),
                command(&python, &["-c", "import requests"]),
            ),
        };
        let is_here = probe.output().is_ok_and(|probe| probe.status.success());
        if !is_here {
            let skipped =
                format!("skipped: {program} (for Python: with requests) is not installed");
            assert!(
                std::env::var("FAMULOR_REQUIRE_TOOLS").as_deref() != Ok("1"),
                "{skipped}"
            );
            eprintln!("{skipped}");
            return None;
        }
        let output = run.output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let last = text.lines().last().unwrap_or_default();
        Some(serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {text}")))
    }

    /// One request came, of this operation, and it was answered.
    fn took_one(&self, operation: Operation) {
        let journal = self.emulator.journal();
        let [entry] = &journal[..] else {
            panic!("{journal:?}")
        };
        assert_eq!(
            (entry.operation, entry.status),
            (Some(operation), Some(200))
        );
    }
}

fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        // Whatever proxy this machine has, the emulator is not behind it.
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1");
    command
}

//! The judge itself: what it objects to, what it lets pass, and that no test goes without it.

use std::path::{Path, PathBuf};

use famulor_emulator::Operation;
use famulor_test_judge::{Verdict, Witness, emulator, judged, objection, verdict};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn documented_answers_are_described() {
    for (operation, status, name) in [
        ("getMe", 200, "getMe.response.200-response.json"),
        (
            "generateReply",
            402,
            "generateReply.response.402-insufficient-balance.json",
        ),
        (
            "listAssistants",
            200,
            "listAssistants.response.200-response.json",
        ),
    ] {
        assert_eq!(objection(operation, status, &fixture(name)), None, "{name}");
    }
}

#[test]
fn what_the_spec_does_not_have_is_objected_to() {
    for (operation, status, body) in [
        ("createConversation", 200, "{}"),
        ("createConversation", 200, "no JSON"),
        (
            "createConversation",
            201,
            r#"{"status":true,"conversation_id":"c","history":[]}"#,
        ),
        ("getMe", 200, r#"{"total_balance":"100"}"#),
        ("getMe", 200, r#"{"nickname":"Anna"}"#),
        ("generateReply", 422, r#"{"errors":"no"}"#),
        ("deleteEverything", 200, "{}"),
    ] {
        let said = objection(operation, status, body.as_bytes());
        assert!(said.is_some(), "{operation} {status} {body}");
    }
}

#[tokio::test]
async fn an_emulators_answers_are_judged_as_they_are_given() {
    let emulator = emulator().start().await.expect("a free port");
    let before = judged();
    let mut stream = TcpStream::connect(emulator.addr())
        .await
        .expect("it listens");
    let request = "GET /api/user/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer any\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(judged() > before, "nobody has judged it");

    let mut entry = emulator.journal().pop().expect("a request");
    assert_eq!(verdict(&entry), Verdict::Described);
    entry.operation = Some(Operation::CreateConversation);
    assert!(matches!(verdict(&entry), Verdict::Wrong(_)));
    entry.status = Some(500);
    assert_eq!(verdict(&entry), Verdict::NotJudged);
    entry.status = Some(200);
    entry.fault = Some("answer:unknown_role".to_owned());
    assert_eq!(
        verdict(&entry),
        Verdict::NotJudged,
        "it is wrong on purpose"
    );
}

fn told(line: &str) -> Witness {
    let witness = Witness::new();
    let (_, file) = witness.variable();
    std::fs::write(file, line).expect("it can be written");
    witness
}

#[test]
fn what_a_programs_emulator_answered_is_judged() {
    let good = r#"{"operation":"createConversation","status":404,"fault":null,"answered":"{\"status\":false,\"error\":\"Assistant not found\"}"}"#;
    let killed = r#"{"operation":"createConv"#;
    assert_eq!(told(&format!("{good}\n{good}\n{killed}")).judge(), 2);
    let spoiled = r#"{"operation":"getMe","status":200,"fault":"after:garble","answered":"<"}"#;
    assert_eq!(told(&format!("{spoiled}\n")).judge(), 0);
}

#[test]
#[should_panic(expected = "not in openapi.yaml: getMe 200")]
fn a_test_does_not_end_well_where_a_programs_emulator_said_something_else() {
    let wrong =
        r#"{"operation":"getMe","status":200,"fault":null,"answered":"{\"nickname\":\"Anna\"}"}"#;
    drop(told(&format!("{wrong}\n")));
}

/// Every source file of a folder.
fn sources(folder: PathBuf) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
    {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn no_test_has_an_emulator_that_is_not_judged() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut unjudged = Vec::new();
    let mut judged = 0;
    for folder in [
        "tests/tests",
        "tests/src",
        "crates/famulor-cli/tests",
        "crates/famulor-emulator/tests",
    ] {
        for path in sources(root.join(folder)) {
            let text = std::fs::read_to_string(&path).expect("it can be read");
            judged += usize::from(text.contains("famulor_test_judge::emulator"));
            if text.contains("Emulator::builder") || text.contains("EmulatorBuilder::default") {
                unjudged.push(path.display().to_string());
            }
        }
    }
    assert!(judged > 8, "the tests are not where they were");
    assert!(
        unjudged.is_empty(),
        "famulor_test_judge::emulator() stands for Emulator::builder() in tests: {unjudged:?}"
    );
}

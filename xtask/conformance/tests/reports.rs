//! A check that cannot fail is none: each thing that it should report, broken once in a copy of spec and bodies.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A copy of the spec and the bodies, to break.
struct Copy {
    folder: TempDir,
}

impl Copy {
    fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let folder = TempDir::new()?;
        fs::copy(
            root.join("openapi.yaml"),
            folder.path().join("openapi.yaml"),
        )?;
        fs::create_dir(folder.path().join("fixtures"))?;
        for entry in fs::read_dir(root.join("tests/fixtures"))? {
            let entry = entry?;
            fs::copy(
                entry.path(),
                folder.path().join("fixtures").join(entry.file_name()),
            )?;
        }
        Ok(Self { folder })
    }

    fn fixture(&self, name: &str) -> PathBuf {
        self.folder.path().join("fixtures").join(name)
    }

    /// Replaces a text that must be there, everywhere it is.
    fn replace(&self, file: &str, from: &str, to: &str) -> Outcome {
        let path = self.folder.path().join(file);
        let text = fs::read_to_string(&path)?;
        assert!(text.contains(from), "{file} has no {from:?}");
        fs::write(path, text.replace(from, to))?;
        Ok(())
    }

    /// Adds a body and its line in the index.
    fn add(&self, name: &str, body: &str, refused: &str) -> Outcome {
        fs::write(self.fixture(name), body)?;
        let index = self.fixture("INDEX.tsv");
        let lines = fs::read_to_string(&index)?;
        fs::write(index, format!("{lines}{name}\ta test\t{refused}\n"))?;
        Ok(())
    }

    fn problems(&self) -> Vec<String> {
        let folder = self.folder.path();
        let report = conformance::check(&folder.join("openapi.yaml"), &folder.join("fixtures"));
        report.problems.iter().map(ToString::to_string).collect()
    }

    #[track_caller]
    fn reports(&self, words: &[&str]) {
        let problems = self.problems();
        assert!(
            problems
                .iter()
                .any(|problem| words.iter().all(|word| problem.contains(word))),
            "no problem has {words:?} among:\n{}",
            problems.join("\n")
        );
    }
}

const GET: &str = "getConversation.response.200-success.seed001.json";

#[test]
fn the_spec_and_the_bodies_as_they_are_have_no_problem() -> Outcome {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let report = conformance::check(&root.join("openapi.yaml"), &root.join("tests/fixtures"));
    assert!(report.problems.is_empty(), "{:#?}", report.problems);
    assert!(
        report.accepted > 50 && report.refused > 40 && report.examples > 80,
        "{report:?}"
    );
    Ok(())
}

#[test]
fn a_body_of_the_wrong_type_is_reported_with_its_path() -> Outcome {
    let copy = Copy::new()?;
    copy.replace(
        &format!("fixtures/{GET}"),
        r#""role": "user""#,
        r#""role": 7"#,
    )?;
    copy.reports(&[GET, "/history/1/role", "not valid"]);
    Ok(())
}

#[test]
fn a_required_field_that_a_documented_body_lacks_is_reported() -> Outcome {
    let copy = Copy::new()?;
    copy.replace(
        "openapi.yaml",
        "required: [status]",
        "required: [status, channel]",
    )?;
    copy.reports(&[GET, "/channel", "required"]);
    Ok(())
}

#[test]
fn a_field_that_the_spec_lacks_is_reported_at_any_depth() -> Outcome {
    let copy = Copy::new()?;
    copy.replace(
        &format!("fixtures/{GET}"),
        r#""name": "book_appointment","#,
        r#""name": "book_appointment", "took_ms": 12,"#,
    )?;
    copy.reports(&[GET, "/history/4/function_calls/0/took_ms", "no such field"]);
    Ok(())
}

#[test]
fn free_form_objects_may_hold_any_field() -> Outcome {
    let copy = Copy::new()?;
    copy.replace(
        &format!("fixtures/{GET}"),
        r#""plan": "premium""#,
        r#""plan": { "a": [1] }"#,
    )?;
    copy.replace(
        &format!("fixtures/{GET}"),
        r#""booking_id""#,
        r#""booking": {}, "booking_id""#,
    )?;
    assert_eq!(copy.problems(), Vec::<String>::new());
    Ok(())
}

#[test]
fn a_body_that_comes_out_of_its_type_changed_is_reported() -> Outcome {
    let copy = Copy::new()?;
    // Valid by the schema; the type writes a missing optional field for `null`.
    copy.replace(
        "fixtures/getMe.response.200-response.json",
        r#""Your Name""#,
        "null",
    )?;
    copy.reports(&[
        "getMe.response.200-response.json",
        "/name",
        "GetMeResponse writes nothing, not null",
    ]);
    Ok(())
}

#[test]
fn a_body_that_its_type_cannot_read_is_reported() -> Outcome {
    let copy = Copy::new()?;
    // The spec moves on, and nobody runs codegen.
    copy.replace(
        "openapi.yaml",
        "description: The account's name\n          type: string",
        "description: The account's name\n          type: integer",
    )?;
    copy.replace("openapi.yaml", "name: Your Name,", "name: 5,")?;
    copy.replace(
        "fixtures/getMe.response.200-response.json",
        r#""Your Name""#,
        "5",
    )?;
    copy.reports(&[
        "getMe.response.200-response.json",
        "does not decode into GetMeResponse",
    ]);
    Ok(())
}

#[test]
fn an_invalid_body_that_is_accepted_is_reported() -> Outcome {
    let copy = Copy::new()?;
    let body = r#"{ "status": true, "history": [] }"#;
    let name = "invalid-getConversation.response.200-empty.json";
    copy.add(name, body, "required /history")?;
    copy.reports(&[name, "is accepted"]);
    Ok(())
}

#[test]
fn an_invalid_body_that_is_refused_for_another_reason_is_reported() -> Outcome {
    let copy = Copy::new()?;
    let name = "invalid-sendMessage.request.message-2001-characters.json";
    fs::write(copy.fixture(name), "{}")?;
    copy.reports(&[
        name,
        "is refused for `required /message`",
        "says `maxLength /message`",
    ]);
    Ok(())
}

#[test]
fn a_bound_that_the_generated_type_does_not_keep_is_reported() -> Outcome {
    let copy = Copy::new()?;
    copy.replace("openapi.yaml", "maxLength: 2000", "maxLength: 1000")?;
    let name = "invalid-sendMessage.request.message-1001-characters.json";
    let body = format!(r#"{{ "message": "{}" }}"#, "a".repeat(1001));
    copy.add(name, &body, "maxLength /message")?;
    copy.reports(&[name, "the generated type takes it"]);
    Ok(())
}

#[test]
fn an_error_body_is_held_against_its_own_status() -> Outcome {
    let copy = Copy::new()?;
    let name = "getConversation.response.418-teapot.json";
    copy.add(name, r#"{ "status": false, "error": 418 }"#, "")?;
    copy.reports(&[name, "/error", "418 is not of type"]);
    let name = "getConversation.response.500-oops.json";
    copy.add(name, r#"{ "error": "oops" }"#, "")?;
    copy.reports(&[name, "getConversation has no response with status 500"]);
    Ok(())
}

#[test]
fn a_body_of_no_operation_is_reported() -> Outcome {
    let copy = Copy::new()?;
    copy.add("listSpaceships.response.200-success.json", "[]", "")?;
    copy.reports(&[
        "listSpaceships.response.200-success.json",
        "no operation listSpaceships",
    ]);
    copy.add("getMe.request.odd.json", "{}", "")?;
    copy.reports(&["getMe.request.odd.json", "getMe has no request"]);
    Ok(())
}

#[test]
fn an_operation_without_bodies_or_without_an_entry_in_the_table_is_reported_by_name() -> Outcome {
    let copy = Copy::new()?;
    copy.replace(
        "openapi.yaml",
        "\ncomponents:\n",
        r##"
  /user/ships:
    post:
      operationId: launchShip
      requestBody:
        required: true
        content:
          application/json:
            schema: { $ref: "#/components/schemas/SendMessageRequest" }
      responses:
        "200":
          description: Launched
          content:
            application/json:
              schema: { $ref: "#/components/schemas/GetMeResponse" }
components:
"##,
    )?;
    copy.reports(&["codecs.rs", "launchShip", "the request has no entry"]);
    copy.reports(&["codecs.rs", "launchShip", "the response has no entry"]);
    copy.reports(&["launchShip", "no request in tests/fixtures"]);
    copy.reports(&["launchShip", "no response in tests/fixtures"]);
    Ok(())
}

#[test]
fn an_entry_of_the_table_that_the_spec_lacks_or_calls_otherwise_is_reported() -> Outcome {
    let copy = Copy::new()?;
    copy.replace("openapi.yaml", "operationId: getMe", "operationId: whoAmI")?;
    copy.reports(&["codecs.rs", "getMe: the spec has no such response"]);
    copy.replace(
        "openapi.yaml",
        "schemas/WebhookResponse\"",
        "schemas/GetMeResponse\"",
    )?;
    copy.reports(&[
        "enableConversationEndedWebhook",
        "decodes WebhookResponse",
        "it is GetMeResponse",
    ]);
    Ok(())
}

#[test]
fn an_error_schema_of_its_own_is_reported() -> Outcome {
    let copy = Copy::new()?;
    copy.replace(
        "openapi.yaml",
        "schemas/ApiError\"",
        "schemas/WebhookResponse\"",
    )?;
    copy.reports(&["getConversation 404: an error is an ApiError"]);
    Ok(())
}

#[test]
fn deleting_the_last_body_of_a_webhook_is_reported() -> Outcome {
    let copy = Copy::new()?;
    let mut lines = Vec::new();
    for line in fs::read_to_string(copy.fixture("INDEX.tsv"))?.lines() {
        match line.split('\t').next() {
            Some(name) if name.starts_with("webhookConversationEnded.") => {
                fs::remove_file(copy.fixture(name))?
            }
            _ => lines.push(line.to_owned()),
        }
    }
    fs::write(copy.fixture("INDEX.tsv"), lines.join("\n"))?;
    copy.reports(&["webhookConversationEnded: no event in tests/fixtures"]);
    Ok(())
}

#[test]
fn an_example_of_the_spec_that_breaks_its_schema_is_reported_once() -> Outcome {
    let copy = Copy::new()?;
    copy.replace(
        "openapi.yaml",
        "error: Conversation not found",
        "error: [Conversation not found]",
    )?;
    copy.reports(&[
        "openapi.yaml",
        "/components/examples/ConversationNotFound/value/error",
    ]);
    let problems = copy.problems();
    let found = problems
        .iter()
        .filter(|p| p.contains("ConversationNotFound/value"))
        .count();
    assert_eq!(found, 1, "{problems:#?}");
    Ok(())
}

#[test]
fn the_index_and_the_folder_must_name_the_same_files() -> Outcome {
    let copy = Copy::new()?;
    fs::write(copy.fixture("getMe.response.200-other.json"), "{}")?;
    copy.reports(&["getMe.response.200-other.json", "has no line in INDEX.tsv"]);
    fs::remove_file(copy.fixture(GET))?;
    copy.reports(&["INDEX.tsv", GET, "there is no such file"]);
    copy.add("getMe.response.200-third.json", "{}", "required /name")?;
    copy.reports(&["getMe.response.200-third.json", "`refused`"]);
    Ok(())
}

#[test]
fn a_file_that_is_not_json_or_not_named_as_it_should_be_is_reported() -> Outcome {
    let copy = Copy::new()?;
    copy.add("getMe.response.200-cut.json", "{", "")?;
    copy.reports(&["getMe.response.200-cut.json", "is not JSON"]);
    copy.add("getMe.response.success.json", "{}", "")?;
    copy.reports(&["getMe.response.success.json", "has its status"]);
    copy.add("getMe.answer.json", "{}", "")?;
    copy.reports(&["getMe.answer.json", "a name is"]);
    Ok(())
}

#[test]
fn a_spec_that_cannot_be_read_or_checked_is_reported() -> Outcome {
    let copy = Copy::new()?;
    copy.replace(
        "openapi.yaml",
        "description: The account's name\n          type: string",
        "description: The account's name\n          format: odd\n          type: string",
    )?;
    copy.reports(&["openapi.yaml", "is no schema", "odd"]);
    fs::write(copy.folder.path().join("openapi.yaml"), "openapi: 3.1.0")?;
    copy.reports(&["openapi.yaml", "is not OpenAPI 3.0"]);
    Ok(())
}

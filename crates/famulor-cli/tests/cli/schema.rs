//! The schemas describe what is really written.

use famulor_emulator::{AsAnswer, Fault, Operation};
use serde_json::{Value, json};

use crate::fixture::{CONVERSATION, Fixture, reply};

/// The schema of that name, ready to judge.
#[track_caller]
fn judge(world: &Fixture, name: &str) -> jsonschema::Validator {
    let schema = world.bare(["schema", name]).run().exits(0).json();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    jsonschema::validator_for(&schema).expect("a schema")
}

#[track_caller]
fn assert_fits(schema: &jsonschema::Validator, value: &Value) {
    let complaints: Vec<String> = schema
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(complaints, Vec::<String>::new(), "{value}");
}

#[test]
fn every_reply_fits_its_schema_and_a_wrong_one_does_not() {
    let world = Fixture::new();
    let schema = judge(&world, "reply");
    let mut answer = Value::Null;
    for message in [
        "Hello",
        "An appointment on Friday?",
        "Do you have one at 10 AM?",
    ] {
        answer = world
            .famulor(reply(&["--json", message]))
            .run()
            .exits(0)
            .json();
        assert_fits(&schema, &answer);
    }
    for field in [
        "conversation_id",
        "customer_identifier",
        "reply",
        "function_calls",
        "ai_disabled",
    ] {
        let mut without = answer.clone();
        without.as_object_mut().expect("an object").remove(field);
        assert!(!schema.is_valid(&without), "{field} is required");
    }
    answer["ai_disabled"] = json!("no");
    assert!(!schema.is_valid(&answer));
}

#[test]
fn every_conversation_fits_its_schema() {
    let world = Fixture::new();
    let schema = judge(&world, "conversation");
    let get = ["conversation", "get", CONVERSATION, "--json"];
    assert_fits(&schema, &world.famulor(get).run().exits(0).json());
    for fault in [AsAnswer::UnknownRole, AsAnswer::EmptyVariables] {
        let fault = Fault::answer(fault).on(Operation::GetConversation);
        world.emulator.inject(fault);
        assert_fits(&schema, &world.famulor(get).run().exits(0).json());
    }
    assert!(!schema.is_valid(&json!({"history": "none"})));
}

#[test]
fn every_error_fits_its_schema() {
    let world = Fixture::new();
    let schema = judge(&world, "error");
    let error = |ran: crate::fixture::Ran| {
        let line = ran.stderr.lines().last().unwrap_or_default().to_owned();
        serde_json::from_str::<Value>(&line).expect("JSON")
    };
    let run = |arguments: &[&str]| world.famulor(arguments).arg("--json").run();
    for ran in [
        run(&["reply"]),
        run(&["conversation", "get", "nobody"]),
        run(&["conversation", "get", ".."]),
        run(&["reply", "--customer", "c", "--assistant-id", "999", "Hi"]),
        run(&["config", "get", "nothing"]),
    ] {
        assert_fits(&schema, &error(ran));
    }
    let limited = Fault::answer(AsAnswer::TooManyRequests {
        headers: true,
        retry_after: 7,
    });
    world
        .emulator
        .inject(limited.on(Operation::GenerateReply).forever());
    let ran = world
        .famulor(reply(&[
            "--json",
            "--max-retries",
            "0",
            "--max-wait",
            "0s",
            "Hi",
        ]))
        .run();
    let value = error(ran);
    assert!(value["error"]["retry_after_s"].is_number(), "{value}");
    assert_fits(&schema, &value);
    let mut wrong = value.clone();
    wrong["error"]["delivery"] = json!("perhaps");
    assert!(!schema.is_valid(&wrong));
}

#[test]
fn every_line_of_a_batch_fits_its_schema() {
    let world = Fixture::new();
    let (input, output) = (judge(&world, "batch-input"), judge(&world, "batch-output"));
    let good = json!({"assistant_id": 123, "customer_identifier": "crm-1", "message": "Hello"});
    let mut full = good.clone();
    full["variables"] = json!({"name": "Anna", "visits": 3});
    full["id"] = json!("order 7");
    let unknown = json!({"assistant_id": 404, "customer_identifier": "crm-2", "message": "Hello"});
    for line in [&good, &full, &unknown] {
        assert_fits(&input, line);
    }
    for (field, value) in [
        ("message", Value::Null),
        ("assistant_id", json!("123")),
        ("customer_identifier", json!("c".repeat(256))),
        ("mesage", json!("Hello")),
    ] {
        let mut wrong = good.clone();
        wrong[field] = value;
        assert!(!input.is_valid(&wrong), "{wrong}");
    }
    world.file("job.jsonl", &format!("{good}\n{full}\n{unknown}\n"));
    let ran = world
        .famulor(["batch", "run", "job.jsonl", "--out", "-"])
        .run()
        .exits(10);
    let lines: Vec<Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 3);
    for line in &lines {
        assert_fits(&output, line);
    }
    let mut wrong = lines[2].clone();
    wrong["state"] = json!("lost");
    assert!(!output.is_valid(&wrong));
}

#[test]
fn a_schema_is_json_in_every_format() {
    let world = Fixture::new();
    let text = world.bare(["schema", "emulator-script"]).run().exits(0);
    let schema = text.json();
    assert!(
        schema["$schema"]
            .as_str()
            .is_some_and(|url| url.contains("json-schema.org")),
        "{schema}"
    );
    for key in ["assistants", "rules", "tokens", "limits", "faults"] {
        assert!(schema["properties"][key].is_object(), "{key} in {schema}");
    }
    for format in ["json", "jsonl", "table"] {
        let other = world
            .bare(["schema", "emulator-script", "-o", format])
            .run()
            .exits(0);
        assert_eq!(other.stdout, text.stdout, "{format}");
    }
}

#[test]
fn an_unknown_schema_is_refused_with_the_known_ones() {
    let world = Fixture::new();
    world
        .bare(["schema", "emulator-scripts"])
        .run()
        .exits(2)
        .says("emulator-script");
    world.bare(["schema"]).run().exits(2).says("NAME");
    world
        .bare(["schema", "emulator-script", "--dry-run"])
        .run()
        .exits(2);
}

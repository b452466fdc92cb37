//! `openapi.yaml` as JSON Schema, by operation and status.

use std::collections::HashMap;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

const SPEC: &str = include_str!("../../../openapi.yaml");

/// By operation and by status as the spec has it: `200`, `422`, `4XX`.
type Schemas = HashMap<(String, String), Validator>;

/// What the spec has against this answer of an operation (`generateReply`), if anything.
pub fn objection(operation: &str, status: u16, body: &[u8]) -> Option<String> {
    let body: Value = match serde_json::from_slice(body) {
        Ok(body) => body,
        Err(error) => return Some(format!("{operation} {status}: no JSON: {error}")),
    };
    let key = |status: String| (operation.to_owned(), status);
    let Some(schema) = schemas()
        .get(&key(status.to_string()))
        .or_else(|| schemas().get(&key(format!("{}XX", status / 100))))
    else {
        return Some(format!("{operation}: the spec has no {status}"));
    };
    let errors: Vec<String> = schema
        .iter_errors(&body)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    (!errors.is_empty()).then(|| format!("{operation} {status}: {}", errors.join("; ")))
}

fn schemas() -> &'static Schemas {
    static SCHEMAS: OnceLock<Schemas> = OnceLock::new();
    SCHEMAS.get_or_init(|| {
        let spec: Value = serde_yaml_ng::from_str(SPEC).expect("openapi.yaml is YAML");
        let components = json!({"schemas": translated(&spec["components"]["schemas"])});
        let mut schemas = Schemas::new();
        for path in objects(&spec["paths"]) {
            for operation in objects(path.1) {
                let Some(name) = operation.1["operationId"].as_str() else {
                    continue;
                };
                for (status, response) in objects(&operation.1["responses"]) {
                    let response = resolved(&spec, response);
                    let schema = &response["content"]["application/json"]["schema"];
                    let mut schema = translated(schema);
                    schema["components"] = components.clone();
                    let validator = jsonschema::validator_for(&schema).expect("a schema");
                    schemas.insert((name.to_owned(), status.clone()), validator);
                }
            }
        }
        assert!(schemas.len() > 30, "the spec was read");
        schemas
    })
}

fn objects(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn resolved<'a>(spec: &'a Value, response: &'a Value) -> &'a Value {
    match response["$ref"].as_str() {
        Some(reference) => spec
            .pointer(reference.trim_start_matches('#'))
            .expect("a reference that leads somewhere"),
        None => response,
    }
}

/// OpenAPI 3.0 as JSON Schema: `nullable` is a type, and a schema that names
/// fields names all of them.
fn translated(schema: &Value) -> Value {
    match schema {
        Value::Array(items) => items.iter().map(translated).collect(),
        Value::Object(fields) => {
            let mut out: Map<String, Value> = fields
                .iter()
                .filter(|(name, _)| !matches!(name.as_str(), "nullable" | "format"))
                .map(|(name, value)| (name.clone(), translated(value)))
                .collect();
            if fields.get("nullable") == Some(&json!(true)) {
                if let Some(kind) = fields.get("type") {
                    out.insert("type".to_owned(), json!([kind, "null"]));
                }
                if let Some(Value::Array(values)) = out.get_mut("enum") {
                    values.push(Value::Null);
                }
            }
            if fields.get("properties").is_some_and(Value::is_object) {
                out.insert("additionalProperties".to_owned(), json!(false));
            }
            Value::Object(out)
        }
        other => other.clone(),
    }
}

//! OpenAPI 3.0 schemas as JSON Schema, draft 2020-12, in a strict reading.
//!
//! - `nullable` becomes a `null` among the types.
//! - `$ref` stands alone: in 3.0 what stands beside it is ignored.
//! - A schema that names properties names all of them, whatever its `additionalProperties` says: that keyword is there
//!   for readers of later answers, and this check is for what the spec knows. One that names none is free.
//! - Anything that would be passed over in silence is an error here.

use serde_json::{Map, Value, json};

use crate::Problem;

pub(crate) fn translate(schema: &Value, pointer: &str) -> Result<Value, Problem> {
    let wrong = |cause: String| Problem::new("openapi.yaml", pointer, cause);
    let Value::Object(schema) = schema else {
        return match schema {
            Value::Bool(_) => Ok(schema.clone()),
            _ => Err(wrong("is no schema".to_owned())),
        };
    };
    if let Some(reference) = schema.get("$ref") {
        return Ok(json!({ "$ref": reference }));
    }
    let mut out = Map::new();
    for (keyword, value) in schema {
        let inner = format!("{pointer}/{keyword}");
        let translated = match keyword.as_str() {
            // For people.
            "title" | "description" => continue,
            "nullable" | "type" | "format" => continue,
            "enum" | "required" | "minimum" | "maximum" | "minLength" | "maxLength" | "pattern"
            | "minItems" | "maxItems" | "uniqueItems" | "minProperties" | "maxProperties" => {
                value.clone()
            }
            "items" | "not" | "additionalProperties" => translate(value, &inner)?,
            "properties" => Value::Object(each(value, &inner)?),
            "allOf" | "anyOf" | "oneOf" => Value::Array(list(value, &inner)?),
            other => return Err(wrong(format!("the keyword {other} is not checked here"))),
        };
        out.insert(keyword.clone(), translated);
    }
    if schema
        .get("allOf")
        .and_then(Value::as_array)
        .is_some_and(|all| all.len() > 1)
    {
        return Err(wrong(
            "more than one schema in allOf: which fields it names cannot be told".to_owned(),
        ));
    }
    if schema.contains_key("properties") {
        out.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    if let Some(format) = schema.get("format") {
        bounds_of(format, &mut out).map_err(wrong)?;
    }
    let nullable = schema.get("nullable") == Some(&Value::Bool(true));
    match schema.get("type") {
        Some(kind) if nullable => {
            out.insert("type".to_owned(), json!([kind, "null"]));
            if let Some(Value::Array(values)) = out.get_mut("enum") {
                values.push(Value::Null);
            }
        }
        Some(kind) => {
            out.insert("type".to_owned(), kind.clone());
        }
        None if nullable => {
            return Err(wrong(
                "nullable means nothing without a type beside it".to_owned(),
            ));
        }
        None => {}
    }
    Ok(Value::Object(out))
}

fn each(value: &Value, pointer: &str) -> Result<Map<String, Value>, Problem> {
    let mut out = Map::new();
    for (name, schema) in value.as_object().into_iter().flatten() {
        out.insert(
            name.clone(),
            translate(schema, &format!("{pointer}/{name}"))?,
        );
    }
    Ok(out)
}

fn list(value: &Value, pointer: &str) -> Result<Vec<Value>, Problem> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
        .map(|(i, schema)| translate(schema, &format!("{pointer}/{i}")))
        .collect()
}

/// OpenAPI's number formats as bounds; any other is left to the validator, which refuses what it does not know.
fn bounds_of(format: &Value, out: &mut Map<String, Value>) -> Result<(), String> {
    let (least, most) = match format.as_str() {
        Some("int32") => (i64::from(i32::MIN), i64::from(i32::MAX)),
        Some("int64") => (i64::MIN, i64::MAX),
        Some("float" | "double") => return Ok(()),
        Some(_) => {
            out.insert("format".to_owned(), format.clone());
            return Ok(());
        }
        None => return Err("format is no text".to_owned()),
    };
    out.entry("minimum").or_insert(json!(least));
    out.entry("maximum").or_insert(json!(most));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::translate;
    use serde_json::json;

    #[test]
    fn nullable_becomes_a_type_and_a_value_of_the_enumeration() {
        let translated = translate(
            &json!({ "type": "string", "nullable": true, "enum": ["a"] }),
            "",
        );
        assert_eq!(
            translated.ok(),
            Some(json!({ "type": ["string", "null"], "enum": ["a", null] }))
        );
    }

    #[test]
    fn what_would_be_passed_over_in_silence_is_an_error() {
        for schema in [
            json!({ "nullable": true, "anyOf": [] }),
            json!({ "type": "string", "example": "a" }),
            json!({ "type": "object", "discriminator": {} }),
            json!({ "allOf": [{ "type": "object" }, { "type": "object" }] }),
        ] {
            assert!(translate(&schema, "/x").is_err(), "{schema}");
        }
    }

    #[test]
    fn a_schema_that_names_fields_is_closed_and_a_map_stays_open() {
        let closed = translate(
            &json!({ "type": "object", "properties": {}, "additionalProperties": {} }),
            "",
        );
        assert_eq!(
            closed
                .ok()
                .and_then(|s| s.get("additionalProperties").cloned()),
            Some(json!(false))
        );
        let open = translate(&json!({ "type": "object", "additionalProperties": {} }), "");
        assert_eq!(
            open.ok()
                .and_then(|s| s.get("additionalProperties").cloned()),
            Some(json!({}))
        );
    }
}

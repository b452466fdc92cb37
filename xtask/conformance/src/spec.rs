//! The operations of `openapi.yaml` and their bodies.

use std::collections::BTreeMap;
use std::path::Path;

use jsonschema::Validator;
use openapiv3::{MediaType, OpenAPI, ReferenceOr, RequestBody, Response, StatusCode};
use serde_json::Value;

use crate::fixtures::Part;
use crate::verdict::{self, Cause};
use crate::{Problem, schema};

const FILE: &str = "openapi.yaml";

/// The spec: walked with types, judged as the JSON that it is.
pub(crate) struct Spec {
    raw: Value,
    /// The judge of each body, by the body's pointer. They also refuse fields that the spec does not name.
    validators: BTreeMap<String, Validator>,
    pub(crate) operations: Vec<Operation>,
}

pub(crate) struct Operation {
    pub(crate) id: String,
    /// Whether Famulor calls it on the user's server.
    pub(crate) is_webhook: bool,
    request: Option<Body>,
    responses: Vec<(StatusCode, Option<Body>)>,
}

/// A JSON body of the spec.
pub(crate) struct Body {
    /// The JSON pointer of its media type.
    pub(crate) pointer: String,
    schema: Value,
}

impl Spec {
    pub(crate) fn read(path: &Path) -> Result<Self, Problem> {
        let wrong = |cause: String| Problem::new(FILE, "", cause);
        let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
        let typed: OpenAPI = serde_yaml_ng::from_str(&text)
            .map_err(|e| wrong(format!("is not OpenAPI 3.0: {e}")))?;
        let raw: Value =
            serde_yaml_ng::from_str(&text).map_err(|e| wrong(format!("is not YAML: {e}")))?;
        let mut components = serde_json::Map::new();
        if let Some(Value::Object(schemas)) = raw.pointer("/components/schemas") {
            for (name, schema) in schemas {
                let pointer = format!("/components/schemas/{name}");
                components.insert(name.clone(), schema::translate(schema, &pointer)?);
            }
        }
        let operations = Walk { raw: &raw }.operations(&typed)?;
        let components = serde_json::json!({ "schemas": components });
        let mut validators = BTreeMap::new();
        for body in operations.iter().flat_map(Operation::all_bodies) {
            if !validators.contains_key(&body.pointer) {
                validators.insert(body.pointer.clone(), validator(body, &components)?);
            }
        }
        Ok(Self {
            validators,
            operations,
            raw,
        })
    }

    /// Why `value` is not the body that the spec describes; nothing if it is.
    pub(crate) fn causes(&self, body: &Body, value: &Value) -> Vec<Cause> {
        self.validators
            .get(&body.pointer)
            .map(|validator| verdict::causes(validator, value))
            .unwrap_or_else(|| vec![Cause::new("", "schema", "has no schema to be held against")])
    }

    /// The examples that the spec gives of a body, each with its own pointer.
    pub(crate) fn examples(
        &self,
        body: &Body,
        problems: &mut Vec<Problem>,
    ) -> Vec<(String, Value)> {
        let mut found = Vec::new();
        let media = self.raw.pointer(&body.pointer).unwrap_or(&Value::Null);
        if let Some(value) = media.get("example") {
            found.push((format!("{}/example", body.pointer), value.clone()));
        }
        let Some(Value::Object(examples)) = media.get("examples") else {
            return found;
        };
        for (name, example) in examples {
            let (pointer, example) = match example.get("$ref").and_then(Value::as_str) {
                Some(reference) => {
                    let pointer = reference.trim_start_matches('#').to_owned();
                    let target = self.raw.pointer(&pointer);
                    (pointer, target.unwrap_or(&Value::Null))
                }
                None => (format!("{}/examples/{name}", body.pointer), example),
            };
            match example.get("value") {
                Some(value) => found.push((format!("{pointer}/value"), value.clone())),
                None => problems.push(Problem::new(FILE, pointer, "an example without a value")),
            }
        }
        found
    }
}

fn validator(body: &Body, components: &Value) -> Result<Validator, Problem> {
    let mut root = schema::translate(&body.schema, &body.pointer)?;
    root["components"] = components.clone();
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .build(&root)
        .map_err(|e| Problem::new(FILE, &body.pointer, format!("is no schema: {e}")))
}

impl Operation {
    /// The bodies that must have a fixture and an entry in the table of types.
    pub(crate) fn bodies(&self) -> impl Iterator<Item = (Part, &Body)> {
        let request = self.request.iter().map(|body| {
            let part = if self.is_webhook {
                Part::Event
            } else {
                Part::Request
            };
            (part, body)
        });
        let success = self
            .responses
            .iter()
            .filter(|(status, _)| is_success(status))
            .filter_map(|(_, body)| Some((Part::Response, body.as_ref()?)));
        request.chain(success)
    }

    /// The bodies of refusals.
    pub(crate) fn errors(&self) -> impl Iterator<Item = (&StatusCode, &Body)> {
        self.responses
            .iter()
            .filter(|(status, _)| !is_success(status))
            .filter_map(|(status, body)| Some((status, body.as_ref()?)))
    }

    pub(crate) fn all_bodies(&self) -> impl Iterator<Item = &Body> {
        let responses = self.responses.iter().filter_map(|(_, body)| body.as_ref());
        self.request.iter().chain(responses)
    }

    /// The body of a part; of a response, that of its own status before that of its range.
    pub(crate) fn body_for(&self, part: Part, status: Option<u16>) -> Option<&Body> {
        let Some(status) = status else {
            return (part
                == if self.is_webhook {
                    Part::Event
                } else {
                    Part::Request
                })
            .then_some(self.request.as_ref())
            .flatten();
        };
        [StatusCode::Code(status), StatusCode::Range(status / 100)]
            .iter()
            .find_map(|wanted| self.responses.iter().find(|(status, _)| status == wanted))
            .and_then(|(_, body)| body.as_ref())
    }
}

fn is_success(status: &StatusCode) -> bool {
    matches!(status, StatusCode::Code(200..300) | StatusCode::Range(2))
}

impl Body {
    /// The name of the schema that it refers to.
    pub(crate) fn type_name(&self) -> Option<&str> {
        self.schema.get("$ref")?.as_str()?.rsplit('/').next()
    }
}

/// Finds the operations, with the JSON pointer of each body.
struct Walk<'a> {
    raw: &'a Value,
}

impl Walk<'_> {
    fn operations(&self, spec: &OpenAPI) -> Result<Vec<Operation>, Problem> {
        let mut found = Vec::new();
        for (path, item) in spec.paths.iter() {
            let pointer = format!("/paths/{}", escape(path));
            let ReferenceOr::Item(item) = item else {
                return Err(Problem::new(
                    FILE,
                    pointer,
                    "a path by $ref is not checked here",
                ));
            };
            self.item(item, &pointer, false, &mut found)?;
        }
        Ok(found)
    }

    fn item(
        &self,
        item: &openapiv3::PathItem,
        pointer: &str,
        is_webhook: bool,
        found: &mut Vec<Operation>,
    ) -> Result<(), Problem> {
        for (method, operation) in item.iter() {
            let pointer = format!("{pointer}/{method}");
            let id = operation
                .operation_id
                .clone()
                .ok_or_else(|| Problem::new(FILE, &pointer, "has no operationId"))?;
            let request = match &operation.request_body {
                Some(request) => self.request(request, &format!("{pointer}/requestBody"))?,
                None => None,
            };
            let mut responses = Vec::new();
            for (status, response) in &operation.responses.responses {
                let pointer = format!("{pointer}/responses/{status}");
                responses.push((status.clone(), self.response(response, &pointer)?));
            }
            found.push(Operation {
                id,
                is_webhook,
                request,
                responses,
            });
            for (name, callback) in &operation.callbacks {
                for (url, item) in callback {
                    let pointer = format!("{pointer}/callbacks/{}/{}", escape(name), escape(url));
                    self.item(item, &pointer, true, found)?;
                }
            }
        }
        Ok(())
    }

    fn request(
        &self,
        request: &ReferenceOr<RequestBody>,
        pointer: &str,
    ) -> Result<Option<Body>, Problem> {
        match request {
            ReferenceOr::Item(request) => self.body(request.content.iter(), pointer),
            ReferenceOr::Reference { .. } => Err(Problem::new(
                FILE,
                pointer,
                "a request body by $ref is not checked here",
            )),
        }
    }

    fn response(
        &self,
        response: &ReferenceOr<Response>,
        pointer: &str,
    ) -> Result<Option<Body>, Problem> {
        let (response, pointer) = match response {
            ReferenceOr::Item(response) => (response.clone(), pointer.to_owned()),
            ReferenceOr::Reference { reference } => {
                let target = reference.trim_start_matches('#').to_owned();
                let response = self
                    .raw
                    .pointer(&target)
                    .and_then(|raw| serde_json::from_value(raw.clone()).ok())
                    .ok_or_else(|| {
                        Problem::new(FILE, pointer, format!("{reference}: no such response"))
                    })?;
                (response, target)
            }
        };
        self.body(response.content.iter(), &pointer)
    }

    fn body<'b>(
        &self,
        content: impl Iterator<Item = (&'b String, &'b MediaType)>,
        pointer: &str,
    ) -> Result<Option<Body>, Problem> {
        let mut body = None;
        for (kind, _) in content {
            let pointer = format!("{pointer}/content/{}", escape(kind));
            if kind != "application/json" {
                return Err(Problem::new(
                    FILE,
                    pointer,
                    "only application/json is checked here",
                ));
            }
            let schema = self
                .raw
                .pointer(&format!("{pointer}/schema"))
                .cloned()
                .ok_or_else(|| Problem::new(FILE, &pointer, "has no schema"))?;
            body = Some(Body { pointer, schema });
        }
        Ok(body)
    }
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

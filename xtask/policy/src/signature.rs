//! Types and signatures of rustdoc's JSON, as text. Enough to see that one has changed.

use serde_json::Value;

/// `(self: &Self, text: &str) -> Result<Turn>`
pub(crate) fn function(inner: &Value) -> String {
    let sig = &inner["sig"];
    let inputs = sig["inputs"].as_array().into_iter().flatten();
    let inputs: Vec<String> = inputs
        .map(|input| format!("{}: {}", text(&input[0]), of_type(&input[1])))
        .collect();
    let is_async = if inner["header"]["is_async"] == true {
        "async "
    } else {
        ""
    };
    let generics = generics(&inner["generics"]);
    let output = match &sig["output"] {
        Value::Null => String::new(),
        output => format!(" -> {is_async}{}", of_type(output)),
    };
    format!("{generics}({}){output}", inputs.join(", "))
}

/// A type; what is not common is left as JSON.
pub(crate) fn of_type(value: &Value) -> String {
    let Some((kind, inner)) = value.as_object().and_then(|fields| fields.iter().next()) else {
        return text(value);
    };
    match kind.as_str() {
        "resolved_path" => path(inner),
        "generic" | "primitive" => text(inner),
        "tuple" => format!("({})", list(inner, of_type)),
        "slice" => format!("[{}]", of_type(inner)),
        "array" => format!("[{}; {}]", of_type(&inner["type"]), text(&inner["len"])),
        "borrowed_ref" => {
            let lifetime = inner["lifetime"]
                .as_str()
                .map(|it| format!("{it} "))
                .unwrap_or_default();
            let mutable = if inner["is_mutable"] == true {
                "mut "
            } else {
                ""
            };
            format!("&{lifetime}{mutable}{}", of_type(&inner["type"]))
        }
        "impl_trait" => format!("impl {}", bounds(inner)),
        "dyn_trait" => format!("dyn {}", list(&inner["traits"], |it| path(&it["trait"]))),
        "qualified_path" => format!(
            "<{} as {}>::{}",
            of_type(&inner["self_type"]),
            path(&inner["trait"]),
            text(&inner["name"])
        ),
        _ => without_ids(value).to_string(),
    }
}

/// A type or trait by its name, with its arguments.
pub(crate) fn path(value: &Value) -> String {
    let name = value["path"].as_str().unwrap_or_default();
    let name = name.rsplit("::").next().unwrap_or(name);
    let args = &value["args"];
    if let Some(of_function) = args.get("parenthesized") {
        let inputs = list(&of_function["inputs"], of_type);
        return match &of_function["output"] {
            Value::Null => format!("{name}({inputs})"),
            output => format!("{name}({inputs}) -> {}", of_type(output)),
        };
    }
    let bracketed = &args["angle_bracketed"];
    let mut all: Vec<String> = Vec::new();
    for argument in bracketed["args"].as_array().into_iter().flatten() {
        all.push(match argument.get("type") {
            Some(kind) => of_type(kind),
            None => argument
                .get("lifetime")
                .map_or_else(|| without_ids(argument).to_string(), text),
        });
    }
    for constraint in bracketed["constraints"].as_array().into_iter().flatten() {
        let binding = &constraint["binding"];
        let bound = match binding.get("equality") {
            Some(equal) => of_type(&equal["type"]),
            None => bounds(&binding["constraint"]),
        };
        all.push(format!("{} = {bound}", text(&constraint["name"])));
    }
    match all.is_empty() {
        true => name.to_owned(),
        false => format!("{name}<{}>", all.join(", ")),
    }
}

/// `<T: Into<String>>`, of the parameters that a person has written.
fn generics(value: &Value) -> String {
    let parameters = value["params"].as_array().into_iter().flatten();
    let written: Vec<String> = parameters
        .filter_map(|parameter| {
            let kind = &parameter["kind"]["type"];
            (kind["is_synthetic"] == false)
                .then(|| format!("{}: {}", text(&parameter["name"]), bounds(&kind["bounds"])))
        })
        .collect();
    match written.is_empty() {
        true => String::new(),
        false => format!("<{}>", written.join(", ")),
    }
}

fn bounds(value: &Value) -> String {
    let all = value.as_array().into_iter().flatten();
    let all: Vec<String> = all
        .map(|bound| match bound.get("trait_bound") {
            Some(of_trait) => path(&of_trait["trait"]),
            None => bound
                .get("outlives")
                .map_or_else(|| without_ids(bound).to_string(), text),
        })
        .collect();
    all.join(" + ")
}

fn list(value: &Value, shown: impl Fn(&Value) -> String) -> String {
    let all: Vec<String> = value.as_array().into_iter().flatten().map(shown).collect();
    all.join(", ")
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Ids are others in every run.
fn without_ids(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| *name != "id");
            kept.map(|(name, value)| (name.clone(), without_ids(value)))
                .collect()
        }
        Value::Array(items) => items.iter().map(without_ids).collect(),
        other => other.clone(),
    }
}

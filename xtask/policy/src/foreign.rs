//! Whose types an API names.

use std::collections::BTreeSet;

use serde_json::Value;

/// What comes with Rust.
const OURS: [&str; 3] = ["std", "core", "alloc"];

/// The public items that name a type or trait of a crate that is not allowed, and what they name.
pub(crate) fn found(api: &Value, allowed: &[&str]) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let items = api["index"].as_object().into_iter().flatten();
    for (_, item) in items.filter(|(_, item)| item["crate_id"] == 0) {
        if is_made_by_the_compiler(item) {
            continue;
        }
        let mut named = Vec::new();
        ids(&item["inner"], &mut named);
        for id in named {
            let path = &api["paths"][id.to_string()];
            let Some(of) = path["crate_id"].as_u64().filter(|of| *of != 0) else {
                continue;
            };
            let owner = api["external_crates"][of.to_string()]["name"]
                .as_str()
                .unwrap_or("?");
            if !OURS.contains(&owner) && !allowed.contains(&owner) {
                let path = path["path"].as_array().into_iter().flatten();
                let path: Vec<&str> = path.filter_map(Value::as_str).collect();
                found.insert((place(item), path.join("::")));
            }
        }
    }
    found
}

/// `Send` and its like, and what a trait gives to everything.
pub(crate) fn is_made_by_the_compiler(item: &Value) -> bool {
    let written = &item["inner"]["impl"];
    written["is_synthetic"] == true || !written["blanket_impl"].is_null()
}

/// The ids of the types and traits below `value`.
fn ids(value: &Value, found: &mut Vec<u64>) {
    match value {
        Value::Object(fields) => {
            let is_path = fields.contains_key("path") || fields.contains_key("source");
            found.extend(fields.get("id").and_then(Value::as_u64).filter(|_| is_path));
            fields.values().for_each(|value| ids(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| ids(item, found)),
        _ => {}
    }
}

/// What a person finds an item by.
fn place(item: &Value) -> String {
    let name = item["name"].as_str().unwrap_or("an impl");
    let file = item["span"]["filename"].as_str().unwrap_or_default();
    format!("{name} ({file}:{})", item["span"]["begin"][0])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::found;

    #[test]
    fn a_foreign_type_is_found_in_a_signature_an_impl_and_a_re_export() {
        let foreign = json!({ "resolved_path": { "path": "Client", "id": 7, "args": null } });
        let api = json!({
            "index": {
                "1": { "crate_id": 0, "name": "send", "inner": { "function": { "sig": { "inputs": [["client", foreign]] } } } },
                "2": { "crate_id": 0, "name": null, "inner": { "impl": {
                    "is_synthetic": false, "blanket_impl": null, "trait": { "path": "From", "id": 8, "args": [foreign] },
                } } },
                "3": { "crate_id": 0, "name": "Http", "inner": { "use": { "source": "reqwest::Client", "id": 7 } } },
                "4": { "crate_id": 0, "name": null, "inner": { "impl": {
                    "is_synthetic": false, "blanket_impl": { "generic": "T" }, "trait": { "path": "Client", "id": 7 },
                } } },
            },
            "paths": {
                "7": { "crate_id": 3, "path": ["reqwest", "Client"] },
                "8": { "crate_id": 1, "path": ["core", "convert", "From"] },
            },
            "external_crates": { "1": { "name": "core" }, "3": { "name": "reqwest" } },
        });
        let named: Vec<String> = found(&api, &[]).into_iter().map(|(item, _)| item).collect();
        assert_eq!(named.len(), 3, "{named:?}");
        assert!(found(&api, &["reqwest"]).is_empty());
    }
}

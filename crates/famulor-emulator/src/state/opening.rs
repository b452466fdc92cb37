//! `{{variable}}` in an opening message (seed 0).

use serde_json::Value;

use super::Variables;

/// Fills in every `{{name}}` that one of the maps knows; earlier maps win.
///
/// A name that none knows stays as it is, so that a developer sees what is
/// missing. What the real server does with it is not documented.
pub(crate) fn fill_in(template: &str, variables: &[&Variables]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let Some((name, behind)) = after.split_once("}}") else {
            filled.push_str("{{");
            rest = after;
            continue;
        };
        match variables.iter().find_map(|map| map.get(name.trim())) {
            Some(Value::String(text)) => filled.push_str(text),
            Some(value) => filled.push_str(&value.to_string()),
            None => {
                filled.push_str("{{");
                filled.push_str(name);
                filled.push_str("}}");
            }
        }
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::fill_in;

    #[test]
    fn known_names_are_filled_in_and_unknown_ones_stay_visible() {
        let serde_json::Value::Object(variables) = json!({"name": "John", "n": 3}) else {
            unreachable!("an object literal is an object");
        };
        assert_eq!(
            fill_in("Hi {{name}}, {{ n }} {{new}} {{open", &[&variables]),
            "Hi John, 3 {{new}} {{open"
        );
    }
}

//! A public API as lines: one for everything that a user's program can name, so that what goes missing is seen.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::foreign::is_made_by_the_compiler;
use crate::signature::{function, of_type, path};

/// The lines, sorted.
pub(crate) fn of(api: &Value) -> Vec<String> {
    let mut listing = Listing {
        api,
        lines: BTreeSet::new(),
    };
    listing.item(&api["root"], "");
    listing.lines.into_iter().collect()
}

struct Listing<'a> {
    api: &'a Value,
    lines: BTreeSet<String>,
}

impl Listing<'_> {
    /// Everything of the item with this id, which is found under `within`.
    fn item(&mut self, id: &Value, within: &str) {
        let item = &self.api["index"][id.to_string()];
        let Some((kind, inner)) = item["inner"]
            .as_object()
            .and_then(|inner| inner.iter().next())
        else {
            return;
        };
        let name = item["name"]
            .as_str()
            .or(inner["name"].as_str())
            .unwrap_or_default();
        let at = match within {
            "" => name.to_owned(),
            within => format!("{within}::{name}"),
        };
        match kind.as_str() {
            "module" => self.all(&inner["items"], &at),
            "use" => self.re_export(inner, within, &at),
            "struct" | "enum" | "union" | "trait" => {
                self.lines.insert(format!("{kind} {at}"));
                self.all(&inner["kind"]["plain"]["fields"], &at);
                self.all(&inner["kind"]["tuple"], &at);
                self.all(&inner["variants"], &at);
                self.all(&inner["items"], &at);
                let impls = inner["impls"].as_array().into_iter().flatten();
                impls.for_each(|id| self.written_impl(id, &at));
            }
            "variant" => {
                self.lines.insert(format!("variant {at}"));
                self.all(&inner["kind"]["tuple"], &at);
                self.all(&inner["kind"]["struct"]["fields"], &at);
            }
            "struct_field" => {
                self.lines.insert(format!("field {at}: {}", of_type(inner)));
            }
            "function" => {
                self.lines.insert(format!("fn {at}{}", function(inner)));
            }
            "constant" | "assoc_const" | "static" => {
                self.lines
                    .insert(format!("const {at}: {}", of_type(&inner["type"])));
            }
            "type_alias" | "assoc_type" => {
                self.lines
                    .insert(format!("type {at} = {}", of_type(&inner["type"])));
            }
            _ => {
                self.lines.insert(format!("{kind} {at}"));
            }
        }
    }

    fn all(&mut self, ids: &Value, within: &str) {
        let ids = ids.as_array().into_iter().flatten();
        ids.for_each(|id| self.item(id, within));
    }

    /// An item of our own stands where it is exported; of a foreign one the name is all that is ours.
    fn re_export(&mut self, inner: &Value, within: &str, at: &str) {
        if self.api["index"][inner["id"].to_string()]["crate_id"] == 0 {
            self.item(&inner["id"], within);
        } else {
            let source = inner["source"].as_str().unwrap_or_default();
            self.lines.insert(format!("use {at} = {source}"));
        }
    }

    fn written_impl(&mut self, id: &Value, at: &str) {
        let item = &self.api["index"][id.to_string()];
        if is_made_by_the_compiler(item) || item["crate_id"] != 0 {
            return;
        }
        let written = &item["inner"]["impl"];
        if written["trait"].is_null() {
            self.all(&written["items"], at);
        } else {
            self.lines
                .insert(format!("impl {} for {at}", path(&written["trait"])));
        }
    }
}

//! Tables, for terminals and for people.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

use crate::visible::visible_line;

/// Rows under the names of their fields.
pub(crate) fn rows(rows: &[Value], columns: &[&str], lines: bool) -> String {
    let mut table = table(lines);
    table.set_header(columns.iter().map(|name| name.to_string()));
    for row in rows {
        table.add_row(
            columns
                .iter()
                .map(|name| cell(row.get(name).unwrap_or(&Value::Null))),
        );
    }
    trimmed(&table)
}

/// One object: a row a field.
pub(crate) fn object(answer: &Value) -> String {
    let mut table = table(true);
    table.set_header(["field", "value"]);
    match answer {
        Value::Object(fields) => {
            for (name, value) in fields {
                table.add_row([visible_line(name).into_owned(), cell(value)]);
            }
        }
        other => {
            table.add_row([String::new(), cell(other)]);
        }
    }
    trimmed(&table)
}

fn table(lines: bool) -> Table {
    let mut table = Table::new();
    let preset = if lines {
        presets::UTF8_FULL_CONDENSED
    } else {
        presets::NOTHING
    };
    table.load_style(preset);
    // Fits the terminal; off a terminal there is no width to fit, and nothing is wrapped.
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => visible_line(text).into_owned(),
        other => visible_line(&other.to_string()).into_owned(),
    }
}

/// Tables pad their last column; nobody wants the blanks in a pipe.
fn trimmed(table: &Table) -> String {
    table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

//! Tables, for terminals and for people.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use serde_json::Value;

use crate::visible::visible_line;

/// Rows under the names of their fields. On a terminal that is too narrow for all, the columns at the end are left
/// out: an id that is broken into pieces is of no use to anybody.
pub(crate) fn rows(rows: &[Value], columns: &[&str], lines: bool) -> String {
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let field = |name: &&str| cell(row.get(*name).unwrap_or(&Value::Null));
            columns.iter().map(field).collect()
        })
        .collect();
    let mut table = table(lines);
    let room = table.width().map_or(usize::MAX, usize::from);
    // A blank on each side, and with lines one before each column and behind the last.
    let (edge, room) = if lines {
        (3, room.saturating_sub(1))
    } else {
        (2, room)
    };
    let has_room = |widths: &[usize]| {
        let wide = widths.iter().map(|width| width.saturating_add(edge));
        wide.fold(0, usize::saturating_add) <= room
    };
    let narrow = widths(&cells, columns, NARROW);
    let shown = (2..=columns.len())
        .rev()
        .find(|shown| has_room(&narrow[..*shown]));
    let shown = shown.unwrap_or(columns.len().min(1));
    let narrowed = shown < columns.len() || !has_room(&widths(&cells, columns, WHOLE));
    table.set_header(columns[..shown].iter().map(|name| {
        // A name breaks at a blank, and nowhere else.
        let name = name.to_string();
        if narrowed {
            name.replace('_', " ")
        } else {
            name
        }
    }));
    for row in cells {
        table.add_row(row.into_iter().take(shown));
    }
    for (index, name) in columns[..shown].iter().enumerate() {
        if is_id(name)
            && let Some(column) = table.column_mut(index)
        {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    trimmed(&table)
}

/// How narrow a column of long cells may become: these break once or twice.
const NARROW: usize = 14;
const WHOLE: usize = usize::MAX;

/// What people copy, and so must stay whole.
fn is_id(column: &str) -> bool {
    matches!(column, "id" | "uuid")
}

/// How wide each column is, if none but the ids is wider than `most`.
fn widths(cells: &[Vec<String>], columns: &[&str], most: usize) -> Vec<usize> {
    let column = |(index, name): (usize, &&str)| {
        let cells = cells.iter().map(|row| row[index].chars().count());
        // A name breaks at its blanks if it has to.
        let header = if most == WHOLE {
            name.chars().count()
        } else {
            let words = name.split('_').map(|word| word.chars().count());
            words.max().unwrap_or(0)
        };
        let content = cells.chain([header]).max().unwrap_or(header);
        if index == 0 {
            content
        } else {
            content.min(most)
        }
    };
    columns.iter().enumerate().map(column).collect()
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

//! The table as a picture: how much of the limit each client uses, and how often it is refused.

use std::fmt::Write;

use super::Row;

const WIDTH: usize = 860;
const LEFT: usize = 250;
const BAR: usize = 14;

/// One group of bars a server, one bar a client; its refusals stand behind it.
pub(super) fn svg(servers: &[&str], rows: &[Row]) -> String {
    let colours = [
        "#14532d", "#16a34a", "#86efac", "#2563eb", "#93c5fd", "#b45309", "#dc2626",
    ];
    let group = rows.len() * BAR + 22;
    let legend = 24 * rows.len().div_ceil(2) + 20;
    let height = legend + servers.len() * group + 20;
    let mut out = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13" role="img" aria-label="Use of the limit and refusals, by server and client">
<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>
"##
    );
    for (index, row) in rows.iter().enumerate() {
        let (x, y) = (20 + 420 * (index % 2), 24 + 24 * (index / 2));
        let colour = colours[index % colours.len()];
        let _ = writeln!(
            out,
            r##"<rect x="{x}" y="{}" width="12" height="12" fill="{colour}"/><text x="{}" y="{y}">{}</text>"##,
            y - 11,
            x + 20,
            row.client
        );
    }
    let scale = (WIDTH - LEFT - 190) as f64;
    for (server, name) in servers.iter().enumerate() {
        let top = legend + server * group;
        let _ = writeln!(
            out,
            r##"<text x="{}" y="{}" text-anchor="end">{name}</text>"##,
            LEFT - 10,
            top + group / 2
        );
        for (index, row) in rows.iter().enumerate() {
            let cell = &row.cells[server];
            let y = top + index * BAR;
            let width = (cell.used.min(1.0) * scale).round();
            let colour = colours[index % colours.len()];
            let _ = writeln!(
                out,
                r##"<rect x="{LEFT}" y="{y}" width="{width}" height="{}" fill="{colour}"/><text x="{}" y="{}" font-size="11">{:.1} % used, {:.1} refused</text>"##,
                BAR - 3,
                LEFT as f64 + width + 6.0,
                y + BAR - 4,
                cell.used * 100.0,
                cell.refused
            );
        }
    }
    out.push_str("</svg>\n");
    out
}

//! Pictures of figures, as SVG: readable in light and dark, and without colours.

mod bars;
mod lines;

use std::fmt::Write;

pub(crate) use bars::{Bars, Group};
pub(crate) use lines::{Axis, Lines, Scale, Series};

/// A picture, and where it goes.
#[derive(Clone, Debug)]
pub(crate) struct Plot {
    /// Its path below `docs`.
    pub(crate) file: &'static str,
    /// What it shows, for those who do not see it.
    pub(crate) alt: String,
    pub(crate) svg: String,
}

impl Plot {
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(crate) fn write(&self, docs: &std::path::Path) -> Result<(), String> {
        let path = docs.join(self.file);
        let failed = |e: std::io::Error| format!("docs/{}: {e}", self.file);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        std::fs::write(path, &self.svg).map_err(failed)
    }
}

/// Of each series, on white and on black. Told apart by people who see no red or no green, too.
const COLOURS: [(&str, &str); 7] = [
    ("#14532d", "#4ade80"),
    ("#b45309", "#fbbf24"),
    ("#2563eb", "#60a5fa"),
    ("#be185d", "#f472b6"),
    ("#16a34a", "#15803d"),
    ("#93c5fd", "#1e40af"),
    ("#dc2626", "#f87171"),
];

/// The picture's head: size, description, and what its classes look like.
fn head(width: usize, height: usize, alt: &str, colours: &[(&str, &str)]) -> String {
    let (mut light, mut dark) = (String::new(), String::new());
    for (index, (on_white, on_black)) in colours.iter().enumerate() {
        let _ = write!(
            light,
            ".f{index}{{fill:{on_white}}}.s{index}{{stroke:{on_white}}}"
        );
        let _ = write!(
            dark,
            ".f{index}{{fill:{on_black}}}.s{index}{{stroke:{on_black}}}"
        );
    }
    let alt = escaped(alt);
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="{alt}">
<style>
text{{fill:#1f2328}}.paper{{fill:#fff}}.grid{{stroke:#d1d9e0}}.axis{{stroke:#59636e}}.line{{fill:none;stroke-width:2}}{light}
@media (prefers-color-scheme:dark){{text{{fill:#e6edf3}}.paper{{fill:#0d1117}}.grid{{stroke:#30363d}}.axis{{stroke:#9198a1}}{dark}}}
</style>
<rect width="{width}" height="{height}" class="paper"/>
"#
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

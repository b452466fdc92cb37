//! The repository's documents, and what they tell people to type.

use std::path::{Path, PathBuf};

/// Indented or not, a fence is a fence.
const FENCE: &str = "```";

/// A block of commands.
pub(crate) struct Block {
    /// Below the repository: `docs/emulator.md`.
    pub(crate) document: String,
    pub(crate) text: String,
    whole: String,
}

impl Block {
    /// The script for an emulator that the same document shows.
    pub(crate) fn script_of_the_emulator(&self) -> Option<String> {
        let (_, rest) = self.whole.split_once("<!-- test: script -->\n```yaml\n")?;
        Some(rest.split_once("\n```")?.0.to_owned())
    }
}

/// What people read: the pages at the root that are about use, and all in `docs`. Nothing in the packaged crate.
pub(crate) fn documents() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pages = std::fs::read_dir(root.join("docs")).into_iter().flatten();
    let pages = pages.flatten().map(|entry| entry.path());
    let mut pages: Vec<PathBuf> = pages
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    pages.sort();
    let at_the_root = [
        "README.md",
        "CONTRIBUTING.md",
        "ARCHITECTURE.md",
        "SECURITY.md",
    ];
    pages.extend(at_the_root.map(|name| root.join(name)));
    let named = pages.into_iter().filter_map(|path| {
        let text = std::fs::read_to_string(&path).ok()?;
        let name = path.strip_prefix(&root).unwrap_or(&path);
        Some((name.display().to_string(), text))
    });
    named.collect()
}

/// Every block of commands: a shell's by its language, and any in no language that shows somebody typing.
pub(crate) fn blocks() -> Vec<Block> {
    let mut found = Vec::new();
    for (document, whole) in documents() {
        for (language, text) in fenced(&whole) {
            let typed = ["$ ", "famulor ", "cargo "];
            let typed = || {
                text.lines()
                    .any(|line| typed.iter().any(|w| line.starts_with(w)))
            };
            let commands = match language.as_str() {
                "sh" | "bash" | "shell" | "console" => true,
                "" | "text" => typed(),
                _ => false,
            };
            if commands {
                found.push(Block {
                    document: document.clone(),
                    text,
                    whole: whole.clone(),
                });
            }
        }
    }
    found
}

/// The fenced blocks of a page: their language and their text.
fn fenced(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in page.lines() {
        match (line.trim_start().strip_prefix(FENCE), &mut open) {
            (Some(language), None) => {
                let language = language.split(',').next().unwrap_or_default().trim();
                open = Some((language.to_owned(), String::new()));
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some((_, text))) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// What stands between backticks in running text and begins with a program of ours, with its document.
pub(crate) fn mentions() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (document, page) in documents() {
        let mut fenced = false;
        for line in page.lines() {
            if line.trim_start().starts_with(FENCE) {
                fenced = !fenced;
            } else if !fenced {
                let spans = line.split('`').skip(1).step_by(2);
                let ours = spans.filter(|span| {
                    ["famulor ", "cargo xtask "]
                        .iter()
                        .any(|program| span.starts_with(program))
                });
                found.extend(ours.map(|span| (document.clone(), span.to_owned())));
            }
        }
    }
    found
}

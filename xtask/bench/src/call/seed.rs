//! The documentation's own examples, word for word, in a loop.

const PAGE: &str = include_str!("../../../../tests/seeds/create-conversation.txt");
const HOST: &str = "https://app.famulor.de";

/// A program that makes as many calls as its first argument says, at `host` instead of the real one.
///
/// Python's import stays in front of the loop, and what the page prints is decoded and not printed.
pub(super) fn python(host: &str) -> Result<String, String> {
    let example = between("\nPython\n", "\nResponse Fields\n")?.replace(HOST, host);
    let body = example.replace("import requests\n", "");
    let body = body.replace("print(response.json())", "response.json()");
    Ok(format!(
        "import sys\nimport requests\nfor _ in range(int(sys.argv[1])):\n{}\n",
        indented(&body)
    ))
}

/// The same by somebody who keeps the connection, which the page does not show.
pub(super) fn python_with_session(host: &str) -> Result<String, String> {
    let program = python(host)?.replace("requests.post(", "session.post(");
    Ok(program.replace("\nfor _ in", "\nsession = requests.Session()\nfor _ in"))
}

/// The same for Node, as a module.
pub(super) fn node(host: &str) -> Result<String, String> {
    let example = between("\nJavaScript\n", "\nPython\n")?.replace(HOST, host);
    Ok(format!(
        "for (let call = 0; call < Number(process.argv[1]); call++) {{\n{}\n}}\n",
        indented(&example)
    ))
}

fn between(from: &str, to: &str) -> Result<&'static str, String> {
    let example = PAGE
        .split_once(from)
        .and_then(|(_, rest)| rest.split_once(to));
    let (example, _) = example.ok_or("the page no longer has its examples")?;
    Ok(example)
}

fn indented(text: &str) -> String {
    let lines = text.lines().map(|line| match line {
        "" => String::new(),
        _ => format!("    {line}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::{node, python, python_with_session};

    #[test]
    fn the_pages_requests_are_in_the_loop_and_go_to_the_other_host() -> Result<(), String> {
        let host = "http://127.0.0.1:1";
        for program in [python(host)?, node(host)?, python_with_session(host)?] {
            assert!(!program.contains("app.famulor.de"), "{program}");
            assert!(
                program.contains("http://127.0.0.1:1/api/conversations"),
                "{program}"
            );
            assert!(program.contains("\"pricing_page\""), "{program}");
        }
        assert!(python(host)?.contains("\n    response = requests.post("));
        assert!(python(host)?.contains("\n    response.json()"));
        assert!(python_with_session(host)?.contains("\n    response = session.post("));
        assert!(node(host)?.contains("\n    const response = await fetch("));
        Ok(())
    }
}

//! Chromium without a window, through the DevTools protocol on two pipes.

use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

const PATIENCE: Duration = Duration::from_secs(60);

/// A page in a browser of its own.
pub(crate) struct Page {
    _browser: Child,
    _profile: TempDir,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    session: Option<String>,
    last_id: u64,
}

impl Page {
    /// Opens `url` in a window of this size; `None`, and one line that says so, without Chromium.
    pub(crate) async fn open(url: &str, width: u32, height: u32) -> Option<Self> {
        let name = chromium().await?;
        let profile = tempfile::tempdir().expect("a folder");
        let options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--remote-debugging-pipe",
        ];
        // The protocol runs on the descriptors 3 and 4, which a shell can make of our pipes.
        let mut browser = Command::new("/bin/sh")
            .args([
                "-c",
                r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#,
                name,
            ])
            .args(options)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("a shell");
        let mut page = Self {
            input: browser.stdin.take().expect("its input"),
            output: BufReader::new(browser.stdout.take().expect("its output")),
            _browser: browser,
            _profile: profile,
            session: None,
            last_id: 0,
        };
        let target = page
            .call("Target.createTarget", json!({ "url": "about:blank" }))
            .await;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = page.call("Target.attachToTarget", attach).await;
        page.session = session["sessionId"].as_str().map(str::to_owned);
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600,
        });
        page.call("Emulation.setDeviceMetricsOverride", metrics)
            .await;
        page.go(url).await;
        Some(page)
    }

    pub(crate) async fn go(&mut self, url: &str) {
        self.call("Page.navigate", json!({ "url": url })).await;
        self.wait_for("document.readyState === 'complete' && location.href !== 'about:blank'")
            .await;
    }

    /// What a JavaScript expression gives.
    pub(crate) async fn eval(&mut self, expression: &str) -> Value {
        let what = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut result = self.call("Runtime.evaluate", what).await;
        assert!(
            result["exceptionDetails"].is_null(),
            "{expression}: {result}"
        );
        result["result"]["value"].take()
    }

    /// Waits until an expression is true.
    pub(crate) async fn wait_for(&mut self, condition: &str) {
        let began = std::time::Instant::now();
        while self.eval(&format!("Boolean({condition})")).await != true {
            if began.elapsed() > PATIENCE {
                let page = self.eval("document.body.innerText").await;
                panic!("never true: {condition}; the page: {page}");
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Types into what has the focus, as a person would.
    pub(crate) async fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text })).await;
    }

    /// Presses a key; Enter with the text that makes it one.
    pub(crate) async fn press(&mut self, key: &str, code: u32) {
        let text = if key == "Enter" { "\r" } else { "" };
        for kind in ["keyDown", "keyUp"] {
            let event = json!({
                "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text,
            });
            self.call("Input.dispatchKeyEvent", event).await;
        }
    }

    /// What those get who do not see the page: role and name of everything that has both.
    pub(crate) async fn accessible(&mut self) -> Vec<(String, String)> {
        self.call("Accessibility.enable", json!({})).await;
        let tree = self.call("Accessibility.getFullAXTree", json!({})).await;
        let nodes = tree["nodes"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value["value"].as_str().unwrap_or_default().to_owned();
        nodes
            .iter()
            .map(|node| (text(&node["role"]), text(&node["name"])))
            .collect()
    }

    /// Keeps a picture where `FAMULOR_SCREENSHOTS` names a folder, for a person to look at.
    pub(crate) async fn picture(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("FAMULOR_SCREENSHOTS") else {
            return;
        };
        let shot = self
            .call("Page.captureScreenshot", json!({ "format": "png" }))
            .await;
        let bytes = STANDARD
            .decode(shot["data"].as_str().unwrap_or_default())
            .expect("base64");
        let path = std::path::Path::new(&folder).join(format!("{name}.png"));
        std::fs::write(path, bytes).expect("a folder to write to");
    }

    async fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last_id += 1;
        let mut request = json!({ "id": self.last_id, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            request["sessionId"] = session.as_str().into();
        }
        let mut bytes = request.to_string().into_bytes();
        bytes.push(0);
        self.input
            .write_all(&bytes)
            .await
            .expect("a browser that listens");
        loop {
            let mut answer = Vec::new();
            let read = self.output.read_until(0, &mut answer);
            tokio::time::timeout(PATIENCE, read)
                .await
                .expect("a browser that answers in time")
                .expect("a browser that answers");
            let answer = answer.strip_suffix(&[0]).expect("a browser that lives");
            let mut answer: Value = serde_json::from_slice(answer).expect("JSON");
            if answer["id"] == self.last_id {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].take();
            }
        }
    }
}

/// Chromium's name, or one line that says why the test is skipped.
async fn chromium() -> Option<&'static str> {
    for name in ["chromium", "chromium-browser", "google-chrome"] {
        let version = Command::new(name)
            .arg("--version")
            .stdout(Stdio::null())
            .status()
            .await;
        if version.is_ok_and(|status| status.success()) {
            return Some(name);
        }
    }
    let is_required = std::env::var_os("FAMULOR_REQUIRE_TOOLS").is_some_and(|value| value == "1");
    assert!(
        !is_required,
        "Chromium is not installed, and FAMULOR_REQUIRE_TOOLS=1 asks for it"
    );
    eprintln!("skipped: Chromium is not installed");
    None
}

//! Chromium without a window, driven over its DevTools protocol: a true width, real keys.
#![allow(unreachable_pub)]

use std::process::Stdio;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// How long anything may take that a browser does.
const PATIENCE: Duration = Duration::from_secs(60);

/// A page in a browser, which ends with it.
pub struct Browser {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    commands: u64,
    _child: Child,
    _profile: TempDir,
}

/// Chromium's name, or one line that says why the test is skipped.
pub async fn chromium() -> Option<&'static str> {
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

impl Browser {
    /// Opens a page of this width.
    pub async fn open(chromium: &str, url: &str, width: u32) -> Self {
        let profile = tempfile::tempdir().expect("a directory");
        let child = Command::new(chromium)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--remote-debugging-port=0",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("a browser that starts");
        let socket = connect(&profile).await;
        let mut browser = Self {
            socket,
            commands: 0,
            _child: child,
            _profile: profile,
        };
        let size = json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false});
        browser
            .command("Emulation.setDeviceMetricsOverride", size)
            .await;
        browser.command("Page.navigate", json!({"url": url})).await;
        browser
            .until("document.readyState === 'complete' && innerWidth > 0")
            .await;
        assert_eq!(browser.evaluate("innerWidth").await, width);
        browser
    }

    /// The value of an expression in the page.
    pub async fn evaluate(&mut self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.command("Runtime.evaluate", asked).await;
        assert!(
            answer.get("exceptionDetails").is_none(),
            "{expression}: {answer}"
        );
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    pub async fn until(&mut self, expression: &str) {
        let begun = Instant::now();
        while self.evaluate(expression).await != true {
            assert!(begun.elapsed() < PATIENCE, "never so: {expression}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Presses a key and lets it go.
    pub async fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            "Escape" => (27, ""),
            " " => (32, " "),
            "ArrowDown" => (40, ""),
            other => panic!("{other} is not known here"),
        };
        let name = if key == " " { "Space" } else { key };
        let event = |kind: &str| json!({"type": kind, "key": key, "code": name, "windowsVirtualKeyCode": code});
        let mut down = event(if text.is_empty() {
            "rawKeyDown"
        } else {
            "keyDown"
        });
        if !text.is_empty() {
            down["text"] = text.into();
        }
        self.command("Input.dispatchKeyEvent", down).await;
        self.command("Input.dispatchKeyEvent", event("keyUp")).await;
    }

    /// A picture of the page, to be looked at: `target/tmp/NAME.png`.
    pub async fn picture(&mut self, name: &str) {
        use base64::Engine;
        let shot = json!({"format": "png"});
        let shot = self.command("Page.captureScreenshot", shot).await;
        let data = shot["data"].as_str().expect("a picture");
        let data = base64::engine::general_purpose::STANDARD.decode(data);
        let path = format!("{}/{name}.png", env!("CARGO_TARGET_TMPDIR"));
        std::fs::write(path, data.expect("base64")).expect("written");
    }

    async fn command(&mut self, method: &str, parameters: Value) -> Value {
        self.commands += 1;
        let id = self.commands;
        let command = json!({"id": id, "method": method, "params": parameters}).to_string();
        let answer = async {
            self.socket
                .send(Message::text(command))
                .await
                .expect("sent");
            loop {
                let message = self.socket.next().await.expect("open").expect("a message");
                let Ok(text) = message.to_text() else {
                    continue;
                };
                // Events come in between, and are nobody's business here.
                let message: Value = serde_json::from_str(text).unwrap_or_default();
                if message["id"] == id {
                    return message;
                }
            }
        };
        let mut answer = tokio::time::timeout(PATIENCE, answer).await.expect(method);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].take()
    }
}

/// The browser writes down where it listens; the page is the only one it has.
async fn connect(profile: &TempDir) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    let port_file = profile.path().join("DevToolsActivePort");
    let client = reqwest::Client::new();
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < PATIENCE, "the browser does not come up");
        tokio::time::sleep(Duration::from_millis(20)).await;
        let written = std::fs::read_to_string(&port_file).unwrap_or_default();
        let Some(port) = written.lines().next() else {
            continue;
        };
        let list = format!("http://127.0.0.1:{port}/json/list");
        let Ok(list) = client.get(list).send().await else {
            continue;
        };
        let list = list.text().await.unwrap_or_default();
        let list: Vec<Value> = serde_json::from_str(&list).unwrap_or_default();
        let page = list.iter().find(|target| target["type"] == "page");
        let Some(url) = page.and_then(|page| page["webSocketDebuggerUrl"].as_str()) else {
            continue;
        };
        let (socket, _) = tokio_tungstenite::connect_async(url).await.expect("a page");
        return socket;
    }
}

//! Just enough HTTP to ask a server on this machine, with nothing shared with what is tested.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// One request on a connection of its own, with this token; the answer's JSON, or null for none.
pub(crate) fn ask(
    base: &str,
    token: &str,
    method: &str,
    path: &str,
    body: &Value,
) -> Result<Value, String> {
    let failed = |cause: String| format!("{method} {path}: {cause}");
    let authority = base
        .strip_prefix("http://")
        .and_then(|rest| rest.split('/').next())
        .ok_or_else(|| failed(format!("{base} is no address")))?;
    let mut server = TcpStream::connect(authority).map_err(|e| failed(e.to_string()))?;
    let wait = Some(Duration::from_secs(20));
    server
        .set_read_timeout(wait)
        .map_err(|e| failed(e.to_string()))?;
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Accept: application/json\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    server
        .write_all(request.as_bytes())
        .map_err(|e| failed(e.to_string()))?;
    let mut answer = String::new();
    server
        .read_to_string(&mut answer)
        .map_err(|e| failed(e.to_string()))?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .ok_or_else(|| failed("no answer".to_owned()))?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    if !status.starts_with('2') {
        return Err(failed(format!("status {status}: {body}")));
    }
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(body).map_err(|e| failed(e.to_string()))
}

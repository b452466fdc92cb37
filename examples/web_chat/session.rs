//! Who a visitor is: a random number in a cookie.

use std::fmt::Write;

use famulor_core::CustomerId;
use famulor_examples::Failure;
use http::HeaderMap;
use http::header::COOKIE;
use sha2::{Digest, Sha256};

const COOKIE_NAME: &str = "visitor";

/// A visitor's session. Whoever has it is that visitor, so it is shown to nobody but their browser.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Session(String);

impl Session {
    /// A new one, which nobody can guess.
    pub(crate) fn new() -> Result<Self, Failure> {
        let mut random = [0; 16];
        getrandom::fill(&mut random)?;
        Ok(Self(hex(&random)))
    }

    /// The one in the request's cookie, if it is of our making.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let cookies = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|it| it.to_str().ok());
        let mut pairs = cookies.flat_map(|cookies| cookies.split("; "));
        let value = pairs.find_map(|pair| pair.strip_prefix(COOKIE_NAME)?.strip_prefix('='))?;
        let is_ours = value.len() == 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_ours.then(|| Self(value.to_owned()))
    }

    /// The `Set-Cookie` that gives it to a browser: no script can read it, and no other page can send it.
    pub(crate) fn cookie(&self, https: bool) -> String {
        let secure = if https { "; Secure" } else { "" };
        format!(
            "{COOKIE_NAME}={}; HttpOnly; SameSite=Strict; Path=/; Max-Age=604800{secure}",
            self.0
        )
    }

    /// The customer identifier. It shows up in dashboards and exports, so it must not be the session itself.
    pub(crate) fn customer(&self) -> famulor_core::Result<CustomerId> {
        let digest = Sha256::digest(format!("customer of {}", self.0));
        CustomerId::raw(format!("web-{}", hex(&digest[..12])))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

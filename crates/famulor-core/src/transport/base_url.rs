//! The base URL, checked before a key is sent to it.

use crate::{Error, Result};

/// Where the API lives. Source: facts page, "Cross-cutting".
pub(crate) const DEFAULT: &str = "https://app.famulor.de/api";

/// A checked base URL without a slash at its end.
#[derive(Clone, Debug)]
pub(crate) struct BaseUrl {
    text: String,
    host: String,
    port: u16,
    secure: bool,
}

impl BaseUrl {
    /// Checks a base URL. Plain http would show the key to everyone on the way, so it must be allowed by name unless
    /// the way ends on this machine.
    pub(crate) fn parse(text: &str, plain_http_allowed: bool) -> Result<Self> {
        let refuse = |message: &str| Error::config(message, format!("write it as in {DEFAULT}"));
        let text = text.trim();
        if !text.contains("://") {
            return Err(refuse("the base URL has no scheme"));
        }
        let url = reqwest::Url::parse(text).map_err(|_| refuse("the base URL is not a URL"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refuse("the base URL's scheme is neither https nor http"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("the base URL has a query or a fragment"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("the base URL has a user name or password in it"));
        }
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(refuse("the base URL has no host"));
        };
        if url.scheme() == "http" && !plain_http_allowed && !is_loopback(host) {
            return Err(Error::config(
                "the base URL is plain http, which would show the key to everyone on the way",
                "use https, or allow plain http by name (with_plain_http_allowed, --allow-http)",
            ));
        }
        Ok(Self {
            text: url.as_str().trim_end_matches('/').to_owned(),
            host: host.to_owned(),
            port,
            secure: url.scheme() == "https",
        })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Whether it is https.
    pub(crate) fn is_secure(&self) -> bool {
        self.secure
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::BaseUrl;
    use crate::ErrorKind;

    #[test]
    fn slashes_at_the_end_are_taken_off() -> crate::Result<()> {
        assert_eq!(
            BaseUrl::parse("https://example.com/api//", false)?.as_str(),
            "https://example.com/api"
        );
        Ok(())
    }

    #[test]
    fn plain_http_goes_to_loopback_only_unless_allowed() {
        for loopback in [
            "http://127.0.0.1:1/api",
            "http://127.9.9.9/api",
            "http://[::1]:8/api",
            "http://LOCALHOST/api",
        ] {
            assert!(BaseUrl::parse(loopback, false).is_ok(), "{loopback}");
        }
        for far in [
            "http://example.com/api",
            "http://10.0.0.1/api",
            "http://localhost.example.com/api",
        ] {
            assert!(BaseUrl::parse(far, false).is_err(), "{far}");
            assert!(BaseUrl::parse(far, true).is_ok(), "{far}");
        }
    }

    #[test]
    fn a_base_url_that_cannot_work_is_a_config_error_that_says_why() {
        for (text, cause) in [
            ("app.famulor.de/api", "no scheme"),
            ("ftp://app.famulor.de/api", "neither https nor http"),
            ("https://app.famulor.de/api?x=1", "query"),
            ("https://app.famulor.de/api#top", "fragment"),
            ("https://user:word@app.famulor.de/api", "password"),
            ("https://", "not a URL"),
        ] {
            let error = BaseUrl::parse(text, false).expect_err(text);
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(cause), "{text}: {error}");
        }
    }
}

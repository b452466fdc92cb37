//! A client as the environment describes it.

use std::time::Duration;

use super::ClientBuilder;
use crate::{Error, Result};

/// Reads the variables of the contract that concern the SDK. `read` is the environment.
pub(super) fn builder(read: impl Fn(&str) -> Option<String>) -> Result<ClientBuilder> {
    let mut builder = ClientBuilder::default();
    let read = |name: &str| read(name).filter(|value| !value.trim().is_empty());
    if let Some(key) = read("FAMULOR_API_KEY") {
        builder = builder.with_api_key(key.trim());
    }
    if let Some(url) = read("FAMULOR_BASE_URL") {
        builder = builder.with_base_url(&url);
    }
    if let Some(path) = read("FAMULOR_REPLY_PATH") {
        builder = builder.with_reply_path(&path);
    }
    let duration = |name: &str| {
        read(name)
            .map(|text| parse_duration(name, &text))
            .transpose()
    };
    if let Some(timeout) = duration("FAMULOR_TIMEOUT")? {
        builder = builder.with_attempt_timeout(timeout);
    }
    if let Some(deadline) = duration("FAMULOR_DEADLINE")? {
        builder = builder.with_deadline(deadline);
    }
    if let Some(wait) = duration("FAMULOR_DOUBT_WAIT")? {
        builder = builder.with_doubt_wait(wait);
    }
    if let Some(wait) = duration("FAMULOR_MAX_WAIT")? {
        builder = builder.with_max_wait(wait);
    }
    if let Some(text) = read("FAMULOR_MAX_RETRIES") {
        let retries = text.trim().parse();
        builder = builder.with_max_retries(
            retries.map_err(|_| unusable("FAMULOR_MAX_RETRIES", "a whole number"))?,
        );
    }
    match read("FAMULOR_RATE_LIMIT").as_deref().map(str::trim) {
        None => {}
        Some("off") => builder = builder.without_limits(),
        Some(text) => {
            let limit = text
                .parse()
                .map_err(|_| unusable("FAMULOR_RATE_LIMIT", "a limit such as 5/60s, or off"))?;
            builder = builder.with_rate_limit(limit);
        }
    }
    Ok(builder)
}

/// Reads `90s`, `2m 30s`, `500ms`, or a bare number of seconds.
fn parse_duration(name: &str, text: &str) -> Result<Duration> {
    let text = text.trim();
    let seconds = text.parse::<u64>().map(Duration::from_secs);
    seconds
        .or_else(|_| humantime::parse_duration(text))
        .map_err(|_| unusable(name, "a duration such as 90s or 2m"))
}

fn unusable(name: &str, wanted: &str) -> Error {
    Error::config(
        format!("{name} is not {wanted}"),
        "correct it, or unset it to use the default",
    )
}

#[cfg(test)]
mod tests {
    use super::builder;
    use crate::ErrorKind;

    #[test]
    fn every_variable_that_cannot_be_used_is_named() {
        for name in [
            "FAMULOR_TIMEOUT",
            "FAMULOR_DEADLINE",
            "FAMULOR_DOUBT_WAIT",
            "FAMULOR_MAX_WAIT",
            "FAMULOR_MAX_RETRIES",
            "FAMULOR_RATE_LIMIT",
        ] {
            let error =
                builder(|asked| (asked == name).then(|| "nonsense".to_owned())).expect_err(name);
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn an_empty_environment_gives_a_client_without_a_key() -> crate::Result<()> {
        let client = builder(|_| None)?.build()?;
        assert!(!client.has_key());
        Ok(())
    }

    #[test]
    fn a_key_with_a_line_break_is_refused_and_not_shown() {
        let read = |name: &str| (name == "FAMULOR_API_KEY").then(|| "se\ncret".to_owned());
        let error = builder(read)
            .and_then(|builder| builder.build())
            .expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(!format!("{error} {error:?}").contains("cret"));
    }
}

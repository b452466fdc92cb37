//! Whether two spellings of a base URL are one address.

/// The address in one spelling: scheme and host in small letters, no default port, no slash at the end. What is no
/// address keeps its own spelling and so equals nothing else: a key then stays at home.
pub(crate) fn normal(url: &str) -> String {
    let url = url.trim();
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let scheme = scheme.to_ascii_lowercase();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let authority = authority.to_ascii_lowercase();
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let authority = authority.strip_suffix(default_port).unwrap_or(&authority);
    format!("{scheme}://{authority}{}", path.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::normal;

    #[test]
    fn spellings_of_one_address_are_one() {
        let one = normal("https://app.famulor.de/api");
        for other in [
            "https://app.famulor.de/api/",
            "HTTPS://App.Famulor.de:443/api//",
            " https://app.famulor.de/api ",
        ] {
            assert_eq!(normal(other), one);
        }
    }

    #[test]
    fn other_addresses_stay_other_addresses() {
        let one = normal("https://app.famulor.de/api");
        for other in [
            "http://app.famulor.de/api",
            "https://app.famulor.de",
            "https://app.famulor.de/API",
            "https://app.famulor.de:8443/api",
            "https://app.famulor.de.evil.example/api",
            "https://app.famulor.de@evil.example/api",
        ] {
            assert_ne!(normal(other), one);
        }
    }
}

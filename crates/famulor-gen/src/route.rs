//! URLs of routes, parsed once.

use std::sync::{Mutex, PoisonError};

use reqwest::Url;

use crate::{Client, Error};

/// How many are kept; the API has fewer routes.
const MOST: usize = 32;

/// The URLs of routes without parameters: to parse one costs about as much as to read an answer.
#[derive(Default)]
pub(crate) struct Routes(Mutex<Vec<(String, Url)>>);

impl Routes {
    fn url(&self, text: String) -> Option<Url> {
        // Nothing can panic while it is held.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, url)) = known.iter().find(|(of, _)| *of == text) {
            return Some(url.clone());
        }
        let url: Url = text.parse().ok()?;
        if known.len() < MOST {
            known.push((text, url.clone()));
        }
        Some(url)
    }
}

/// The URL of a route without parameters.
pub(crate) fn url<E>(client: &Client, text: String) -> Result<Url, Error<E>> {
    let url = client.inner.routes.url(text);
    url.ok_or_else(|| Error::InvalidRequest("base URL and path do not make a URL".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{MOST, Routes};

    #[test]
    fn a_route_is_the_same_url_however_often_it_is_asked_for() {
        let routes = Routes::default();
        for text in ["http://a/api/x", "http://b/api/x", "http://a/api/x"] {
            let url = routes.url(text.to_owned());
            assert_eq!(url.as_ref().map(reqwest::Url::as_str), Some(text));
        }
        assert_eq!(routes.url("no url".to_owned()), None);
    }

    #[test]
    fn any_number_of_routes_fills_no_memory() {
        let routes = Routes::default();
        for number in 0..3 * MOST {
            let text = format!("http://a/{number}");
            let url = routes.url(text.clone());
            assert_eq!(url.as_ref().map(reqwest::Url::as_str), Some(text.as_str()));
        }
        assert!(routes.0.lock().is_ok_and(|known| known.len() == MOST));
    }
}

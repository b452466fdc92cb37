//! Who may use the control plane.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderName, StatusCode};
use serde_json::json;

use crate::server::Peer;
use crate::webhooks::is_loopback;
use crate::world::World;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whoever can reach the control plane can read customers' identifiers and
/// break the server: other machines may only if that was asked for, and pages
/// of other sites, in a browser on this machine, never.
pub(super) async fn check(
    State(world): State<Arc<World>>,
    request: Request,
    next: Next,
) -> Response {
    let is_open = world.config.control_from_anywhere;
    let is_near = request
        .extensions()
        .get::<Peer>()
        .is_some_and(|peer| peer.0.ip().to_canonical().is_loopback());
    if !is_near && !is_open {
        return forbidden("The control plane answers on this machine only");
    }
    match cross_site(request.headers(), is_open) {
        None => next.run(request).await,
        Some(error) => forbidden(error),
    }
}

/// What gives a page of another site away.
///
/// A browser names the page's site in `Origin` and `Sec-Fetch-Site`; under a
/// name that was made to point here (DNS rebinding) it names that in `Host`.
/// Programs that are no browsers send neither of the first two.
fn cross_site(headers: &HeaderMap, is_open: bool) -> Option<&'static str> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let host = text(HOST).unwrap_or_default();
    if !is_open && !host.is_empty() && !is_loopback(without_port(host)) {
        return Some("The control plane is called by a loopback address or localhost");
    }
    let is_foreign = text(ORIGIN).is_some_and(|origin| origin != format!("http://{host}"))
        || text(SEC_FETCH_SITE).is_some_and(|site| !matches!(site, "same-origin" | "none"));
    is_foreign.then_some("The control plane takes nothing from pages of other sites")
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn forbidden(error: &str) -> Response {
    (StatusCode::FORBIDDEN, Json(json!({"error": error}))).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::extract::Request;
    use tower_service::Service;

    use super::super::router;
    use super::*;
    use crate::Emulator;

    async fn asked(peer: &str, open: bool, headers: &[(&'static str, &'static str)]) -> StatusCode {
        let config = Emulator::builder()
            .control_from_anywhere(open)
            .into_config();
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = http::Uri::from_static("/__emulator/stats");
        let address = peer.parse().expect("an address");
        request.extensions_mut().insert(Peer(address));
        for (name, value) in headers {
            let value = http::HeaderValue::from_static(value);
            request.headers_mut().insert(*name, value);
        }
        let answer = router(Arc::new(World::new(config))).call(request).await;
        answer.expect("an answer").status()
    }

    #[tokio::test]
    async fn other_machines_are_kept_out_unless_they_are_let_in() {
        for near in [
            "127.0.0.1:4000",
            "127.8.8.8:4000",
            "[::1]:4000",
            "[::ffff:127.0.0.1]:4000",
        ] {
            assert_eq!(asked(near, false, &[]).await, StatusCode::OK, "{near}");
        }
        for far in ["192.168.1.7:4000", "[2001:db8::1]:4000"] {
            assert_eq!(asked(far, false, &[]).await, StatusCode::FORBIDDEN, "{far}");
            assert_eq!(asked(far, true, &[]).await, StatusCode::OK, "{far}");
        }
    }

    #[tokio::test]
    async fn pages_of_other_sites_are_kept_out_and_the_own_page_is_not() {
        const NEAR: &str = "127.0.0.1:4000";
        for headers in [
            [
                ("host", "127.0.0.1:8787"),
                ("origin", "http://evil.example"),
            ],
            [("host", "127.0.0.1:8787"), ("origin", "null")],
            [("host", "127.0.0.1:8787"), ("sec-fetch-site", "cross-site")],
            [("host", "127.0.0.1:8787"), ("sec-fetch-site", "same-site")],
            [
                ("host", "localhost:8787"),
                ("origin", "http://localhost:9999"),
            ],
            [
                ("host", "evil.example:8787"),
                ("origin", "http://evil.example:8787"),
            ],
            [("host", "evil.example"), ("accept", "*/*")],
        ] {
            assert_eq!(
                asked(NEAR, false, &headers).await,
                StatusCode::FORBIDDEN,
                "{headers:?}"
            );
        }
        for headers in [
            [
                ("host", "127.0.0.1:8787"),
                ("origin", "http://127.0.0.1:8787"),
            ],
            [("host", "localhost"), ("sec-fetch-site", "same-origin")],
            [("host", "[::1]:8787"), ("sec-fetch-site", "none")],
        ] {
            assert_eq!(
                asked(NEAR, false, &headers).await,
                StatusCode::OK,
                "{headers:?}"
            );
        }
    }

    #[tokio::test]
    async fn opened_on_purpose_it_goes_by_any_name_and_still_not_for_other_sites() {
        const FAR: &str = "10.0.0.2:4000";
        let named = [("host", "emulator:8787")];
        assert_eq!(asked(FAR, true, &named).await, StatusCode::OK);
        let foreign = [("host", "emulator:8787"), ("origin", "http://evil.example")];
        assert_eq!(asked(FAR, true, &foreign).await, StatusCode::FORBIDDEN);
    }
}

//! One span an attempt, named as OpenTelemetry names those of HTTP clients.
//!
//! Source: OpenTelemetry semantic conventions, "HTTP client span". The URL is left out, because it holds conversation
//! ids, which are secrets, and customers; its template stands in for it.

use tracing::{Span, field::Empty};

use super::Operation;
use crate::client::Shared;

pub(super) fn attempt(shared: &Shared, operation: &Operation, attempt: u32) -> Span {
    let span = tracing::info_span!(
        "http.client",
        otel.name = format_args!("{} {}", operation.method, operation.template),
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = operation.method,
        url.template = operation.template,
        server.address = shared.base_url.host(),
        server.port = shared.base_url.port(),
        http.request.resend_count = Empty,
        http.response.status_code = Empty,
        error.type = Empty,
    );
    if attempt > 1 {
        span.record("http.request.resend_count", attempt - 1);
    }
    span
}

pub(super) fn note_status(span: &Span, status: u16) {
    span.record("http.response.status_code", status);
}

pub(super) fn note_failure(span: &Span, kind: &str) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", kind);
}

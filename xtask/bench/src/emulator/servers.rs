//! The servers that are measured, each in a process of its own.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use famulor_emulator::Emulator;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tower_service::Service;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const PATH: &str = "/api/ai/generate-reply";

/// Serves until it is killed; `body` is what the yardsticks answer.
pub(crate) fn serve(server: &str, address: &str, body: &str) -> Result<(), String> {
    let address: SocketAddr = address
        .parse()
        .map_err(|_| format!("{address}: no address"))?;
    let runtime = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        match server {
            "emulator" => {
                // As `famulor emulator serve` runs it.
                let threads = std::thread::available_parallelism().map_or(1, |it| it.get());
                let builder = Emulator::builder()
                    .listen(address)
                    .io_threads(threads)
                    .without_limits()
                    .balance(1e9);
                let _emulator = builder.start().await.map_err(|e| e.to_string())?;
                std::future::pending().await
            }
            "axum" => bare(address, Bytes::copy_from_slice(body.as_bytes())).await,
            "wiremock" => {
                let listener = std::net::TcpListener::bind(address).map_err(|e| e.to_string())?;
                // As it comes: it records requests, as the emulator keeps its journal.
                let server = MockServer::builder().listener(listener).start().await;
                let answer = ResponseTemplate::new(200).set_body_raw(body, "application/json");
                let stub = Mock::given(method("POST"))
                    .and(path(PATH))
                    .respond_with(answer);
                stub.mount(&server).await;
                std::future::pending().await
            }
            other => Err(format!("{other} is none of the servers")),
        }
    })
}

/// axum's router with one handler that takes the body and returns a text.
async fn bare(address: SocketAddr, body: Bytes) -> Result<(), String> {
    let handler =
        post(move |_: Bytes| async move { ([(CONTENT_TYPE, "application/json")], body.clone()) });
    let router: Router = Router::new().route(PATH, handler);
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(|e| e.to_string())?;
    loop {
        let (stream, _) = listener.accept().await.map_err(|e| e.to_string())?;
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let mut router = router.clone();
            async move { router.call(request.map(Body::new)).await as Result<_, Infallible> }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

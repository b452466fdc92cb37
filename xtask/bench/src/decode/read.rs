//! A whole read over loopback: the SDK's, and bare reqwest's into a `Value`.

use std::time::Instant;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use famulor_core::{Client, ConversationId};
use serde_json::Value;

use crate::figure::Figure;
use crate::section::Section;
use crate::size::Size;
use crate::turns::{Compared, Turn, ours_first};

const ID: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

/// Reads in one turn.
const READS: u32 = 5;

pub(super) fn measure(section: &mut Section, body: Vec<u8>, size: Size) -> Result<(), String> {
    let server = crate::call::runtime()?;
    let listener = server
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .map_err(|e| e.to_string())?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    let body = axum::body::Bytes::from(body);
    let bytes = body.len();
    let answer = get(move || async move { ([(CONTENT_TYPE, "application/json")], body) });
    let router: Router = Router::new().route("/api/conversations/{id}", answer);
    server.spawn(async move { axum::serve(listener, router).await });
    let url = format!("http://{address}/api");
    let turns = size.pick(21, 11, 1);
    let compared = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?
        .block_on(compare(&url, turns))?;
    let what = format!(
        "reading 10,000 turns over loopback ({:.1} MB)",
        bytes as f64 / 1e6
    );
    let figure = Figure::new(what, "ms", compared.ours);
    section.add(figure.beside_with(
        "bare reqwest into a `Value`",
        compared.yardstick,
        Some(compared.ratio),
    ));
    Ok(())
}

async fn compare(url: &str, turns: usize) -> Result<Compared, String> {
    let sdk = Client::builder()
        .with_api_key("bench")
        .with_base_url(url)
        .without_proxy()
        .without_limits()
        .build()
        .map_err(|e| e.to_string())?;
    let builder = reqwest::Client::builder().no_proxy();
    let bare = builder.build().map_err(|e| e.to_string())?;
    let id = ConversationId::new(ID).map_err(|e| e.to_string())?;
    let mut measured = Vec::new();
    for turn in 0..turns {
        let (ours, yardstick);
        if ours_first(turn) {
            ours = with_sdk(&sdk, &id).await?;
            yardstick = with_reqwest(&bare, url).await?;
        } else {
            yardstick = with_reqwest(&bare, url).await?;
            ours = with_sdk(&sdk, &id).await?;
        }
        measured.push(Turn { ours, yardstick });
    }
    Ok(Compared::of(&measured))
}

/// Milliseconds of one read.
async fn with_sdk(client: &Client, id: &ConversationId) -> Result<f64, String> {
    let start = Instant::now();
    for _ in 0..READS {
        let conversation = client.conversation(id.clone());
        let history = conversation.history().send().await;
        let history = history.map_err(|e| e.to_string())?;
        if history.messages().len() != 10_000 {
            return Err(format!("{} turns came", history.messages().len()));
        }
    }
    Ok(start.elapsed().as_secs_f64() * 1e3 / f64::from(READS))
}

async fn with_reqwest(client: &reqwest::Client, url: &str) -> Result<f64, String> {
    let start = Instant::now();
    for _ in 0..READS {
        let request = client.get(format!("{url}/conversations/{ID}"));
        let answer = request.send().await.map_err(|e| e.to_string())?;
        let body: Value = answer.json().await.map_err(|e| e.to_string())?;
        let turns = body["history"].as_array().map(Vec::len);
        if turns != Some(10_000) {
            return Err(format!("{turns:?} turns came"));
        }
    }
    Ok(start.elapsed().as_secs_f64() * 1e3 / f64::from(READS))
}

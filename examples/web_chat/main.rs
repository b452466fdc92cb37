//! A page with a chat, and the small server that keeps the key.
//!
//!     cargo run -p famulor-examples --example web_chat -- --emulator
//!
//! Then open http://127.0.0.1:8080. The browser knows neither the key nor the customer identifier: it has a session in
//! a cookie that no script can read. Without `--emulator` it goes to your account (FAMULOR_API_KEY,
//! FAMULOR_ASSISTANT_ID), and every message is billed. For the open internet put it behind a proxy with TLS, and add
//! `--https --behind-proxy`.

mod allowance;
mod desk;
mod routes;
mod session;
mod words;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use allowance::Allowance;
use clap::Parser;
use desk::Desk;
use famulor_core::Limit;
use famulor_examples::{Failure, Whereto, report};
use routes::{Door, router};
use tokio::net::TcpListener;

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    whereto: Whereto,
    /// Where the page is served.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Browsers reach it over https: their cookie travels over nothing else.
    #[arg(long)]
    https: bool,
    /// A proxy stands in front and appends the visitor's address to X-Forwarded-For.
    #[arg(long)]
    behind_proxy: bool,
    /// What one visitor may send.
    #[arg(long, default_value = "10/600s")]
    visitor_limit: Limit,
    /// What all visitors of one address may send together: a new session costs nothing, a new address does.
    #[arg(long, default_value = "30/600s")]
    address_limit: Limit,
}

#[tokio::main]
async fn main() -> ExitCode {
    report(run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let stage = arguments.whereto.stage().await?;
    let allowance = Allowance::new(arguments.visitor_limit, arguments.address_limit);
    let desk = Arc::new(Desk::new(stage.client()?, stage.assistant(), allowance));
    let door = Door {
        https: arguments.https,
        behind_proxy: arguments.behind_proxy,
    };
    let listener = TcpListener::bind(arguments.listen).await?;
    println!("the chat is at http://{}", listener.local_addr()?);
    let service = router(desk, door).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(async {
            // Without a handler for Ctrl-C the process would end all the same.
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    Ok(())
}

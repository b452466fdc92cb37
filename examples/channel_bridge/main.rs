//! AI replies on your messaging channels: Telegram and Twilio (SMS, WhatsApp), or one of your own.
//!
//!     cargo run -p famulor-examples --example channel_bridge -- --emulator
//!
//! It prints a `curl` that plays the platform. What comes in is on the disk before the platform is told that it arrived,
//! and the answer stays there until the channel has taken it: killed at any moment and started again, it goes on, and
//! nothing is billed twice. Without `--emulator` it goes to your account (FAMULOR_API_KEY, FAMULOR_ASSISTANT_ID), every
//! message is billed, and at least one channel is to be set up:
//!
//! - TELEGRAM_BOT_TOKEN, and TELEGRAM_SECRET, the `secret_token` of your `setWebhook`; webhook: `/telegram`
//! - TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, and TWILIO_WEBHOOK_URL as Twilio has it; webhook: `/twilio`

mod channel;
mod delivered;
mod postman;
mod telegram;
mod twilio;
mod webhook;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use channel::{Channel, Printed};
use clap::Parser;
use delivered::Delivered;
use famulor_examples::{Failure, Whereto, report};
use famulor_outbox::Outbox;
use postman::Postman;
use telegram::Telegram;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use twilio::Twilio;

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    whereto: Whereto,
    /// Where webhooks are received.
    #[arg(long, default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
    /// What is on its way: a file, readable by you alone. It holds people's words.
    #[arg(long, default_value = "bridge.db")]
    store: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    report(run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let stage = arguments.whereto.stage().await?;
    let channels = channels(stage.emulator().is_some())?;
    let outbox = Outbox::open(&format!("sqlite:{}", arguments.store.display())).await?;
    let delivered = Delivered::open(&arguments.store.with_extension("delivered"))?;

    let listener = TcpListener::bind(arguments.listen).await?;
    let address = listener.local_addr()?;
    println!("webhooks are received at http://{address}");
    if stage.emulator().is_some() {
        println!(
            "try: curl -d '{}' http://{address}/telegram",
            telegram::EXAMPLE
        );
    }

    let stop = CancellationToken::new();
    let router = webhook::router(&channels, &outbox, stage.assistant());
    let server =
        axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    let worker = outbox
        .worker()
        .with_account("default", stage.client()?)
        .run(stop.clone());
    let postman = Postman::new(channels, outbox.clone(), delivered).run(stop.clone());
    let interrupted = async {
        tokio::signal::ctrl_c().await?;
        stop.cancel();
        Ok::<(), Failure>(())
    };
    // The first that fails ends the others, and the next start goes on where they were.
    tokio::try_join!(
        async { server.await.map_err(Failure::from) },
        async { worker.await.map(drop).map_err(Failure::from) },
        postman,
        interrupted,
    )?;
    Ok(())
}

/// The channels that the environment sets up. On the emulator Telegram is there without a bot, and its answers are printed.
fn channels(emulated: bool) -> Result<Vec<Arc<dyn Channel>>, Failure> {
    let mut channels: Vec<Arc<dyn Channel>> = Vec::new();
    if let Some(telegram) = Telegram::from_env()? {
        channels.push(Arc::new(telegram));
    } else if emulated {
        channels.push(Arc::new(Printed(Telegram::without_bot()?)));
    }
    if let Some(twilio) = Twilio::from_env()? {
        channels.push(Arc::new(twilio));
    }
    if channels.is_empty() {
        return Err(
            "no channel is set up; nothing was sent; set TELEGRAM_BOT_TOKEN or TWILIO_ACCOUNT_SID"
                .into(),
        );
    }
    Ok(channels)
}

//! `cargo xtask bench call`: CPU instructions of one reply through the SDK, beside the same call on bare reqwest.
//!
//! Counted by callgrind in a process of its own, so that the figure is the same from run to run. The difference of a
//! long and a short run leaves out what starting costs.

use std::process::Command;
use std::time::Duration;

use famulor_core::{AssistantId, Client, CustomerId};
use famulor_emulator::Emulator;
use famulor_gen::types::GenerateReplyResponse;

const SHORT: u32 = 100;
const LONG: u32 = 400;

/// The call as reqwest's documentation writes it.
const BARE: &str = "reqwest";
/// The same by someone who keeps the parsed URL, as the SDK does; shown beside it.
const BARE_WITH_URL: &str = "reqwest-url";
const SDK: &str = "famulor-core";

/// What the SDK may cost more than bare reqwest.
const MOST: f64 = 1.15;

pub(crate) fn run() -> Result<(), String> {
    let runtime = runtime()?;
    let emulator = runtime
        .block_on(Emulator::builder().without_limits().balance(1e9).start())
        .map_err(|e| format!("the emulator does not start: {e}"))?;
    let url = emulator.base_url();
    let bare = per_call(BARE, &url)?;
    let parsed_once = per_call(BARE_WITH_URL, &url)?;
    let sdk = per_call(SDK, &url)?;
    let ratio = sdk / bare;
    println!("| one reply | CPU instructions |\n|---|---|");
    println!(
        "| bare reqwest | {bare:.0} |\n| bare reqwest, its URL parsed once | {parsed_once:.0} |"
    );
    println!("| famulor-core | {sdk:.0} |\n| ratio | {ratio:.3} |");
    if ratio > MOST {
        return Err(format!(
            "the SDK costs {ratio:.3} times bare reqwest, at most {MOST} are promised"
        ));
    }
    Ok(())
}

fn per_call(client: &str, url: &str) -> Result<f64, String> {
    let short = instructions(client, url, SHORT)?;
    let long = instructions(client, url, LONG)?;
    Ok((long - short) as f64 / f64::from(LONG - SHORT))
}

fn instructions(client: &str, url: &str, calls: u32) -> Result<u64, String> {
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(own)
        .args(["call-client", client, url, &calls.to_string()])
        .output()
        .map_err(|e| {
            format!("valgrind cannot be run ({e}); install it, as with: apt-get install valgrind")
        })?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{client} failed under valgrind:\n{text}"));
    }
    text.lines()
        .find_map(|line| line.split("Collected :").nth(1)?.trim().parse().ok())
        .ok_or_else(|| format!("callgrind gave no count:\n{text}"))
}

/// Makes so many calls, one after another, and checks each answer.
pub(crate) fn client(client: &str, url: &str, calls: &str) -> Result<(), String> {
    let calls: u32 = calls
        .parse()
        .map_err(|_| "not a number of calls".to_owned())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?;
    // Another customer in each process: the SDK's one look at where a conversation stands then costs a long run what it
    // costs a short one, instead of growing with what earlier runs have said.
    let customer = format!("crm-{:02}-{calls}", client.len());
    match client {
        BARE => runtime.block_on(bare(
            || format!("{url}/ai/generate-reply"),
            calls,
            &customer,
        )),
        BARE_WITH_URL => {
            let route = format!("{url}/ai/generate-reply");
            let route: reqwest::Url = route.parse().map_err(|_| "no URL".to_owned())?;
            runtime.block_on(bare(|| route.clone(), calls, &customer))
        }
        _ => runtime.block_on(sdk(url, calls, &customer)),
    }
}

async fn bare<U: reqwest::IntoUrl>(
    route: impl Fn() -> U,
    calls: u32,
    customer: &str,
) -> Result<(), String> {
    let client = reqwest::Client::new();
    for _ in 0..calls {
        let body = serde_json::json!({
            "assistant_id": 123, "customer_identifier": customer, "message": "Hello"
        });
        let response = client
            .post(route())
            .header("accept", "application/json")
            .bearer_auth("bench")
            .timeout(Duration::from_secs(60))
            .json(&body)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(|e| e.to_string())?;
        let reply: GenerateReplyResponse = response.json().await.map_err(|e| e.to_string())?;
        reply.reply.ok_or("no reply")?;
    }
    Ok(())
}

async fn sdk(url: &str, calls: u32, customer: &str) -> Result<(), String> {
    let ample = |text: &str| text.parse().map_err(|e| format!("{e}"));
    let client = Client::builder()
        .with_base_url(url)
        .with_api_key("bench")
        .with_rate_limit(ample("1000000/60s")?)
        .with_general_limits([ample("1000000/60s")?, ample("1000000/10s")?])
        .build()
        .map_err(|e| e.to_string())?;
    let customer = CustomerId::raw(customer).map_err(|e| e.to_string())?;
    for _ in 0..calls {
        let reply = client
            .reply(AssistantId::new(123), customer.clone(), "Hello")
            .send()
            .await
            .map_err(|e| e.to_string())?;
        reply.text().ok_or("no reply")?;
    }
    Ok(())
}

pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|e| e.to_string())
}

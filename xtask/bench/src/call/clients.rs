//! The callers in Rust, each a process of its own.

use std::time::Duration;

use famulor_core::{AssistantId, AssistantUuid, Client, ConversationKind, CustomerId};
use famulor_gen::types::{CreateConversationResponse, GenerateReplyResponse};

/// The call as reqwest's documentation writes it.
pub(super) const BARE: &str = "reqwest";
/// The same by someone who keeps the parsed URL, as the SDK does; shown beside it.
pub(super) const BARE_WITH_URL: &str = "reqwest-url";
pub(super) const SDK: &str = "famulor-core";
/// The documentation's example, by both.
pub(super) const SEED_BARE: &str = "seed-reqwest";
pub(super) const SEED_SDK: &str = "seed-famulor-core";

const BOUND: Duration = Duration::from_secs(60);

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
        BARE => {
            let route = || format!("{url}/ai/generate-reply");
            runtime.block_on(bare(route, calls, &customer))
        }
        BARE_WITH_URL => {
            let route = format!("{url}/ai/generate-reply");
            let route: reqwest::Url = route.parse().map_err(|_| "no URL".to_owned())?;
            runtime.block_on(bare(|| route.clone(), calls, &customer))
        }
        SDK => runtime.block_on(sdk(url, calls, &customer)),
        SEED_BARE => runtime.block_on(seed_bare(url, calls)),
        SEED_SDK => runtime.block_on(seed_sdk(url, calls)),
        other => Err(format!("{other} is none of the callers")),
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
            .timeout(BOUND)
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
    let client = with_ample_limits(url)?;
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

/// With all that the SDK does by default, the quota's books among it; only the limits are never reached.
fn with_ample_limits(url: &str) -> Result<Client, String> {
    let ample = |text: &str| text.parse().map_err(|e| format!("{e}"));
    Client::builder()
        .with_base_url(url)
        .with_api_key("bench")
        .with_rate_limit(ample("1000000/60s")?)
        .with_general_limits([ample("1000000/60s")?, ample("1000000/10s")?])
        .build()
        .map_err(|e| e.to_string())
}

const ASSISTANT: &str = "550e8400-e29b-41d4-a716-446655440000";
const VARIABLES: [(&str, &str); 3] = [
    ("customer_name", "John Smith"),
    ("company", "Acme Corp"),
    ("source", "pricing_page"),
];

async fn seed_sdk(url: &str, calls: u32) -> Result<(), String> {
    let client = with_ample_limits(url)?;
    let assistant = AssistantUuid::parse(ASSISTANT).map_err(|e| e.to_string())?;
    for _ in 0..calls {
        let mut create = client
            .create_conversation(assistant)
            .set_kind(ConversationKind::Widget);
        for (name, value) in VARIABLES {
            create = create.set_variable(name, value);
        }
        create.send().await.map_err(|e| e.to_string())?;
    }
    Ok(())
}

async fn seed_bare(url: &str, calls: u32) -> Result<(), String> {
    let client = reqwest::Client::new();
    for _ in 0..calls {
        let variables: serde_json::Map<String, serde_json::Value> = VARIABLES
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        let body = serde_json::json!({
            "assistant_id": ASSISTANT, "type": "widget", "variables": variables
        });
        let response = client
            .post(format!("{url}/conversations"))
            .bearer_auth("bench")
            .timeout(BOUND)
            .json(&body)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(|e| e.to_string())?;
        let _: CreateConversationResponse = response.json().await.map_err(|e| e.to_string())?;
    }
    Ok(())
}

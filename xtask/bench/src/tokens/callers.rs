//! Replies of many tokens out of one process, by the SDK and by bare reqwest.

use famulor_core::{AssistantId, Client, CustomerId, Quota};
use famulor_gen::types::GenerateReplyResponse;
use nix::sys::resource::UsageWho;

use crate::process::{self, cpu_of};
use crate::size::Size;
use crate::turns::{Compared, Turn, median};

/// What so many tokens cost.
pub(super) struct Row {
    pub(super) tokens: usize,
    /// Microseconds of processor time a reply: the SDK, and bare reqwest with a client for each token.
    pub(super) cpu_each: Compared,
    /// The same beside bare reqwest with one client.
    pub(super) cpu_one: Compared,
    /// Bytes a token: the SDK, and bare reqwest with a client for each token.
    pub(super) memory: (f64, f64),
}

/// Who calls.
const SDK: &str = "famulor-core";
const EACH: &str = "reqwest-each";
const ONE: &str = "reqwest-one";

/// What one process measured of itself.
#[derive(Clone, Copy)]
struct Figures {
    /// Microseconds of processor time a reply.
    cpu: f64,
    /// Bytes a token.
    memory: f64,
}

pub(super) fn measure(url: &str, tokens: usize, size: Size) -> Result<Row, String> {
    let calls = size.pick(4_000, 2_000, 20).max(tokens);
    let (mut sdk, mut each, mut one) = (Vec::new(), Vec::new(), Vec::new());
    // Ten thousand clients of bare reqwest take half a minute to be made.
    let turns = match tokens {
        10_000.. => size.pick(3, 1, 1),
        _ => size.pick(7, 3, 1),
    };
    for turn in 0..turns {
        let run = |who: &str| figures(who, url, tokens, calls);
        if turn % 2 == 0 {
            sdk.push(run(SDK)?);
            each.push(run(EACH)?);
            one.push(run(ONE)?);
        } else {
            one.push(run(ONE)?);
            each.push(run(EACH)?);
            sdk.push(run(SDK)?);
        }
    }
    let compared = |theirs: &[Figures]| {
        let turns: Vec<Turn> = sdk
            .iter()
            .zip(theirs)
            .map(|(ours, theirs)| Turn {
                ours: ours.cpu,
                yardstick: theirs.cpu,
            })
            .collect();
        Compared::of(&turns)
    };
    let memory = |of: &[Figures]| median(of.iter().map(|figures| figures.memory));
    Ok(Row {
        tokens,
        cpu_each: compared(&each),
        cpu_one: compared(&one),
        memory: (memory(&sdk), memory(&each)),
    })
}

fn figures(who: &str, url: &str, tokens: usize, calls: usize) -> Result<Figures, String> {
    let output = process::own()?
        .args(["tokens-client", who, url])
        .args([tokens.to_string(), calls.to_string()])
        .output()
        .map_err(|e| e.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = text
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    match numbers[..] {
        [cpu, memory] => Ok(Figures { cpu, memory }),
        _ => Err(format!(
            "{who} with {tokens} tokens: {}",
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

/// The process that is measured. Prints its figures.
pub(crate) fn client(who: &str, url: &str, tokens: &str, calls: &str) -> Result<(), String> {
    let count = |text: &str| {
        let count = text.parse::<usize>();
        count.map_err(|_| format!("{text}: no number"))
    };
    let (tokens, calls) = (count(tokens)?, count(calls)?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?;
    let figures = runtime.block_on(async {
        match who {
            SDK => sdk(url, tokens, calls).await,
            EACH => bare(url, tokens, calls, tokens).await,
            ONE => bare(url, tokens, calls, 1).await,
            other => Err(format!("{other} is none of the callers")),
        }
    })?;
    println!("{} {}", figures.cpu, figures.memory);
    Ok(())
}

async fn sdk(url: &str, tokens: usize, calls: usize) -> Result<Figures, String> {
    let ample = |text: &str| text.parse().map_err(|e| format!("{e}"));
    let before = memory()?;
    let quota = Quota::in_memory();
    let clients: Vec<(Client, CustomerId)> = (0..tokens)
        .map(|token| {
            let client = Client::builder()
                .with_base_url(url)
                .with_api_key(key(token))
                .without_proxy()
                .with_quota(quota.clone())
                .with_rate_limit(ample("1000000/60s")?)
                .with_general_limits([ample("1000000/60s")?, ample("1000000/10s")?])
                .build()
                .map_err(|e| e.to_string())?;
            let customer = CustomerId::raw(customer(token)).map_err(|e| e.to_string())?;
            Ok((client, customer))
        })
        .collect::<Result<_, String>>()?;
    let call = async |number: usize| {
        let (client, customer) = &clients[number % tokens];
        let request = client.reply(AssistantId::new(123), customer.clone(), "Hello");
        let reply = request.send().await.map_err(|e| e.to_string())?;
        reply.text().map(drop).ok_or("no reply".to_owned())
    };
    measured(before, tokens, calls, call).await
}

async fn bare(url: &str, tokens: usize, calls: usize, clients: usize) -> Result<Figures, String> {
    let before = memory()?;
    let route = format!("{url}/ai/generate-reply");
    let clients: Vec<reqwest::Client> = (0..clients)
        .map(|_| reqwest::Client::builder().no_proxy().build())
        .collect::<Result<_, _>>()
        .map_err(|e| e.to_string())?;
    let tokens_and_customers: Vec<(String, String)> = (0..tokens)
        .map(|token| (key(token), customer(token)))
        .collect();
    let call = async |number: usize| {
        let (key, customer) = &tokens_and_customers[number % tokens];
        let body = serde_json::json!({
            "assistant_id": 123, "customer_identifier": customer, "message": "Hello"
        });
        let request = clients[number % clients.len()].post(&route);
        let answer = request
            .header("accept", "application/json")
            .bearer_auth(key)
            .json(&body)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(|e| e.to_string())?;
        let reply: GenerateReplyResponse = answer.json().await.map_err(|e| e.to_string())?;
        reply.reply.map(drop).ok_or("no reply".to_owned())
    };
    measured(before, tokens, calls, call).await
}

/// Everybody's first call, and then those that count.
async fn measured(
    before: f64,
    tokens: usize,
    calls: usize,
    call: impl AsyncFn(usize) -> Result<(), String>,
) -> Result<Figures, String> {
    for number in 0..tokens {
        call(number).await?;
    }
    let grown = memory()? - before;
    let start = cpu_of(UsageWho::RUSAGE_SELF)?;
    for number in 0..calls {
        call(number).await?;
    }
    let took = cpu_of(UsageWho::RUSAGE_SELF)?.saturating_sub(start);
    Ok(Figures {
        cpu: took.as_secs_f64() * 1e6 / calls as f64,
        memory: grown / tokens as f64,
    })
}

fn key(token: usize) -> String {
    format!("bench-{token}")
}

/// Another one in each process: nobody reads what earlier ones have said.
fn customer(token: usize) -> String {
    format!("crm-{}-{token}", std::process::id())
}

/// Bytes of memory of this process that are in use, on Linux.
fn memory() -> Result<f64, String> {
    let status = std::fs::read_to_string("/proc/self/status").map_err(|e| e.to_string())?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    let kilobytes = kilobytes.ok_or("the system does not say how much memory is used")?;
    Ok(kilobytes * 1024.0)
}

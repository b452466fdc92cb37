//! `famulor demo`: what a newcomer sees first.

mod checks;
mod customers;
mod figures;
mod stage;

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use famulor_core::{AssistantUuid, Client, Conversation, ConversationKind, FunctionCall, Limit};
use famulor_emulator::Emulator;
use tokio::sync::mpsc;

use self::checks::{Answered, holds};
use self::customers::Event;
use self::stage::Stage;
use crate::connection::causes;
use crate::failure::Failure;
use crate::run::Run;

const EXAMPLES: &str = "\
Examples:
  famulor demo
  famulor demo --json
      only the figures at its end
";

#[derive(clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {}

/// So many times as fast as real time runs the emulator's clock: its minute
/// takes two seconds.
const TIME_SCALE: u32 = 30;
/// The documented limit of replies (seed 2): 5 requests in 60 s.
const REPLIES: u32 = 5;
const WINDOW: Duration = Duration::from_secs(60);
/// How long the emulated assistant thinks, on the emulator's clock.
const LATENCY: Duration = Duration::from_secs(3);
/// The emulator's documented assistant.
const ASSISTANT: i64 = 123;
const ASSISTANT_UUID: &str = "550e8400-e29b-41d4-a716-446655440000";

pub(crate) async fn run(_: Args, run: &Run) -> Result<(), Failure> {
    run.refuse_dry_run("demo")?;
    let emulator = Emulator::builder()
        .time_scale(f64::from(TIME_SCALE))
        .latency(LATENCY)
        .start()
        .await
        .map_err(|error| {
            Failure::unexpected(format!("the emulator does not start: {}", causes(&error)))
        })?;
    let (happens, events) = mpsc::unbounded_channel();
    let client = client(&emulator, happens.clone())?;
    let tells = !run.output.format.is_json();
    let mut stage = Stage::new(tells, tells && std::io::stdout().is_terminal());

    stage
        .title(
            "Famulor: AI replies to your customers",
            &format!(
                "Without a key, a network or cost: a local Famulor (an emulator) runs inside this \
             program, at {}. There is no language model in it, its answers are placeholders that \
             remember. Its clock runs {TIME_SCALE} times fast: its minute takes {} seconds.",
                emulator.base_url(),
                WINDOW.as_secs() / u64::from(TIME_SCALE),
            ),
        )
        .await?;
    let chat = chat(&client, &mut stage).await?;
    let replies = customers::answer_all(&client, (happens, events), &mut stage).await?;
    read_back(&client, &replies, &mut stage).await?;
    let figures = figures::of(&emulator, &client, &replies, &chat)?;
    if !tells {
        return run.output.object(&figures, |_| Ok(()));
    }
    stage.figures(&figures)?;
    let by_cargo = run
        .environment
        .raw("CARGO_PKG_NAME")
        .is_some_and(|name| name == "famulor-cli");
    stage.next_steps(if by_cargo { "cargo famulor" } else { "famulor" })
}

/// The client of a real account, but for its idea of a minute: the limit that
/// it keeps is measured on the emulator's fast clock.
fn client(emulator: &Emulator, happens: mpsc::UnboundedSender<Event>) -> Result<Client, Failure> {
    let limit = Limit::new(REPLIES, WINDOW / TIME_SCALE, "generate-reply");
    Ok(Client::builder()
        .with_base_url(&emulator.base_url())
        .with_api_key("demo")
        .without_proxy()
        .with_rate_limit(limit)
        .with_wait_observer(move |notice| {
            // Nobody listens any more once all replies are there.
            let _ = happens.send(Event::Waits {
                at: Instant::now(),
                notice: *notice,
            });
        })
        .build()?)
}

/// The first scene: a conversation as on a web page.
async fn chat(client: &Client, stage: &mut Stage) -> Result<Conversation, Failure> {
    stage
        .scene(
            "1. A conversation",
            "John Smith opens the chat on a web page. A test one: free.",
        )
        .await?;
    let conversation = client
        .create_conversation(AssistantUuid::parse(ASSISTANT_UUID)?)
        .set_kind(ConversationKind::Test)
        .set_variable("customer_name", "John Smith")
        .set_variable("company", "Acme Corp")
        .send()
        .await?;
    let opening = conversation
        .opening_history()
        .first()
        .and_then(|m| m.content.clone());
    let opening = opening.unwrap_or_default();
    holds(
        opening.contains("John Smith"),
        "the opening message knows the customer's name",
    )?;
    stage.says("assistant", &opening).await?;
    for (message, function) in [
        ("I'd like to schedule a demo", "check_calendar_availability"),
        ("Thursday at 10 AM works for me", "book_appointment"),
    ] {
        stage.says("customer", message).await?;
        let turn = conversation.send(message).send().await?;
        holds(
            turn.function_calls()
                .iter()
                .any(|call: &FunctionCall| call.name == function),
            "the assistant calls a function of yours",
        )?;
        stage.calls(turn.function_calls())?;
        stage
            .says("assistant", turn.text().unwrap_or_default())
            .await?;
    }
    Ok(conversation)
}

/// The third scene: what the server has of one customer.
async fn read_back(
    client: &Client,
    replies: &[Answered],
    stage: &mut Stage,
) -> Result<(), Failure> {
    let of_one: Vec<&Answered> = replies
        .iter()
        .filter(|reply| reply.customer == customers::REMEMBERED)
        .collect();
    let Some(id) = of_one.first().map(|reply| reply.conversation.clone()) else {
        return holds(false, "every customer is answered");
    };
    stage
        .scene(
            "3. The history",
            &format!(
                "Every customer has one conversation. That of {}:",
                customers::REMEMBERED
            ),
        )
        .await?;
    let history = client.conversation(id).history().send().await?;
    stage.history(history.messages()).await?;
    let said: Vec<&str> = history
        .messages()
        .iter()
        .filter_map(|m| m.content.as_deref())
        .collect();
    let expected: Vec<&str> = of_one
        .iter()
        .flat_map(|reply| [reply.message, reply.text.as_str()])
        .collect();
    holds(
        said == expected,
        "the history holds what was said, once and in order",
    )
}

//! `famulor conversation list`

use famulor_core::{AssistantId, ConversationKind};

use crate::commands::show_preview;
use crate::connection::{Connection, Key};
use crate::failure::Failure;
use crate::paging;
use crate::run::Run;
use crate::settings;

const EXAMPLES: &str = "\
Examples:
  famulor conversation list
  famulor conversation list --type api --external-identifier +49155551234
  famulor conversation list --assistant-id 123 --limit 20
  famulor conversation list --customer-phone +49155551234
  famulor conversation list --all -o jsonl | jq -r .id
";

#[derive(clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only this type: test, widget, whatsapp or api [default: all]
    #[arg(long = "type", value_name = "T")]
    kind: Option<String>,

    /// Only of this assistant (its number) [default: all]
    #[arg(long, value_name = "INT", value_parser = settings::parse_assistant_id,
        allow_negative_numbers = true)]
    assistant_id: Option<AssistantId>,

    /// Only with this customer's phone number, exactly [default: all]
    #[arg(long, value_name = "P")]
    customer_phone: Option<String>,

    /// Only of this customer identifier (the --customer of reply) [default: all]
    #[arg(long, value_name = "X")]
    external_identifier: Option<String>,

    /// The newest N [default: one page of 15]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..),
        conflicts_with = "all")]
    limit: Option<u32>,

    /// All of them
    #[arg(long)]
    all: bool,
}

const COLUMNS: [&str; 6] = [
    "id",
    "type",
    "external_identifier",
    "message_count",
    "ai_enabled",
    "updated_at",
];

pub(crate) async fn run(args: Args, run: &mut Run) -> Result<(), Failure> {
    let connection = Connection::open(run, Key::Required).await?;
    let mut call = connection.client.list_conversations();
    if let Some(kind) = args.kind {
        call = call.set_kind(ConversationKind::from(kind));
    }
    if let Some(assistant) = args.assistant_id {
        call = call.set_assistant_id(assistant);
    }
    if let Some(phone) = args.customer_phone {
        call = call.set_customer_phone(phone);
    }
    if let Some(identifier) = args.external_identifier {
        call = call.set_external_identifier(identifier);
    }
    let limit = args
        .limit
        .map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    match limit {
        Some(limit) => {
            let largest = paging::LARGEST_PAGE;
            call = call.set_per_page(u8::try_from(limit).unwrap_or(largest).min(largest));
        }
        None if args.all => call = call.set_per_page(paging::LARGEST_PAGE),
        None => {}
    }
    if run.global.dry_run {
        return show_preview(run.output, &call.preview()?);
    }
    if args.all || limit.is_some() {
        return paging::print_stream(run, call.stream(), limit, &COLUMNS).await;
    }
    let page = call.send().await?;
    run.output.rows(page.items(), &COLUMNS)?;
    if page.next_cursor().is_some() {
        run.notes
            .say("there are more; --all shows them, --limit N the newest N");
    }
    Ok(())
}

//! `GET /user/conversations`: filters, and pages by cursor.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::BASE_PATH;
use super::call::Call;
use super::cursor::{Cursor, paginate};
use super::refusal::Refusal;
use super::validation::Input;
use crate::answer::{Response, ok};
use crate::lock;
use crate::state::{Contact, Conversation, ConversationKind, State, Variables};

/// Documented default of this list.
const DEFAULT_PAGE_SIZE: usize = 15;

#[derive(Serialize)]
struct Page<'a> {
    data: Vec<Row<'a>>,
    path: String,
    per_page: usize,
    next_cursor: Option<String>,
    prev_cursor: Option<String>,
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    assistant_id: Option<&'a str>,
    assistant_name: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'static str,
    variables: Option<&'a Variables>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_identifier: Option<&'a str>,
    message_count: usize,
    total_cost: f64,
    ai_enabled: bool,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    whatsapp_sender: Option<&'a Contact>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<&'a Contact>,
}

/// All of them exact, all of them together.
struct Filter<'a> {
    kind: Option<ConversationKind>,
    assistant: Option<i64>,
    customer_phone: Option<&'a str>,
    sender_phone: Option<&'a str>,
    external_identifier: Option<&'a str>,
}

pub(super) fn list(call: &Call<'_>) -> Result<Response, Refusal> {
    let query = call.query();
    let mut input = Input::of(&query);
    let filter = Filter {
        kind: input.selected("type", ConversationKind::parse),
        assistant: input.integer("assistant_id"),
        customer_phone: input.string("customer_phone"),
        sender_phone: input.string("whatsapp_sender_phone"),
        external_identifier: input.string("external_identifier"),
    };
    let per_page = input.page_size(DEFAULT_PAGE_SIZE);
    let cursor = input.string("cursor");
    input.check()?;

    let state = lock(&call.world.state);
    let matching = state
        .conversations()
        .filter(|(_, conversation)| filter.matches(conversation));
    let cursor = cursor.and_then(Cursor::read);
    let slice = paginate(matching, cursor, per_page);
    Ok(ok(&Page {
        data: slice
            .rows
            .iter()
            .map(|(_, conversation)| row(&state, conversation))
            .collect(),
        path: format!("http://{}{BASE_PATH}/user/conversations", call.host()),
        per_page,
        next_cursor: slice.next,
        prev_cursor: slice.prev,
    }))
}

impl Filter<'_> {
    fn matches(&self, conversation: &Conversation) -> bool {
        fn is(wanted: Option<&str>, found: Option<&str>) -> bool {
            wanted.is_none() || wanted == found
        }
        fn phone(contact: &Option<Contact>) -> Option<&str> {
            Some(contact.as_ref()?.phone.as_str())
        }
        self.kind.is_none_or(|kind| kind == conversation.kind)
            && self
                .assistant
                .is_none_or(|assistant| assistant == conversation.assistant_id)
            && is(self.customer_phone, phone(&conversation.customer))
            && is(self.sender_phone, phone(&conversation.whatsapp_sender))
            && is(
                self.external_identifier,
                conversation.external_identifier.as_deref(),
            )
    }
}

fn row<'a>(state: &'a State, conversation: &'a Conversation) -> Row<'a> {
    let assistant = state.assistant(conversation.assistant_id);
    Row {
        id: &conversation.id,
        assistant_id: assistant.map(|assistant| assistant.uuid.as_str()),
        assistant_name: assistant.map(|assistant| assistant.name.as_str()),
        kind: conversation.kind.name(),
        variables: conversation.variables.as_ref(),
        external_identifier: conversation.external_identifier.as_deref(),
        message_count: conversation.history.len(),
        total_cost: conversation.total_cost,
        ai_enabled: !conversation.ai_disabled,
        created_at: written(conversation.created_at),
        updated_at: written(conversation.updated_at),
        whatsapp_sender: conversation.whatsapp_sender.as_ref(),
        customer: conversation.customer.as_ref(),
    }
}

/// `YYYY-MM-DD HH:MM:SS`; the zone is not documented, UTC is Laravel's default.
fn written(time: Option<SystemTime>) -> String {
    let time = time
        .and_then(|time| Timestamp::try_from(time).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH);
    time.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

//! Whom and what a call is about: known before it is let in, for faults and journal.

use serde_json::Value;

use super::fields::{Field, Fields};
use crate::faults::Asked;
use crate::operation::Operation;
use crate::state::State;

pub(super) struct About<'a> {
    operation: Operation,
    /// The customer identifier, or the id of the conversation.
    pub(super) customer: Option<&'a str>,
    /// The assistant, as the body names it: by id or by UUID.
    named: Option<&'a Field<'a>>,
}

impl<'a> About<'a> {
    pub(super) fn of(operation: Operation, uuid: &'a str, fields: &'a Fields<'a>) -> Self {
        let customer = match operation {
            Operation::GenerateReply => fields.get("customer_identifier").and_then(Field::as_str),
            _ => (!uuid.is_empty()).then_some(uuid),
        };
        Self {
            operation,
            customer,
            named: fields.get("assistant_id"),
        }
    }

    /// The assistant's two names, if there is such an assistant.
    pub(super) fn assistant(&self, state: &State) -> Option<(i64, String)> {
        let assistant = match &self.named {
            Some(Field::Other(Value::Number(id))) => state.assistant(id.as_i64()?),
            Some(Field::Text(text)) => match text.parse() {
                Ok(id) => state.assistant(id),
                Err(_) => state.assistant_by_uuid(text),
            },
            _ => state.assistant(state.conversation(self.customer?)?.assistant_id),
        }?;
        Some((assistant.id, assistant.uuid.clone()))
    }

    pub(super) fn asked<'b>(
        &'b self,
        token: Option<&'b str>,
        assistant: Option<&'b (i64, String)>,
    ) -> Asked<'b> {
        Asked {
            operation: self.operation,
            customer: self.customer,
            token,
            assistant: assistant.map(|(id, uuid)| (*id, uuid.as_str())),
        }
    }
}

//! Whom and what a call is about: known before it is let in, for faults and journal.

use serde_json::Value;

use super::validation::Input;
use crate::faults::Asked;
use crate::operation::Operation;
use crate::state::State;

pub(super) struct About {
    operation: Operation,
    /// The customer identifier, or the id of the conversation.
    pub(super) customer: Option<String>,
    /// The assistant, as the body names it: by id or by UUID.
    named: Option<Value>,
}

impl About {
    pub(super) fn of(operation: Operation, uuid: &str, is_json: bool, body: &[u8]) -> Self {
        let mut about = Self {
            operation,
            customer: (!uuid.is_empty()).then(|| uuid.to_owned()),
            named: None,
        };
        if !body.is_empty() {
            let input = Input::body(is_json, body);
            about.named = input.raw("assistant_id").cloned();
            if operation == Operation::GenerateReply {
                about.customer = input
                    .raw("customer_identifier")
                    .and_then(Value::as_str)
                    .map(str::to_owned);
            }
        }
        about
    }

    /// The assistant's two names, if there is such an assistant.
    pub(super) fn assistant(&self, state: &State) -> Option<(i64, String)> {
        let assistant = match &self.named {
            Some(Value::Number(id)) => state.assistant(id.as_i64()?),
            Some(Value::String(text)) => match text.parse() {
                Ok(id) => state.assistant(id),
                Err(_) => state.assistant_by_uuid(text),
            },
            _ => state.assistant(state.conversation(self.customer.as_deref()?)?.assistant_id),
        }?;
        Some((assistant.id, assistant.uuid.clone()))
    }

    pub(super) fn asked<'a>(
        &'a self,
        token: Option<&'a str>,
        assistant: Option<&'a (i64, String)>,
    ) -> Asked<'a> {
        Asked {
            operation: self.operation,
            customer: self.customer.as_deref(),
            token,
            assistant: assistant.map(|(id, uuid)| (*id, uuid.as_str())),
        }
    }
}

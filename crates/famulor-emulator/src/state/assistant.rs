//! An assistant, and the row that the API shows of it.

use serde_json::{Map, Value, json};

/// An assistant of the account.
///
/// ```
/// use famulor_emulator::Assistant;
///
/// let assistant = Assistant {
///     id: 7,
///     uuid: "0b9f6a51-3c86-4b57-9a3e-5d0c9b8c7a11".into(),
///     name: "Night Desk".into(),
///     opening_message: Some("Good evening, {{customer_name}}.".into()),
///     ..Assistant::default()
/// };
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assistant {
    /// The integer id, which generate-reply and `/user/*` use.
    pub id: i64,
    /// The UUID, which `POST /conversations` uses.
    pub uuid: String,
    /// The name.
    pub name: String,
    /// What it says first; `{{variable}}` is filled in. `None`: it waits.
    pub opening_message: Option<String>,
    /// Its own variables, used where a conversation has none of that name.
    pub variables: Map<String, Value>,
    /// Where the end of a conversation is reported to, once switched on.
    pub ended_webhook: Option<String>,
}

/// The documented row, with everything in it that the emulator has no use for.
const DOCUMENTED_ROW: &str = include_str!("documented_assistant.json");

impl Assistant {
    /// The row of `GET /user/assistants/get`.
    pub(crate) fn row(&self) -> Value {
        let mut row: Value = serde_json::from_str(DOCUMENTED_ROW).unwrap_or_default();
        row["id"] = json!(self.id);
        row["uuid"] = json!(self.uuid);
        row["name"] = json!(self.name);
        row["initial_message"] = json!(self.opening_message);
        row["variables"] = if self.variables.is_empty() {
            // PHP writes an empty map as a list (facts, surprise 9).
            json!([])
        } else {
            json!(self.variables)
        };
        row
    }
}

//! The documented length of a message.

use crate::{Error, Result};

/// The longest message of send-message, in characters.
/// Source: reference page of send-conversation ("max 2000 characters"). Replies have no documented limit.
const MAX_SEND_CHARACTERS: usize = 2000;

/// Checks a message before it is sent; `limited` is for the operation that documents a longest length.
pub(crate) fn check_message(text: &str, limited: bool) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Error::invalid_request(
            "the message is empty",
            "the API refuses an empty message",
        ));
    }
    let characters = text.chars().count();
    if limited && characters > MAX_SEND_CHARACTERS {
        return Err(Error::invalid_request(
            format!(
                "the message has {characters} characters, at most {MAX_SEND_CHARACTERS} are allowed"
            ),
            "shorten it, or send it as several messages",
        ));
    }
    Ok(())
}

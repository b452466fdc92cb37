//! Which operation a method and a path ask for, and Laravel's answers to everything else.

use std::borrow::Cow;

use http::Method;
use percent_encoding::percent_decode_str;

use super::BASE_PATH;
use super::refusal::Refusal;
use crate::operation::Operation;

/// An operation, and the `{uuid}` of its path, empty where there is none.
pub(super) type Route<'p> = (Operation, Cow<'p, str>);

/// # Errors
///
/// No operation has the path, or not by this method.
pub(super) fn route<'p>(method: &Method, path: &'p str) -> Result<Route<'p>, Refusal> {
    let below = path.strip_prefix(BASE_PATH);
    let Some((operation, uuid)) = below.and_then(find) else {
        return Err(Refusal::no_route(path));
    };
    let is_get = operation.method() == Method::GET;
    let fits = if is_get {
        method == Method::GET || method == Method::HEAD
    } else {
        method == Method::POST
    };
    if !fits {
        let supported = if is_get { "GET, HEAD" } else { "POST" };
        return Err(Refusal::wrong_method(method.as_str(), path, supported));
    }
    // What is not even text is no conversation's id.
    let uuid = percent_decode_str(uuid).decode_utf8().unwrap_or_default();
    Ok((operation, uuid))
}

/// By hand, the one that is called by the million first: a table of patterns
/// costs more than a reply does.
fn find(path: &str) -> Option<(Operation, &str)> {
    let fixed = match path {
        "/ai/generate-reply" | "/user/ai/generate-reply" => Operation::GenerateReply,
        "/conversations" => Operation::CreateConversation,
        "/user/conversations" => Operation::ListConversations,
        "/user/assistants/get" => Operation::ListAssistants,
        "/user/assistants/enable-conversation-ended-webhook" => {
            Operation::EnableConversationEndedWebhook
        }
        "/user/assistants/disable-conversation-ended-webhook" => {
            Operation::DisableConversationEndedWebhook
        }
        "/user/me" => Operation::GetMe,
        _ => return with_uuid(path),
    };
    Some((fixed, ""))
}

fn with_uuid(path: &str) -> Option<(Operation, &str)> {
    let path = path.strip_prefix('/')?;
    let (operation, uuid) = if let Some(below) = path.strip_prefix("automate/conversations/") {
        match below.split_once('/')? {
            (uuid, "disable-ai") => (Operation::DisableConversationAi, uuid),
            (uuid, "enable-ai") => (Operation::EnableConversationAi, uuid),
            _ => return None,
        }
    } else {
        match path.strip_prefix("conversations/")?.split_once('/') {
            None => (Operation::GetConversation, &path["conversations/".len()..]),
            Some((uuid, "messages")) => (Operation::SendMessage, uuid),
            Some(_) => return None,
        }
    };
    (!uuid.is_empty()).then_some((operation, uuid))
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::{Operation, route};

    #[test]
    fn every_path_of_every_operation_leads_to_it_and_by_no_other_method() {
        for operation in Operation::ALL {
            for template in operation.paths() {
                let path = format!("/api{}", template.replace("{uuid}", "a%2Fb"));
                let (found, uuid) = route(&operation.method(), &path).expect(&path);
                assert_eq!(found, operation, "{path}");
                let expected = if template.contains("{uuid}") {
                    "a/b"
                } else {
                    ""
                };
                assert_eq!(uuid, expected, "{path}");
                assert!(route(&Method::DELETE, &path).is_err(), "{path}");
                assert!(route(&operation.method(), &format!("{path}/")).is_err());
                assert!(route(&operation.method(), &format!("{path}/more/of/it")).is_err());
            }
        }
    }

    #[test]
    fn what_only_looks_like_a_path_of_the_api_is_none() {
        for path in [
            "/",
            "*",
            "",
            "/api",
            "/api/",
            "/user/me",
            "/apiuser/me",
            "/api/conversations/",
            "/api/conversations//messages",
            "/api/automate/conversations//disable-ai",
            "/api/automate/conversations/x",
            "/api/automate/conversations/x/other",
        ] {
            assert!(route(&Method::GET, path).is_err(), "{path}");
            assert!(route(&Method::POST, path).is_err(), "{path}");
        }
    }
}

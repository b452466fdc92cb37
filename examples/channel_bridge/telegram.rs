//! Telegram. Source: the Bot API's documentation, "Update", "setWebhook", "sendMessage".

use std::time::Duration;

use async_trait::async_trait;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use famulor_core::CustomerId;
use famulor_examples::Failure;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;

use crate::channel::{Channel, Incoming, Rejected, Undelivered, needed, variable};

/// An update as Telegram sends it.
pub(crate) const EXAMPLE: &str = r#"{"update_id":1,"message":{"message_id":7,"date":1735689600,"chat":{"id":42,"type":"private"},"from":{"id":42,"is_bot":false,"first_name":"Anna"},"text":"Where is my order?"}}"#;

/// A text of Telegram has at most so many characters ("sendMessage").
const LONGEST: usize = 4096;

pub(crate) struct Telegram {
    http: reqwest::Client,
    /// The Bot API, with the bot's token in its path.
    bot: String,
    /// What Telegram sends along so that we know that it is Telegram; `None`: anybody may call.
    secret: Option<String>,
}

impl Telegram {
    pub(crate) fn from_env() -> Result<Option<Self>, Failure> {
        let Some(token) = variable("TELEGRAM_BOT_TOKEN") else {
            return Ok(None);
        };
        let api = variable("TELEGRAM_API").unwrap_or_else(|| "https://api.telegram.org".to_owned());
        let secret = needed("TELEGRAM_SECRET", "TELEGRAM_BOT_TOKEN")?;
        Ok(Some(Self {
            bot: format!("{api}/bot{token}"),
            secret: Some(secret),
            ..Self::without_bot()?
        }))
    }

    /// One that anybody can call and that cannot answer: to try things out.
    pub(crate) fn without_bot() -> Result<Self, Failure> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            .build()?;
        Ok(Self {
            http,
            bot: String::new(),
            secret: None,
        })
    }
}

/// Of an update, what is needed here. Everything else is allowed to be there.
#[derive(Deserialize)]
struct Update {
    update_id: i64,
    message: Option<Message>,
}

#[derive(Deserialize)]
struct Message {
    chat: Chat,
    text: Option<String>,
}

#[derive(Deserialize)]
struct Chat {
    id: i64,
}

#[async_trait]
impl Channel for Telegram {
    fn name(&self) -> &'static str {
        "telegram"
    }

    fn receive(&self, headers: &HeaderMap, body: &Bytes) -> Result<Option<Incoming>, Rejected> {
        if let Some(secret) = &self.secret {
            let given = headers.get("x-telegram-bot-api-secret-token");
            if !given.is_some_and(|given| same(given.as_bytes(), secret.as_bytes())) {
                return Err(Rejected::Forged);
            }
        }
        let update: Update = serde_json::from_slice(body).map_err(|_| Rejected::Garbled)?;
        // Edits, joins, stickers: nothing to answer.
        let Some(Message {
            chat,
            text: Some(text),
        }) = update.message
        else {
            return Ok(None);
        };
        let customer = CustomerId::raw(format!("telegram-{}", chat.id));
        Ok(Some(Incoming {
            key: update.update_id.to_string(),
            customer: customer.map_err(|_| Rejected::Garbled)?,
            text,
            reply_to: chat.id.to_string(),
        }))
    }

    fn thanks(&self) -> Response {
        StatusCode::OK.into_response()
    }

    async fn send(&self, reply_to: &str, text: &str) -> Result<(), Undelivered> {
        let text: String = text.chars().take(LONGEST).collect();
        let request = self.http.post(format!("{}/sendMessage", self.bot));
        let message = json!({ "chat_id": reply_to, "text": text });
        Undelivered::judge(request.json(&message).send().await)
    }
}

/// Whether two secrets are the same, in a time that does not tell how much of them is.
fn same(a: &[u8], b: &[u8]) -> bool {
    let mark =
        |secret: &[u8]| Hmac::<Sha256>::new_from_slice(b).map(|mac| mac.chain_update(secret));
    match (mark(a), mark(b)) {
        (Ok(a), Ok(b)) => a.verify(&b.finalize().into_bytes()).is_ok(),
        _ => false,
    }
}

//! Twilio: SMS and WhatsApp. Source: Twilio's documentation, "Twilio's request to your incoming message webhook",
//! "Validating requests", "Message resource".

use std::time::Duration;

use async_trait::async_trait;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use famulor_core::CustomerId;
use famulor_examples::Failure;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use sha1::Sha1;

use crate::channel::{Channel, Incoming, Rejected, Undelivered, needed, variable};

/// A body has at most so many characters ("Message resource").
const LONGEST: usize = 1600;

pub(crate) struct Twilio {
    http: reqwest::Client,
    /// Where messages are made.
    messages: String,
    account: String,
    token: String,
    /// The webhook as Twilio has it: a part of what is signed, and behind a proxy nothing that we could know.
    webhook: String,
}

impl Twilio {
    pub(crate) fn from_env() -> Result<Option<Self>, Failure> {
        let Some(account) = variable("TWILIO_ACCOUNT_SID") else {
            return Ok(None);
        };
        let api = variable("TWILIO_API").unwrap_or_else(|| "https://api.twilio.com".to_owned());
        Ok(Some(Self {
            http: reqwest::Client::builder()
                .timeout(Duration::from_secs(30))
                .build()?,
            messages: format!("{api}/2010-04-01/Accounts/{account}/Messages.json"),
            token: needed("TWILIO_AUTH_TOKEN", "TWILIO_ACCOUNT_SID")?,
            webhook: needed("TWILIO_WEBHOOK_URL", "TWILIO_ACCOUNT_SID")?,
            account,
        }))
    }
}

#[async_trait]
impl Channel for Twilio {
    fn name(&self) -> &'static str {
        "twilio"
    }

    fn receive(&self, headers: &HeaderMap, body: &Bytes) -> Result<Option<Incoming>, Rejected> {
        let fields: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
        let signature = headers
            .get("x-twilio-signature")
            .map(http::HeaderValue::as_bytes);
        if !signature.is_some_and(|it| is_signed(&self.token, &self.webhook, &fields, it)) {
            return Err(Rejected::Forged);
        }
        let field = |name: &str| {
            let found = fields.iter().find(|(key, _)| key == name);
            found
                .map(|(_, value)| value.clone())
                .ok_or(Rejected::Garbled)
        };
        let (from, to) = (field("From")?, field("To")?);
        let text = field("Body")?;
        if text.trim().is_empty() {
            // A picture without words.
            return Ok(None);
        }
        // `whatsapp:+49…` is the same person as `+49…`. A short code, or a name, is no phone number.
        let number = from.strip_prefix("whatsapp:").unwrap_or(&from);
        let customer = CustomerId::phone(number).or_else(|_| CustomerId::raw(number));
        Ok(Some(Incoming {
            key: field("MessageSid")?,
            customer: customer.map_err(|_| Rejected::Garbled)?,
            text,
            reply_to: format!("{to} {from}"),
        }))
    }

    fn thanks(&self) -> Response {
        // No message now: the answer comes later.
        ([(CONTENT_TYPE, "text/xml")], "<Response/>").into_response()
    }

    async fn send(&self, reply_to: &str, text: &str) -> Result<(), Undelivered> {
        let (us, them) = reply_to.split_once(' ').unwrap_or_default();
        let text: String = text.chars().take(LONGEST).collect();
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("From", us), ("To", them), ("Body", text.as_str())])
            .finish();
        let request = self
            .http
            .post(&self.messages)
            .basic_auth(&self.account, Some(&self.token))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        Undelivered::judge(request.send().await)
    }
}

/// Whether Twilio has signed this: HMAC-SHA1, with the account's token, of the URL and of all fields by name.
fn is_signed(token: &str, url: &str, fields: &[(String, String)], signature: &[u8]) -> bool {
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort();
    fields.dedup();
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(token.as_bytes()) else {
        return false;
    };
    mac.update(url.as_bytes());
    for (name, value) in fields {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    let signature = STANDARD.decode(signature);
    signature.is_ok_and(|signature| mac.verify_slice(&signature).is_ok())
}

//! What a generated client carries besides its base URL.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU8, Ordering},
};

use reqwest::header::HeaderValue;

use crate::answer::{Answer, SUCCESS_BODY_CEILING};
use crate::route::Routes;

/// What a [`Client`](crate::Client) carries besides its base URL: the token, where generate-reply lives, how much of a
/// body it reads.
///
/// ```
/// # fn main() -> Result<(), famulor_gen::InvalidToken> {
/// let session = famulor_gen::Session::new()
///     .with_token("1|abc")?
///     .with_reply_path("/user/ai/generate-reply");
/// assert!(!format!("{session:?}").contains("abc"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Session {
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) reply_path: Option<Arc<str>>,
    pub(crate) body_ceiling: usize,
    pub(crate) observer: Option<Observer>,
    pub(crate) routes: Arc<Routes>,
}

impl Session {
    /// A session without a token: the three `/conversations` calls are documented to answer it.
    #[must_use]
    pub fn new() -> Self {
        Self {
            authorization: None,
            reply_path: None,
            body_ceiling: SUCCESS_BODY_CEILING,
            observer: None,
            routes: Arc::default(),
        }
    }

    /// Sends this API token as `Authorization: Bearer …`.
    ///
    /// # Errors
    /// [`InvalidToken`] if it is empty or cannot stand in a header, as with a line break.
    pub fn with_token(mut self, token: &str) -> Result<Self, InvalidToken> {
        if token.trim().is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(InvalidToken);
        }
        let mut value =
            HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| InvalidToken)?;
        value.set_sensitive(true);
        self.authorization = Some(value);
        Ok(self)
    }

    /// Where generate-reply lives below the base URL, instead of `/ai/generate-reply`.
    ///
    /// Some accounts document `/user/ai/generate-reply` (facts page, surprise 2).
    #[must_use]
    pub fn with_reply_path(mut self, path: &str) -> Self {
        self.reply_path = Some(path.into());
        self
    }

    /// How many bytes of a success's body are read; a longer one is an unexpected response. Default: 16 MiB.
    #[must_use]
    pub fn with_body_ceiling(mut self, bytes: usize) -> Self {
        self.body_ceiling = bytes;
        self
    }

    /// Notes what becomes of a request made with this session, whatever its caller gets to see.
    #[must_use]
    pub fn with_observer(mut self, observer: Observer) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Whether it has a token.
    #[must_use]
    pub fn has_token(&self) -> bool {
        self.authorization.is_some()
    }
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows whether there is a token, never the token.
impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("has_token", &self.has_token())
            .finish_non_exhaustive()
    }
}

/// Notes what became of one request: whether its body began to leave, and what the server answered.
///
/// A billed call without an idempotency key must know both, also when the caller of the generated method sees only an
/// error. Use a new one for each request; clones share what they note.
///
/// ```
/// let observer = famulor_gen::Observer::new();
/// let session = famulor_gen::Session::new().with_observer(observer.clone());
/// assert!(!observer.body_was_sent());
/// assert!(observer.answer().is_none());
/// # drop(session);
/// ```
#[derive(Clone, Default)]
pub struct Observer(Arc<Notes>);

/// What became of a request's body.
mod body {
    /// There is none.
    pub(super) const NONE: u8 = 0;
    /// The connection has not asked for it.
    pub(super) const KEPT: u8 = 1;
    /// The connection has it.
    pub(super) const SENT: u8 = 2;
    /// It was taken back before the connection asked.
    pub(super) const WITHDRAWN: u8 = 3;
}

#[derive(Default)]
struct Notes {
    body: AtomicU8,
    answer: OnceLock<Answer>,
}

impl Observer {
    /// An observer that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the connection has asked for the request's body. Before that the server cannot have the message; after
    /// it, it may. Requests without a body never set it.
    #[must_use]
    pub fn body_was_sent(&self) -> bool {
        self.0.body.load(Ordering::Acquire) == body::SENT
    }

    /// Takes the request's body back if the connection has not asked for it: then the server does not have the message
    /// and never will, even if the connection asks later. `false` if it may have left, and for a request without a body,
    /// of which nobody can tell.
    ///
    /// A look alone would not do: a connection may ask right after it.
    #[must_use]
    pub fn withdraw_body(&self) -> bool {
        let taken = self.0.body.compare_exchange(
            body::KEPT,
            body::WITHDRAWN,
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        matches!(taken, Ok(_) | Err(body::WITHDRAWN))
    }

    /// What the server answered, if at least status and headers came. A body that its caller did not wait for is noted
    /// as [`BodyEnd::Cut`](crate::BodyEnd::Cut), as far as it came.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        self.0.answer.get()
    }

    pub(crate) fn note_body(&self) {
        // An observer watches one request: what it knows of a first one stands.
        let _ = self.0.body.compare_exchange(
            body::NONE,
            body::KEPT,
            Ordering::AcqRel,
            Ordering::Acquire,
        );
    }

    /// Hands the body to the connection; `false` if it was withdrawn.
    pub(crate) fn hand_over_body(&self) -> bool {
        let handed = self.0.body.compare_exchange(
            body::KEPT,
            body::SENT,
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        !matches!(handed, Err(body::WITHDRAWN))
    }

    pub(crate) fn note_answer(&self, answer: &Answer) {
        // The first answer stands: an observer watches one request.
        let _ = self.0.answer.set(answer.clone());
    }
}

impl std::fmt::Debug for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Observer")
            .field("body_was_sent", &self.body_was_sent())
            .field("answer", &self.answer())
            .finish()
    }
}

/// A token that is empty or cannot stand in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidToken;

impl std::fmt::Display for InvalidToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the API key is empty or has a character that cannot stand in a header, such as a space or line break")
    }
}

impl std::error::Error for InvalidToken {}

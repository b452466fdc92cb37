//! Who is calling: a token, or without one an address.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use crate::lock;
use crate::seeded::fingerprint;

/// What limits and balances are kept by.
///
/// Shared, not copied: it is a key in several books, and its mark is not to be
/// worked out for every request.
#[derive(Clone)]
pub(crate) struct Caller(Arc<Known>);

struct Known {
    who: Who,
    mark: String,
}

#[derive(PartialEq, Eq, Hash)]
enum Who {
    Token(String),
    /// Only the public `/conversations*` get this far without a token.
    Address(IpAddr),
}

impl Caller {
    pub(crate) fn token(token: &str) -> Self {
        let mark = fingerprint(token);
        let who = Who::Token(token.to_owned());
        Self(Arc::new(Known { who, mark }))
    }

    pub(crate) fn address(address: IpAddr) -> Self {
        let mark = address.to_string();
        let who = Who::Address(address);
        Self(Arc::new(Known { who, mark }))
    }

    /// What may be shown of a caller. Never the token.
    pub(crate) fn mark(&self) -> &str {
        &self.0.mark
    }
}

impl PartialEq for Caller {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.who == other.0.who
    }
}

impl Eq for Caller {}

impl Hash for Caller {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.who.hash(state);
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.mark())
    }
}

/// The other end of a connection, and who it said it was last: nearly always
/// the same again.
pub(crate) struct Guest {
    address: IpAddr,
    last: Mutex<Option<Caller>>,
}

impl Guest {
    pub(crate) fn new(address: IpAddr) -> Self {
        Self {
            address,
            last: Mutex::default(),
        }
    }

    pub(crate) fn with_token(&self, token: &str) -> Caller {
        let mut last = lock(&self.last);
        match &*last {
            Some(caller) if matches!(&caller.0.who, Who::Token(known) if known == token) => {
                caller.clone()
            }
            _ => last.insert(Caller::token(token)).clone(),
        }
    }

    pub(crate) fn without_token(&self) -> Caller {
        Caller::address(self.address)
    }
}

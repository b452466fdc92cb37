//! Who is calling: a token, or without one an address.

use std::fmt;
use std::net::IpAddr;

use crate::seeded::fingerprint;

/// What limits and balances are kept by.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Caller {
    Token(String),
    /// Only the public `/conversations*` get this far without a token.
    Address(IpAddr),
}

impl Caller {
    /// What may be shown of a caller. Never the token.
    pub(crate) fn mark(&self) -> String {
        match self {
            Self::Token(token) => fingerprint(token),
            Self::Address(address) => address.to_string(),
        }
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.mark())
    }
}

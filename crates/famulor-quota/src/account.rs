//! Whose quota it is, without keeping the secret that says so.

use std::fmt;

use sha2::{Digest, Sha256};

/// Names one account's quota; made from its token, which it does not keep.
///
/// The first 16 bytes of a SHA-256 with a prefix of its own: the same in every
/// program and on every machine, so that it can be a database key, and not the
/// digest under which a server may store the same token.
///
/// ```
/// # use famulor_quota::AccountKey;
/// let key = AccountKey::new("1|a-secret-token");
/// assert_eq!(key, AccountKey::new(b"1|a-secret-token"));
/// assert!(!format!("{key:?}").contains("secret"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountKey([u8; 16]);

impl AccountKey {
    /// The key of the account that `token` (or any other stable name) belongs to.
    #[must_use]
    pub fn new(token: impl AsRef<[u8]>) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"famulor-quota account 1\0");
        hash.update(token.as_ref());
        let digest = hash.finalize();
        let mut short = [0; 16];
        short.copy_from_slice(&digest[..16]);
        Self(short)
    }

    /// The bytes under which a store keeps this account.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Four bytes of the hash: enough to tell two accounts apart in a log.
impl fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "AccountKey({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_never_changes_between_versions() {
        let hex: String = AccountKey::new("token")
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        // printf 'famulor-quota account 1\0token' | sha256sum
        assert_eq!(hex, "23889549fdaa1447f22c607af0a0f871");
    }
}

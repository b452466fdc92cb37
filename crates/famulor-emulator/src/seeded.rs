//! Everything that looks random, and is the same for the same seed.

use uuid::{Builder, Uuid};

/// Derives values from a seed and the names of what they are for.
///
/// Deriving by name instead of drawing from one stream keeps a run repeatable
/// when requests arrive in another order.
#[derive(Clone, Copy)]
pub(crate) struct Seeded {
    namespace: Uuid,
}

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            namespace: Uuid::new_v5(&Uuid::NAMESPACE_URL, &seed.to_be_bytes()),
        }
    }

    /// A conversation id: to the eye and to a parser a version 4 UUID.
    pub(crate) fn conversation_id(&self, name: &str) -> String {
        Builder::from_random_bytes(*self.derive(name).as_bytes())
            .into_uuid()
            .to_string()
    }

    /// A number below `bound`.
    pub(crate) fn below(&self, name: &str, bound: usize) -> usize {
        self.source(name).usize(..bound)
    }

    /// A source of random numbers of its own for this name.
    pub(crate) fn source(&self, name: &str) -> fastrand::Rng {
        let (high, low) = self.derive(name).as_u64_pair();
        fastrand::Rng::with_seed(high ^ low)
    }

    fn derive(&self, name: &str) -> Uuid {
        Uuid::new_v5(&self.namespace, name.as_bytes())
    }
}

/// A one-way mark of a secret, short enough to read: the same token gives the
/// same mark, and the mark does not give the token.
pub(crate) fn fingerprint(secret: &str) -> String {
    let mut mark = Uuid::new_v5(&Uuid::NAMESPACE_OID, secret.as_bytes())
        .simple()
        .to_string();
    mark.truncate(12);
    mark
}

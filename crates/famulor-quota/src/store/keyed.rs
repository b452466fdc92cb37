//! Finding an account by its key.

use std::hash::{BuildHasher, Hasher, RandomState};

/// 2⁶⁴ divided by the golden ratio: odd, and its bits well mixed.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Hashes what is a hash already: a multiplication is enough, and a secret in it
/// keeps anyone who chooses tokens from choosing collisions.
#[derive(Clone)]
pub(crate) struct KeyHash {
    secret: u64,
}

impl Default for KeyHash {
    fn default() -> Self {
        Self {
            secret: RandomState::new().hash_one(0_u8),
        }
    }
}

impl BuildHasher for KeyHash {
    type Hasher = KeyHasher;

    fn build_hasher(&self) -> KeyHasher {
        KeyHasher(self.secret)
    }
}

pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * u128::from(GOLDEN);
        self.0 = (product as u64) ^ ((product >> 64) as u64);
    }

    // The length of an array of fixed size says nothing.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

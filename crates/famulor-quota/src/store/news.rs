//! Passing on what other processes have changed to those who wait here.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

use crate::AccountKey;

/// So many groups of accounts that a change wakes few for nothing; no account
/// has an entry that somebody would have to remove.
const GROUPS: usize = 64;

/// Counts the changes of each group of accounts.
#[derive(Debug)]
pub(super) struct News {
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    changes: watch::Sender<u64>,
    /// How many there had been when somebody here last asked for a slot.
    asked: AtomicU64,
}

impl News {
    pub(super) fn new() -> Self {
        let group = || Group {
            changes: watch::Sender::new(0),
            asked: AtomicU64::new(0),
        };
        Self {
            groups: std::iter::repeat_with(group).take(GROUPS).collect(),
        }
    }

    /// The store is being asked for a slot: it knows of all changes until now.
    pub(super) fn asked(&self, account: AccountKey) {
        let group = self.group(account.as_bytes());
        group
            .asked
            .store(*group.changes.borrow(), Ordering::Release);
    }

    /// Waits for a change after the store was last asked.
    pub(super) async fn changed(&self, account: AccountKey) {
        let group = self.group(account.as_bytes());
        let known = group.asked.load(Ordering::Acquire);
        let mut changes = group.changes.subscribe();
        // The sender is ours, so it does not go away.
        let _ = changes.wait_for(|changes| *changes > known).await;
    }

    /// The account with these bytes has changed.
    pub(super) fn tell(&self, account: &[u8]) {
        self.group(account)
            .changes
            .send_modify(|changes| *changes += 1);
    }

    /// The account that a notification names by its bytes in hexadecimal.
    pub(super) fn tell_hex(&self, account: &str) {
        let last = account.get(account.len().saturating_sub(2)..);
        match last.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(last) => self.tell(&[last]),
            None => self.tell_all(),
        }
    }

    /// Anything may have changed while nobody listened.
    pub(super) fn tell_all(&self) {
        for group in &self.groups {
            group.changes.send_modify(|changes| *changes += 1);
        }
    }

    fn group(&self, account: &[u8]) -> &Group {
        let byte = account.last().copied().unwrap_or(0);
        &self.groups[usize::from(byte) % GROUPS]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    async fn hears(news: &News, account: AccountKey) -> bool {
        let soon = Duration::from_millis(10);
        timeout(soon, news.changed(account)).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn news_since_the_last_question_are_heard_once() {
        let (news, account) = (News::new(), AccountKey::new("token"));
        assert!(!hears(&news, account).await);
        news.tell(account.as_bytes());
        assert!(hears(&news, account).await);
        news.asked(account);
        assert!(!hears(&news, account).await);
        news.tell_hex("00ff");
        assert!(!hears(&news, account).await);
        let bytes = account.as_bytes().iter();
        news.tell_hex(&bytes.map(|byte| format!("{byte:02x}")).collect::<String>());
        assert!(hears(&news, account).await);
        news.asked(account);
        news.tell_hex("no account");
        assert!(hears(&news, account).await);
    }
}

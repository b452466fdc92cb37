//! One message in flight per customer.
//!
//! Two messages of one customer at once would arrive in any order, and after an unknown outcome nobody could tell which
//! of them the history shows.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedMutexGuard;

type Lines = HashMap<Arc<str>, Arc<tokio::sync::Mutex<()>>>;

/// Whose turn it is, customer by customer.
#[derive(Clone, Default)]
pub(crate) struct Order(Arc<Mutex<Lines>>);

/// The right to send this customer's next message. Dropping it lets the next one go.
pub(crate) struct OrderTurn {
    order: Order,
    customer: Arc<str>,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Order {
    /// Waits for this customer's turn, first come first served. Dropping the wait leaves nothing behind.
    pub(crate) async fn turn(&self, customer: impl Into<Arc<str>>) -> OrderTurn {
        let customer = customer.into();
        let lock = Arc::clone(self.lines().entry(Arc::clone(&customer)).or_default());
        let mut turn = OrderTurn {
            order: self.clone(),
            customer,
            guard: None,
        };
        turn.guard = Some(lock.lock_owned().await);
        turn
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        // Nothing can panic while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OrderTurn {
    fn drop(&mut self) {
        self.guard = None;
        let mut lines = self.order.lines();
        // The map's own reference is the last one: nobody waits.
        if let Entry::Occupied(line) = lines.entry(Arc::clone(&self.customer))
            && Arc::strong_count(line.get()) == 1
        {
            line.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Order;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn one_customer_waits_for_itself_and_for_nobody_else() {
        let order = Order::default();
        let first = order.turn("a".to_owned()).await;
        assert!(order.turn("a".to_owned()).now_or_never().is_none());
        assert!(order.turn("b".to_owned()).now_or_never().is_some());
        drop(first);
        assert!(order.turn("a".to_owned()).now_or_never().is_some());
    }

    #[tokio::test]
    async fn customers_that_nobody_waits_for_are_forgotten() {
        let order = Order::default();
        let first = order.turn("a".to_owned()).await;
        assert!(order.turn("a".to_owned()).now_or_never().is_none());
        drop(first);
        assert!(order.lines().is_empty());
    }
}

//! Telling a store what it could not be told in time.

use std::time::Duration;

use tokio::time::sleep;

use super::StoreError;

/// How often to try, soon at first: for two minutes in all, when a slot that
/// nobody ended is about to run out by itself.
const TRIES: u32 = 120;
const FIRST: Duration = Duration::from_millis(125);
const LONGEST: Duration = Duration::from_secs(1);

/// Does `telling` and, if it fails, again later, on its own, while the caller
/// goes on with the error: a store that was away for a moment then holds no slot
/// of a call that has ended. What is told late only ever frees a slot late.
pub(super) async fn tell_now_or_later<F>(
    telling: impl Fn() -> F + Send + 'static,
) -> Result<(), StoreError>
where
    F: Future<Output = Result<(), StoreError>> + Send,
{
    let told = telling().await;
    if told.is_err() {
        tokio::spawn(async move {
            for tried in 0..TRIES {
                sleep((FIRST * 2_u32.pow(tried.min(3))).min(LONGEST)).await;
                if telling().await.is_ok() {
                    return;
                }
            }
        });
    }
    told
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_store_that_was_away_is_told_later_and_once() {
        let told = Arc::new(AtomicU32::new(0));
        let telling = {
            let told = Arc::clone(&told);
            move || {
                let number = told.fetch_add(1, Ordering::Relaxed);
                async move {
                    match number {
                        0..3 => Err(StoreError::new("away")),
                        _ => Ok(()),
                    }
                }
            }
        };
        assert!(tell_now_or_later(telling).await.is_err());
        assert_eq!(told.load(Ordering::Relaxed), 1);
        sleep(Duration::from_secs(300)).await;
        assert_eq!(told.load(Ordering::Relaxed), 4);
    }
}

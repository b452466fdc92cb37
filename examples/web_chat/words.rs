//! How waiting is told.

use std::time::Duration;

const ORDINALS: [&str; 10] = [
    "First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth",
];

/// `Third in line`
pub(crate) fn place(place: usize) -> String {
    match place.checked_sub(1).and_then(|index| ORDINALS.get(index)) {
        Some(word) => format!("{word} in line"),
        None => format!("Number {place} in line"),
    }
}

/// `about 40 s`: up to the next five, so that it does not promise too much and does not flicker.
pub(crate) fn about(wait: Duration) -> String {
    let seconds = wait.as_secs_f64().ceil().max(1.0);
    if seconds <= 90.0 {
        format!("about {} s", (seconds / 5.0).ceil() * 5.0)
    } else {
        format!("about {} minutes", (seconds / 60.0).ceil())
    }
}

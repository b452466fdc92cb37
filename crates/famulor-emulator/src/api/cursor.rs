//! Laravel's cursor: where a page ends, and which way it points.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// Base64 of `{"id":100,"_pointsToNextItems":true}`, as in the documented
/// example. A client must not look inside; its shape is only an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    id: u64,
    #[serde(rename = "_pointsToNextItems")]
    forward: bool,
}

/// One page of numbered rows, newest first, with the cursors around it.
pub(super) struct Slice<T> {
    pub(super) rows: Vec<(u64, T)>,
    pub(super) next: Option<String>,
    pub(super) prev: Option<String>,
}

impl Cursor {
    /// Laravel takes an unreadable cursor for none.
    pub(super) fn read(text: &str) -> Option<Self> {
        let json = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
        serde_json::from_slice(&json).ok()
    }

    fn write(self) -> Option<String> {
        let json = serde_json::to_vec(&self).ok()?;
        Some(URL_SAFE_NO_PAD.encode(json))
    }
}

/// Cuts the page out of `rows`, which come oldest first.
pub(super) fn paginate<T>(
    rows: impl DoubleEndedIterator<Item = (u64, T)>,
    cursor: Option<Cursor>,
    size: usize,
) -> Slice<T> {
    // One more than the page shows whether there is another.
    let mut page: Vec<(u64, T)> = match cursor {
        Some(Cursor { id, forward: false }) => {
            rows.filter(|(row, _)| *row > id).take(size + 1).collect()
        }
        _ => rows
            .rev()
            .filter(|(row, _)| cursor.is_none_or(|cursor| *row < cursor.id))
            .take(size + 1)
            .collect(),
    };
    let more = page.len() > size;
    page.truncate(size);
    let backward = cursor.is_some_and(|cursor| !cursor.forward);
    if backward {
        page.reverse();
    }
    // Laravel's CursorPaginator: a page reached backwards always has a next
    // one, and a page reached forwards always has a previous one.
    let has_next = more || backward;
    let has_prev = cursor.is_some() && (!backward || more);
    let at = |row: Option<&(u64, T)>, forward| {
        let (id, _) = row?;
        Cursor { id: *id, forward }.write()
    };
    Slice {
        next: at(page.last(), true).filter(|_| has_next),
        prev: at(page.first(), false).filter(|_| has_prev),
        rows: page,
    }
}

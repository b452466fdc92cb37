//! Lists that come page by page.

use futures_util::{Stream, StreamExt};
use serde::Serialize;

use crate::failure::Failure;
use crate::output::Format;
use crate::run::Run;

/// The most rows that the API puts on a page (facts: `per_page` 1 to 100).
pub(crate) const LARGEST_PAGE: u8 = 100;

/// Prints the rows of a stream, at most `limit` of them: JSON lines as they
/// come, every other format when all are known.
pub(crate) async fn print_stream<T: Serialize>(
    run: &Run,
    mut rows: impl Stream<Item = famulor_core::Result<T>> + Unpin,
    limit: Option<usize>,
    columns: &[&str],
) -> Result<(), Failure> {
    let mut left = limit.unwrap_or(usize::MAX);
    let mut collected = Vec::new();
    while left > 0 {
        let Some(row) = rows.next().await.transpose()? else {
            break;
        };
        left -= 1;
        if run.output.format == Format::Jsonl {
            run.output.row(&row)?;
        } else {
            collected.push(row);
        }
    }
    match run.output.format {
        Format::Jsonl => Ok(()),
        _ => run.output.rows(&collected, columns),
    }
}

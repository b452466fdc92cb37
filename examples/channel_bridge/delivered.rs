//! Which answers the channels have taken, beside the outbox.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use famulor_examples::Failure;
use famulor_outbox::RowId;

/// A line a row, on the disk before anything else happens.
pub(crate) struct Delivered {
    file: File,
    rows: HashSet<String>,
}

impl Delivered {
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        // A line that a crash has cut off is no row, and must not run into the next one.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64)?;
        let rows = text[..whole].lines().map(str::to_owned).collect();
        Ok(Self { file, rows })
    }

    pub(crate) fn contains(&self, row: RowId) -> bool {
        self.rows.contains(&row.to_string())
    }

    pub(crate) fn add(&mut self, row: RowId) -> Result<(), Failure> {
        let row = row.to_string();
        self.file.write_all(format!("{row}\n").as_bytes())?;
        self.file.sync_data()?;
        self.rows.insert(row);
        Ok(())
    }
}

//! The command line is a program and no library: its reader of batch files is built in here a second time, as it stands.
//! It lies where it lies there, because its items are visible as far as that.

pub(crate) mod batch;

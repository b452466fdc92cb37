//! Client-side ledger for N-requests-per-window limits that are never overrun.

//! A local Famulor: its documented behaviour, limits and errors, without a key and without cost.

//! Typed mocks of every operation of Famulor's API, for tests.

//! `GET /user/me`: whose key this is, and what is left on it.

use serde::Serialize;

use super::call::Call;
use super::refusal::Refusal;
use crate::answer::{Response, ok};
use crate::lock;

#[derive(Serialize)]
struct Me {
    name: &'static str,
    email: &'static str,
    total_balance: f64,
}

pub(super) fn me(call: &Call<'_>) -> Result<Response, Refusal> {
    let balance = lock(&call.world.state).balance(&call.caller);
    // Name and address as in the documented example.
    Ok(ok(&Me {
        name: "Your Name",
        email: "example@example.com",
        total_balance: balance.as_dollars(),
    }))
}

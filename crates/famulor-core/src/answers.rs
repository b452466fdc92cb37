//! What the API answers, in the shape a person would want.

mod account;
mod api;
mod history;
mod page;
mod reply;
mod turn;

pub use account::Account;
pub use api::ApiAnswer;
pub use history::History;
pub use page::Page;
pub use reply::Reply;
pub use turn::Turn;

pub(crate) use page::{Next, rows};

//! Connections: how they are made, and which addresses a key may go to.

mod base_url;
mod certificates;
mod connect_timeout;
mod connector;

pub(crate) use base_url::{BaseUrl, DEFAULT as DEFAULT_BASE_URL};
pub(crate) use certificates::read as read_certificates;
pub(crate) use connect_timeout::within_connect_timeout;
pub(crate) use connector::{Proxy, TransportSettings, build};

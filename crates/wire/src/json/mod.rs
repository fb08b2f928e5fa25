//! Messages as JSON, by proto3's rules and with Google's words for mistakes.

mod fault;
mod query;
mod read;
mod scalar;
mod write;

pub(crate) use fault::{Fault, Faults, quoted};
pub(crate) use query::bind_query;
pub(crate) use read::{read_message, set_path};
pub use write::to_json;
pub(crate) use write::{Enums, write};

//! What the crate does to whole files.

mod bad;
mod properties;
mod shipped;

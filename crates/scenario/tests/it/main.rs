//! What the crate does to whole files.

mod bad;
mod model;
mod properties;
mod shipped;

//! What the crate does to whole files.

mod bad;
mod model;
mod pasted;
mod properties;
mod schemas;
mod shipped;

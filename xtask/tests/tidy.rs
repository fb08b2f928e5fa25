//! The house itself: generated files are up to date.

#[path = "tidy/generated.rs"]
mod generated;

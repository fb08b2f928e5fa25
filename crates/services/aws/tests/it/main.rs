//! AWS, by its own paths.

mod metadata;
mod refusals;
mod sts;
mod support;
